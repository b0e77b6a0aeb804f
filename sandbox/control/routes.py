"""`/_sandbox/…`: the clock, faults, chaos, saved cards, deliveries, the request log and the ledger, over HTTP."""

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from sandbox.api.errors import StripeError
from sandbox.control import weather
from sandbox.control.asked import Asked, Body, Malformed, route
from sandbox.control.faults import Kind, Rule
from sandbox.control.weather import BadWeather

if TYPE_CHECKING:
    from sandbox.server import Sandbox

LATEST = 1_000


def routes(sandbox: "Sandbox") -> list[Route]:
    return [
        route(sandbox, "/_sandbox/clock", _clock, "GET", "POST"),
        route(sandbox, "/_sandbox/ledger", _ledger, "GET"),
        route(sandbox, "/_sandbox/requests", _requests, "GET", "DELETE"),
        route(sandbox, "/_sandbox/faults", _faults, "GET", "POST", "DELETE"),
        route(sandbox, "/_sandbox/chaos", _chaos, "GET", "POST", "DELETE"),
        route(sandbox, "/_sandbox/cards", _cards, "POST"),
        route(sandbox, "/_sandbox/webhooks", _webhooks, "GET", "POST"),
    ]


def _clock(sandbox: "Sandbox", asked: Asked) -> Body:
    """`{"advance": seconds}`, `{"freeze": true}` or false, or both; GET only tells the time."""
    unknown = asked.body.keys() - {"advance", "freeze"}
    seconds = asked.body.get("advance", 0)
    if unknown or not isinstance(seconds, int | float) or seconds < 0:
        raise Malformed("the clock takes advance (seconds, not negative) and freeze (a boolean)")
    if "freeze" in asked.body:
        (sandbox.clock.freeze if asked.body["freeze"] else sandbox.clock.unfreeze)()
    if seconds:
        sandbox.advance(seconds)
    return asdict(sandbox.clock.status())


def _ledger(sandbox: "Sandbox", _asked: Asked) -> Body:
    return sandbox.ledger()


def _requests(sandbox: "Sandbox", asked: Asked) -> Body:
    if asked.method == "DELETE":
        sandbox.requests.clear()
    return {"requests": [asdict(entry) for entry in sandbox.requests.newest_first()]}


def _faults(sandbox: "Sandbox", asked: Asked) -> Body:
    if asked.method == "DELETE":
        sandbox.faults.clear()
    sandbox.faults.add([_rule(rule) for rule in asked.body.get("rules", [])])
    return {"rules": [_shown(rule) for rule in sandbox.faults.rules()], "delayed": sandbox.faults.delayed}


def _chaos(sandbox: "Sandbox", asked: Asked) -> Body:
    if asked.method == "POST":
        try:
            sandbox.chaos.begin(weather.read(asked.body))
        except BadWeather as error:
            raise Malformed(str(error)) from error
    elif asked.method == "DELETE":
        sandbox.chaos.end()
    return sandbox.chaos.report()


def _webhooks(sandbox: "Sandbox", asked: Asked) -> Body:
    if asked.method == "POST":
        if not isinstance(asked.body.get("paused"), bool):
            raise Malformed("deliveries take paused (a boolean)")
        (sandbox.dispatcher.pause if asked.body["paused"] else sandbox.dispatcher.resume)()
    latest = [asdict(delivery) for delivery in sandbox.deliveries.latest(LATEST)]
    return {"paused": sandbox.dispatcher.is_paused, "deliveries": latest}


def _cards(sandbox: "Sandbox", asked: Asked) -> Body:
    """
    `{"payment_method": id, "behaviour": …}`: a decline code, `accept`, or `replace` with `last4`, `exp_month`
    and `exp_year`.
    """
    try:
        match asked.body:
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
    return {"payment_method": asked.body["payment_method"], "behaviour": asked.body["behaviour"]}


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


def _shown(rule: Rule) -> Body:
    return {
        "path": rule.path.pattern,
        "kind": rule.kind,
        "method": rule.method,
        "times": rule.times,
        "seconds": rule.seconds,
    }
