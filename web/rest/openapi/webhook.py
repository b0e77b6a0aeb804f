"""Stripe's own endpoint, which is in no table: its callers never see GraphQL."""

from collections.abc import Mapping
from typing import Any, Final

from web.content_type import JSON
from web.rest.openapi.headers import headers
from web.rest.openapi.names import WEBHOOKS
from web.rest.openapi.replies import problem, shared
from web.rest.openapi.schemas import Schemas
from web.rest.route import BASE
from web.webhooks import Received

PATH: Final = f"{BASE}/webhooks/stripe"


def webhook(schemas: Schemas) -> Mapping[str, Any]:
    received = Received(received="evt_1QhR2eB9xkPzW4dM7uTnVbYc").model_dump()
    return {
        "operationId": "receiveStripeEvent",
        "tags": [WEBHOOKS.name],
        "summary": "An event of Stripe's",
        "description": (
            "Stored, and applied later. A duplicate and an event of an unknown type are received as well. There is "
            "no such address where no signing secret is set."
        ),
        "security": [],
        "parameters": [
            {
                "name": "Stripe-Signature",
                "in": "header",
                "required": True,
                "description": "https://docs.stripe.com/webhooks/signature",
                "schema": {"type": "string", "examples": ["t=1796117400,v1=0f3a9c5be1d27486"]},
            }
        ],
        "requestBody": {
            "required": True,
            "description": "The event, byte by byte as Stripe has signed it.",
            "content": {JSON: {"schema": {"type": "object"}, "example": {"id": received["received"]}}},
        },
        "responses": {
            "200": {
                "description": "It is stored.",
                "headers": headers(()),
                "content": {JSON: {"schema": schemas.reference(Received), "example": received}},
            },
            **{str(status): shared(status) for status in (400, 408, 413, 414, 415, 429, 431, 500)},
            "503": problem(503, ["UNAVAILABLE"], schemas),
        },
    }
