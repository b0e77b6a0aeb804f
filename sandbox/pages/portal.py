"""The customer portal: a customer's cards and subscriptions, and the way back to the shop."""

import hmac
from html import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.currencies import spoken
from sandbox.pages.html import document
from sandbox.state.objects import Objects, Query, StripeObject

MOST = 100


def route(objects: Objects) -> Route:
    async def show(request: Request) -> Response:
        session = objects.find("billing_portal.session", request.path_params["session"])
        token = request.path_params["token"].encode()
        if session is None or not hmac.compare_digest(session["_token"].encode(), token):
            return document("Not found", "<p>There is no such portal session.</p>", status=404)
        cards = _rows("Cards", [_card(method) for method in _of(objects, "payment_method", session)])
        sold = _rows("Subscriptions", [_terms(one) for one in _of(objects, "subscription", session)])
        return document("Your account", f"{cards}{sold}{_way_back(session)}")

    return Route("/portal/{session}/{token}", show)


def _of(objects: Objects, kind: str, session: StripeObject) -> list[StripeObject]:
    return objects.newest(
        Query(kind=kind, where={"customer": session["customer"]}), older_than=None, limit=MOST
    )


def _card(method: StripeObject) -> str:
    card = method["card"]
    return f"{card['brand']} ending in {card['last4']}, {card['exp_month']:02}/{card['exp_year']}"


def _terms(subscription: StripeObject) -> str:
    price = subscription["items"]["data"][0]["price"]
    every = price["recurring"]["interval"]
    return f"{spoken(price['unit_amount'], price['currency'])} per {every}: {subscription['status']}"


def _rows(title: str, rows: list[str]) -> str:
    shown = "".join(f"<li>{escape(row)}</li>" for row in rows) or "<li>none</li>"
    return f"<h2>{title}</h2><ul>{shown}</ul>"


def _way_back(session: StripeObject) -> str:
    url = session["return_url"]
    return "" if url is None else f'<p><a href="{escape(url)}">Back</a></p>'
