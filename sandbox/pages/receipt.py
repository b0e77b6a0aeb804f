"""The page behind a charge's `receipt_url`, whose last part is what makes it unguessable."""

import hmac
from html import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.currencies import spoken
from sandbox.pages.html import document
from sandbox.state.objects import Objects, StripeObject


def route(objects: Objects) -> Route:
    async def show(request: Request) -> Response:
        charge = objects.find("charge", request.path_params["charge"])
        if charge is None or not _is_its_address(charge, request.path_params["token"]):
            return document("Not found", "<p>There is no such receipt.</p>", status=404)
        return document("Receipt", _lines(charge))

    return Route("/receipts/{charge}/{token}", show)


def _is_its_address(charge: StripeObject, token: str) -> bool:
    expected = (charge["receipt_url"] or "").rpartition("/")[2]
    return bool(expected) and hmac.compare_digest(expected.encode(), token.encode())


def _lines(charge: StripeObject) -> str:
    card = charge["payment_method_details"]["card"]
    return (
        f"<p>Paid: <strong>{spoken(charge['amount_captured'], charge['currency'])}</strong></p>"
        f"<p>Card: {escape(card['brand'])} ending in {escape(card['last4'])}</p>"
        f"<p>{escape(charge['description'] or '')}</p>"
    )
