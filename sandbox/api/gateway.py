"""The ASGI border of the API: faults, replays, and the headers of every answer."""

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from sandbox.api.answers import Answer
from sandbox.api.connection import Connection
from sandbox.api.errors import LockTimeout, ServerError, StripeError, TooManyRequests
from sandbox.api.idempotency import StoredAnswer
from sandbox.api.incoming import Incoming
from sandbox.api.service import Order, Service
from sandbox.control.chaos import Chaos, Fate
from sandbox.control.faults import Fault, Faults, Kind
from sandbox.control.requests import LoggedRequest, RequestLog

SWALLOWED = (Kind.RESET_BEFORE, Kind.HANG_BEFORE)
UNANSWERED = (Kind.RESET_AFTER, Kind.HANG_AFTER)
BAD_GATEWAY = "<!doctype html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>"


class ApiGateway:
    def __init__(self, service: Service, faults: Faults, chaos: Chaos, log: RequestLog) -> None:
        self._service = service
        self._faults = faults
        self._chaos = chaos
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        incoming = await Incoming.of(Request(scope, receive), self._service.settings.public_url)
        connection, fate = Connection.of(scope), self._fate(incoming)
        fault = fate.fault
        await self._faults.delay(fate.way)
        answer = await self._answer(incoming, fault)
        is_cut = answer is None or (fault is not None and fault.kind in UNANSWERED)
        self._note(incoming, None if is_cut else answer, fault)
        if fault is not None and fault.kind is Kind.HANG_AFTER:
            await self._faults.wait(fault.seconds)
        await self._faults.wait(fate.way)
        if answer is None or is_cut:
            await connection.reset()
        elif fault is not None and fault.kind is Kind.HALF_BODY:
            await _send_half(answer, incoming.id, send)
            await connection.close()
        else:
            await _send(answer, incoming.id, send)

    def _fate(self, incoming: Incoming) -> Fate:
        """A rule goes before the weather."""
        fault = self._faults.take(incoming.method, incoming.path)
        return self._chaos.of_request(incoming) if fault is None else Fate(fault=fault)

    async def _answer(self, incoming: Incoming, fault: Fault | None) -> Answer | None:
        """None stands for a request that a fault swallowed before anything read it."""
        if fault is None:
            return await self._answer_soundly(incoming, None)
        if fault.kind in SWALLOWED:
            await self._faults.wait(fault.seconds)
            return None
        return _refused_by(fault.kind) or await self._answer_soundly(incoming, fault)

    async def _answer_soundly(self, incoming: Incoming, fault: Fault | None) -> Answer:
        try:
            order = self._service.understand(incoming)
            stored = self._service.answers.begin(order.keyed) if order.keyed else None
        except StripeError as error:
            return Answer.refusing(error)
        if stored is not None and order.keyed is not None:
            return _replayed(stored, order.keyed.key)
        return await self._execute(order, fault)

    async def _execute(self, order: Order, fault: Fault | None) -> Answer:
        try:
            if fault is not None and fault.kind is Kind.DELAY:
                await self._faults.delay(fault.seconds)
            fails_after = fault is not None and fault.kind is Kind.ERROR_AFTER
            answer = self._service.execute(order, fails_after=fails_after)
        finally:
            if order.keyed is not None:
                self._service.answers.end(order.keyed)
        if order.keyed is not None:
            answer.headers.update({"Idempotency-Key": order.keyed.key, "Original-Request": order.request_id})
        return answer

    def _note(self, incoming: Incoming, answer: Answer | None, fault: Fault | None) -> None:
        if incoming.method != "POST":
            return
        if incoming.idempotency_key is None:
            self._service.answers.note_missing_key(incoming.path)
        self._log.add(
            LoggedRequest(
                id=incoming.id,
                at=self._service.clock.now(),
                method=incoming.method,
                path=incoming.path,
                idempotency_key=incoming.idempotency_key,
                status=None if answer is None else answer.status,
                is_replayed=answer is not None and answer.is_replayed,
                fault=None if fault is None else fault.kind,
            )
        )


def _refused_by(kind: Kind) -> Answer | None:
    match kind:
        case Kind.ERROR_BEFORE:
            return Answer.refusing(ServerError("Something went wrong on the server's side."))
        case Kind.RATE_LIMIT:
            return Answer.refusing(TooManyRequests("Too many requests at once.", code="rate_limit"))
        case Kind.LOCK_TIMEOUT:
            return Answer.refusing(LockTimeout("Another request is using this object.", code="lock_timeout"))
        case Kind.HTML:
            return Answer.page(502, BAD_GATEWAY)
    return None


def _replayed(stored: StoredAnswer, key: str) -> Answer:
    """A stored server error is told to be final, as repeating the request would only repeat the answer."""
    headers = {"Idempotency-Key": key, "Original-Request": stored.request_id, "Idempotent-Replayed": "true"}
    if stored.status >= 500:
        headers["Stripe-Should-Retry"] = "false"
    return Answer(status=stored.status, body=stored.body, headers=headers, is_replayed=True)


async def _send(answer: Answer, request_id: str, send: Send) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.head(request_id)})
    await send({"type": "http.response.body", "body": answer.body})


async def _send_half(answer: Answer, request_id: str, send: Send) -> None:
    half = answer.body[: len(answer.body) // 2]
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.head(request_id)})
    await send({"type": "http.response.body", "body": half, "more_body": True})
