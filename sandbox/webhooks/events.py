"""The event log: every change, in the shape of this API version, and to whom it goes."""

from dataclasses import dataclass
from typing import Any

from sandbox.control.chaos import Chaos, Passage
from sandbox.control.weather import Mishap
from sandbox.settings import API_VERSION
from sandbox.state.clock import Clock
from sandbox.state.ids import new_id
from sandbox.state.objects import Objects, StripeObject, visible
from sandbox.webhooks.deliveries import Deliveries
from sandbox.webhooks.types import EVERY_TYPE


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The request that caused a change; both are None for what happens by itself, as time goes by."""

    request_id: str | None = None
    idempotency_key: str | None = None

    @property
    def keys(self) -> list[str]:
        """What an object that this request makes notes for the ledger."""
        return [] if self.idempotency_key is None else [self.idempotency_key]


class Events:
    def __init__(self, objects: Objects, deliveries: Deliveries, clock: Clock, chaos: Chaos) -> None:
        self._objects = objects
        self._deliveries = deliveries
        self._clock = clock
        self._chaos = chaos

    def emit(self, type_: str, thing: StripeObject, *, before: StripeObject | None, origin: Origin) -> None:
        """Log the event and queue it for every endpoint that wants it, in the transaction of the change."""
        targets = [
            endpoint["id"] for endpoint in self._objects.all("webhook_endpoint") if _wants(endpoint, type_)
        ]
        data: dict[str, Any] = {"object": visible(thing)}
        if before is not None:
            data["previous_attributes"] = previous_attributes(visible(before), data["object"])
        event: StripeObject = {
            "id": new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self._clock.now(),
            "data": data,
            "livemode": False,
            "pending_webhooks": len(targets),
            "request": {"id": origin.request_id, "idempotency_key": origin.idempotency_key},
            "type": type_,
        }
        self._objects.insert(event)
        for place, target in enumerate(targets):
            self._send(event["id"], target, self._chaos.of_webhook(type_, thing, place))

    def _send(self, event: str, target: str, passage: Passage) -> None:
        if passage.mishap is Mishap.DROPPED:
            self._deliveries.drop(event, target, reason="dropped by chaos")
            return
        if passage.mishap is Mishap.DUPLICATED:
            self._deliveries.add(event, target)
        self._deliveries.add(event, target, late=passage.late)

    def outstanding(self, event: str) -> int:
        return self._deliveries.outstanding(event)


def previous_attributes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The old values of what changed; of a nested hash only the changed part, and None for what is new."""
    return {
        name: _previous(before.get(name), after.get(name))
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    }


def _previous(before: Any, after: Any) -> Any:
    if isinstance(before, dict) and isinstance(after, dict):
        return previous_attributes(before, after)
    return before


def _wants(endpoint: StripeObject, type_: str) -> bool:
    wanted = endpoint["enabled_events"]
    return endpoint["status"] == "enabled" and (EVERY_TYPE in wanted or type_ in wanted)
