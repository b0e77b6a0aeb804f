"""
What happens outside the API: refunds made by hand in the Stripe Dashboard, and what banks do and decide.

POST /_sandbox/refunds        {"payment_intent", "amount"?, "reason"?}
POST /_sandbox/refunds/{id}   {"status": succeeded | failed | canceled, "failure_reason"?}
POST /_sandbox/disputes       {"payment_intent", "reason"?, "amount"?, "inquiry"?}
POST /_sandbox/disputes/{id}  {"status"}
POST /_sandbox/guards         {"over_refunds": boolean}

Objects come back as the API shows them, and refusals in its shape.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.api.errors import StripeError
from sandbox.cards.claims import REASONS
from sandbox.control.routes import Malformed, json_body

if TYPE_CHECKING:
    from sandbox.server import Sandbox

Body = dict[str, Any]
Act = Callable[["Sandbox", str, Body], Body]

REFUND = {"payment_intent": str, "amount": int, "reason": str}
REFUND_DECISION = {"status": str, "failure_reason": str}
DISPUTE = {"payment_intent": str, "amount": int, "reason": str, "inquiry": bool}


def routes(sandbox: "Sandbox") -> list[Route]:
    acts: dict[str, Act] = {
        "/_sandbox/refunds": _refund,
        "/_sandbox/refunds/{id}": _decide_refund,
        "/_sandbox/disputes": _dispute,
        "/_sandbox/disputes/{id}": _decide_dispute,
        "/_sandbox/guards": _guards,
    }
    return [Route(path, _answering(sandbox, act), methods=["POST"]) for path, act in acts.items()]


def _answering(sandbox: "Sandbox", act: Act) -> Callable[[Request], Any]:
    async def respond(request: Request) -> Response:
        try:
            content = act(sandbox, request.path_params.get("id", ""), await json_body(request))
        except Malformed as error:
            return _answer({"error": {"message": str(error)}}, 400)
        except StripeError as error:
            return _answer(error.body(), error.status)
        return _answer(content, 200)

    return respond


def _answer(content: Body, status: int) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")


def _refund(sandbox: "Sandbox", _id: str, body: Body) -> Body:
    return sandbox.refund(**_read(body, REFUND, required="payment_intent"))


def _decide_refund(sandbox: "Sandbox", id_: str, body: Body) -> Body:
    return sandbox.decide_refund(id_, **_read(body, REFUND_DECISION, required="status"))


def _dispute(sandbox: "Sandbox", _id: str, body: Body) -> Body:
    given = _read(body, DISPUTE, required="payment_intent")
    if given.get("reason", "general") not in REASONS:
        raise Malformed(f"a dispute's reason is one of {', '.join(REASONS)}")
    return sandbox.dispute(is_inquiry=given.pop("inquiry", False), **given)


def _decide_dispute(sandbox: "Sandbox", id_: str, body: Body) -> Body:
    return sandbox.decide_dispute(id_, **_read(body, {"status": str}, required="status"))


def _guards(sandbox: "Sandbox", _id: str, body: Body) -> Body:
    sandbox.guards.over_refunds = _read(body, {"over_refunds": bool}, required="over_refunds")["over_refunds"]
    return asdict(sandbox.guards)


def _read(body: Body, kinds: Mapping[str, type], *, required: str) -> Body:
    """What was given, if every name is known and every value is of its kind; amounts are positive."""
    given = {name: value for name, value in body.items() if value is not None}
    fits = all(type(value) is kinds.get(name) for name, value in given.items())
    if not fits or required not in given or given.get("amount", 1) < 1:
        shown = ", ".join(f"{name} ({kind.__name__})" for name, kind in kinds.items())
        raise Malformed(f"expected {shown}; {required} is required, and an amount is positive")
    return given
