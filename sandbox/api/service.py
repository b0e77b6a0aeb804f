"""Every API request from first byte to last: understand it, execute it once, answer it."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import parse_qsl

from sandbox.api import forms, publishable
from sandbox.api.answers import Answer
from sandbox.api.endpoint import Call, Endpoint
from sandbox.api.errors import InvalidRequest, ServerError, StripeError, Unauthenticated
from sandbox.api.expansion import Expansion
from sandbox.api.idempotency import Answers, KeyedRequest, StoredAnswer
from sandbox.api.incoming import Incoming
from sandbox.api.params import read_fields
from sandbox.api.routes import Routes
from sandbox.control.guards import Guards
from sandbox.resources import ENDPOINTS, EXPANDABLE
from sandbox.settings import API_VERSION, SandboxSettings
from sandbox.state.clock import Clock
from sandbox.state.database import Database
from sandbox.state.objects import Objects
from sandbox.webhooks.events import Events, Origin

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An understood request: nothing about it can be refused any more but what its objects forbid."""

    endpoint: Endpoint
    call: Call
    expansion: Expansion
    keyed: KeyedRequest | None
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    settings: SandboxSettings
    database: Database
    objects: Objects
    events: Events
    clock: Clock
    answers: Answers
    guards: Guards
    routes: Routes = field(default_factory=lambda: Routes(ENDPOINTS))

    def understand(self, incoming: Incoming) -> Order:
        """Check everything that can be checked before execution; raises the first StripeError found."""
        endpoint, path_ids = self.routes.find(incoming.method, incoming.path)
        is_publishable = self._is_publishable(incoming.api_key())
        _require_version(incoming.version)
        fields = forms.decode(incoming.text())
        if is_publishable:
            fields = publishable.admit(endpoint, path_ids, fields, self.objects)
        params = read_fields(endpoint.fields, fields)
        expansion = Expansion(
            EXPANDABLE, endpoint.answers, params.pop("expand", ()), in_list=endpoint.is_list
        )
        call = Call(
            params=params,
            path_ids=path_ids,
            origin=Origin(request_id=incoming.id, idempotency_key=incoming.idempotency_key),
            is_publishable=is_publishable,
            base_url=incoming.base_url,
            objects=self.objects,
            events=self.events,
            clock=self.clock,
            guards=self.guards,
            settings=self.settings,
        )
        return Order(
            endpoint=endpoint,
            call=call,
            expansion=expansion,
            keyed=_keyed(incoming),
            request_id=incoming.id,
        )

    def execute(self, order: Order, *, fails_after: bool = False) -> Answer:
        """
        Carry out an order and keep its answer under its key, in one transaction.

        A refusal that is no outcome leaves nothing behind. With `fails_after` the work is done, yet a server
        error is answered, now and whenever the key is used again.
        """
        try:
            with self.database.transaction():
                answer = self._outcome(order)
                if fails_after:
                    answer = Answer.refusing(ServerError("Something went wrong on the server's side."))
                if order.keyed is not None:
                    stored = StoredAnswer(request_id=order.request_id, status=answer.status, body=answer.body)
                    self.answers.keep(order.keyed, stored)
        except StripeError as error:
            return Answer.refusing(error)
        return answer

    def transact(self, action: Callable[[Call], T], *path_ids: str, base_url: str = "") -> T:
        """Let something happen that no API request asked for: a cardholder's answer, the passing of time."""
        call = Call(
            params={},
            path_ids=path_ids,
            origin=Origin(),
            is_publishable=False,
            base_url=base_url,
            objects=self.objects,
            events=self.events,
            clock=self.clock,
            guards=self.guards,
            settings=self.settings,
        )
        with self.database.transaction():
            return action(call)

    def _outcome(self, order: Order) -> Answer:
        try:
            result = order.endpoint.handler(order.call)
        except StripeError as error:
            if not error.is_outcome:
                raise
            return Answer.refusing(error)
        content = order.expansion.apply(result, self.objects.find)
        return Answer.of(publishable.shown(content) if order.call.is_publishable else content)

    def _is_publishable(self, key: str) -> bool:
        if _same(key, self.settings.secret_key):
            return False
        if _same(key, self.settings.publishable_key):
            return True
        raise Unauthenticated(f"Invalid API key: {key[:8]}…")


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def _require_version(version: str | None) -> None:
    if version not in (None, API_VERSION):
        raise InvalidRequest(f"The sandbox speaks API version {API_VERSION} only, not {version}.")


def _keyed(incoming: Incoming) -> KeyedRequest | None:
    if incoming.idempotency_key is None:
        return None
    parameters = parse_qsl(incoming.text(), keep_blank_values=True)
    return KeyedRequest.of(incoming.idempotency_key, incoming.method, incoming.path, parameters)
