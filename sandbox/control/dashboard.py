"""
What happens outside the API: refunds made by hand in the Stripe Dashboard, and what banks do and decide.

POST /_sandbox/refunds        {"payment_intent", "amount"?, "reason"?}
POST /_sandbox/refunds/{id}   {"status": succeeded | failed | canceled, "failure_reason"?}
POST /_sandbox/disputes       {"payment_intent", "reason"?, "amount"?, "inquiry"?}
POST /_sandbox/disputes/{id}  {"status"}
POST /_sandbox/guards         {"over_refunds": boolean}

Objects come back as the API shows them, and refusals in its shape.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from starlette.routing import Route

from sandbox.cards.claims import REASONS
from sandbox.control.asked import Asked, Body, Malformed, route

if TYPE_CHECKING:
    from sandbox.server import Sandbox

REFUND = {"payment_intent": str, "amount": int, "reason": str}
REFUND_DECISION = {"status": str, "failure_reason": str}
DISPUTE = {"payment_intent": str, "amount": int, "reason": str, "inquiry": bool}


def routes(sandbox: "Sandbox") -> list[Route]:
    return [
        route(sandbox, "/_sandbox/refunds", _refund, "POST"),
        route(sandbox, "/_sandbox/refunds/{id}", _decide_refund, "POST"),
        route(sandbox, "/_sandbox/disputes", _dispute, "POST"),
        route(sandbox, "/_sandbox/disputes/{id}", _decide_dispute, "POST"),
        route(sandbox, "/_sandbox/guards", _guards, "POST"),
    ]


def _refund(sandbox: "Sandbox", asked: Asked) -> Body:
    return sandbox.refund(**_read(asked.body, REFUND, required="payment_intent"))


def _decide_refund(sandbox: "Sandbox", asked: Asked) -> Body:
    return sandbox.decide_refund(asked.id, **_read(asked.body, REFUND_DECISION, required="status"))


def _dispute(sandbox: "Sandbox", asked: Asked) -> Body:
    given = _read(asked.body, DISPUTE, required="payment_intent")
    if given.get("reason", "general") not in REASONS:
        raise Malformed(f"a dispute's reason is one of {', '.join(REASONS)}")
    return sandbox.dispute(is_inquiry=given.pop("inquiry", False), **given)


def _decide_dispute(sandbox: "Sandbox", asked: Asked) -> Body:
    return sandbox.decide_dispute(asked.id, **_read(asked.body, {"status": str}, required="status"))


def _guards(sandbox: "Sandbox", asked: Asked) -> Body:
    given = _read(asked.body, {"over_refunds": bool}, required="over_refunds")
    sandbox.guards.over_refunds = given["over_refunds"]
    return asdict(sandbox.guards)


def _read(body: Body, kinds: Mapping[str, type], *, required: str) -> Body:
    """What was given, if every name is known and every value is of its kind; amounts are positive."""
    given = {name: value for name, value in body.items() if value is not None}
    fits = all(type(value) is kinds.get(name) for name, value in given.items())
    if not fits or required not in given or given.get("amount", 1) < 1:
        shown = ", ".join(f"{name} ({kind.__name__})" for name, kind in kinds.items())
        raise Malformed(f"expected {shown}; {required} is required, and an amount is positive")
    return given
