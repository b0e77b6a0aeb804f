"""The ASGI border of the API: faults, replays, and the headers of every answer."""

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from sandbox.api.answers import Answer
from sandbox.api.connection import Connection
from sandbox.api.errors import LockTimeout, ServerError, StripeError, TooManyRequests
from sandbox.api.idempotency import StoredAnswer
from sandbox.api.incoming import Incoming
from sandbox.api.service import Order, Service
from sandbox.control.faults import Faults, Kind, Rule
from sandbox.control.requests import LoggedRequest, RequestLog

SWALLOWED = (Kind.RESET_BEFORE, Kind.HANG_BEFORE)
UNANSWERED = (Kind.RESET_AFTER, Kind.HANG_AFTER)
BAD_GATEWAY = "<!doctype html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>"


class ApiGateway:
    def __init__(self, service: Service, faults: Faults, log: RequestLog) -> None:
        self._service = service
        self._faults = faults
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        incoming = await Incoming.of(Request(scope, receive), self._service.settings.public_url)
        connection, rule = Connection.of(scope), self._faults.take(incoming.method, incoming.path)
        answer = await self._answer(incoming, rule)
        is_cut = answer is None or (rule is not None and rule.kind in UNANSWERED)
        self._note(incoming, None if is_cut else answer, rule)
        if rule is not None and rule.kind is Kind.HANG_AFTER:
            await self._faults.wait(rule.seconds)
        if answer is None or is_cut:
            await connection.reset()
        elif rule is not None and rule.kind is Kind.HALF_BODY:
            await _send_half(answer, incoming.id, send)
            await connection.close()
        else:
            await _send(answer, incoming.id, send)

    async def _answer(self, incoming: Incoming, rule: Rule | None) -> Answer | None:
        """None stands for a request that a fault swallowed before anything read it."""
        if rule is None:
            return await self._answer_soundly(incoming, None)
        if rule.kind in SWALLOWED:
            await self._faults.wait(rule.seconds)
            return None
        return _refused_by(rule.kind) or await self._answer_soundly(incoming, rule)

    async def _answer_soundly(self, incoming: Incoming, rule: Rule | None) -> Answer:
        try:
            order = self._service.understand(incoming)
            stored = self._service.answers.begin(order.keyed) if order.keyed else None
        except StripeError as error:
            return Answer.refusing(error)
        if stored is not None and order.keyed is not None:
            return _replayed(stored, order.keyed.key)
        return await self._execute(order, rule)

    async def _execute(self, order: Order, rule: Rule | None) -> Answer:
        try:
            if rule is not None and rule.kind is Kind.DELAY:
                await self._faults.wait(rule.seconds)
            fails_after = rule is not None and rule.kind is Kind.ERROR_AFTER
            answer = self._service.execute(order, fails_after=fails_after)
        finally:
            if order.keyed is not None:
                self._service.answers.end(order.keyed)
        if order.keyed is not None:
            answer.headers.update({"Idempotency-Key": order.keyed.key, "Original-Request": order.request_id})
        return answer

    def _note(self, incoming: Incoming, answer: Answer | None, rule: Rule | None) -> None:
        if incoming.method != "POST":
            return
        self._log.add(
            LoggedRequest(
                id=incoming.id,
                at=self._service.clock.now(),
                method=incoming.method,
                path=incoming.path,
                idempotency_key=incoming.idempotency_key,
                status=None if answer is None else answer.status,
                is_replayed=answer is not None and answer.is_replayed,
                fault=None if rule is None else rule.kind,
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
