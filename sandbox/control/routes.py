"""`/_sandbox/…`: the clock, faults, saved cards, deliveries, the request log and the ledger, over HTTP."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.api.errors import StripeError
from sandbox.control.faults import Kind, Rule

if TYPE_CHECKING:
    from sandbox.server import Sandbox

LATEST = 1_000
Answering = Callable[[Request], Awaitable[Response]]


class Malformed(Exception):
    """A control request that says something the sandbox cannot do; answered with 400."""


def routes(sandbox: "Sandbox") -> list[Route]:
    return [
        Route("/_sandbox/clock", _answering(sandbox, _clock), methods=["GET", "POST"]),
        Route("/_sandbox/ledger", _answering(sandbox, _ledger), methods=["GET"]),
        Route("/_sandbox/requests", _answering(sandbox, _requests), methods=["GET", "DELETE"]),
        Route("/_sandbox/faults", _answering(sandbox, _faults), methods=["GET", "POST", "DELETE"]),
        Route("/_sandbox/cards", _answering(sandbox, _cards), methods=["POST"]),
        Route("/_sandbox/webhooks", _answering(sandbox, _webhooks), methods=["GET", "POST"]),
    ]


def _answering(
    sandbox: "Sandbox", act: Callable[["Sandbox", str, dict[str, Any]], dict[str, Any]]
) -> Answering:
    async def respond(request: Request) -> Response:
        try:
            content, status = act(sandbox, request.method, await json_body(request)), 200
        except Malformed as error:
            content, status = {"error": {"message": str(error)}}, 400
        return Response(orjson.dumps(content), status, media_type="application/json")

    return respond


async def json_body(request: Request) -> dict[str, Any]:
    """A JSON object; the media type is required, so that no web page can post here unasked."""
    if request.method != "POST":
        return {}
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise Malformed("send application/json")
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise Malformed("the body is not JSON") from error
    if not isinstance(body, dict):
        raise Malformed("the body is not a JSON object")
    return body


def _clock(sandbox: "Sandbox", _method: str, body: dict[str, Any]) -> dict[str, Any]:
    """`{"advance": seconds}`, `{"freeze": true}` or false, or both; GET only tells the time."""
    unknown = body.keys() - {"advance", "freeze"}
    seconds = body.get("advance", 0)
    if unknown or not isinstance(seconds, int | float) or seconds < 0:
        raise Malformed("the clock takes advance (seconds, not negative) and freeze (a boolean)")
    if "freeze" in body:
        (sandbox.clock.freeze if body["freeze"] else sandbox.clock.unfreeze)()
    if seconds:
        sandbox.advance(seconds)
    return asdict(sandbox.clock.status())


def _ledger(sandbox: "Sandbox", _method: str, _body: dict[str, Any]) -> dict[str, Any]:
    return sandbox.ledger()


def _requests(sandbox: "Sandbox", method: str, _body: dict[str, Any]) -> dict[str, Any]:
    if method == "DELETE":
        sandbox.requests.clear()
    return {"requests": [asdict(entry) for entry in sandbox.requests.newest_first()]}


def _faults(sandbox: "Sandbox", method: str, body: dict[str, Any]) -> dict[str, Any]:
    if method == "DELETE":
        sandbox.faults.clear()
    sandbox.faults.add([_rule(rule) for rule in body.get("rules", [])])
    return {"rules": [_shown(rule) for rule in sandbox.faults.rules()]}


def _webhooks(sandbox: "Sandbox", method: str, body: dict[str, Any]) -> dict[str, Any]:
    if method == "POST":
        if not isinstance(body.get("paused"), bool):
            raise Malformed("deliveries take paused (a boolean)")
        (sandbox.dispatcher.pause if body["paused"] else sandbox.dispatcher.resume)()
    latest = [asdict(delivery) for delivery in sandbox.deliveries.latest(LATEST)]
    return {"paused": sandbox.dispatcher.is_paused, "deliveries": latest}


def _cards(sandbox: "Sandbox", _method: str, body: dict[str, Any]) -> dict[str, Any]:
    """
    `{"payment_method": id, "behaviour": …}`: a decline code, `accept`, or `replace` with `last4`, `exp_month`
    and `exp_year`.
    """
    try:
        match body:
            case {"payment_method": str(id_), "behaviour": "accept", **rest} if not rest:
                sandbox.mend_card(id_)
            case {"payment_method": str(id_), "behaviour": "replace", **new}:
                sandbox.replace_card(id_, **new)
            case {"payment_method": str(id_), "behaviour": str(decline_code), **rest} if not rest:
                sandbox.spoil_card(id_, decline_code)
            case _:
                raise Malformed("a card takes payment_method and behaviour")
    except (LookupError, TypeError, StripeError) as error:
        raise Malformed(str(error)) from error
    return {"payment_method": body["payment_method"], "behaviour": body["behaviour"]}


def _rule(given: Any) -> Rule:
    try:
        return Rule(
            path=re.compile(given.get("path", "")),
            kind=Kind(given["kind"]),
            method=given.get("method"),
            times=given.get("times", 1),
            seconds=float(given.get("seconds", 0)),
        )
    except (KeyError, ValueError, TypeError, AttributeError, re.error) as error:
        raise Malformed(f"not a fault rule: {error}") from error


def _shown(rule: Rule) -> dict[str, Any]:
    return {
        "path": rule.path.pattern,
        "kind": rule.kind,
        "method": rule.method,
        "times": rule.times,
        "seconds": rule.seconds,
    }
