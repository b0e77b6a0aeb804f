"""POST /api/v1/payments/webhooks/stripe: verify, store, answer. The worker does the rest."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final

from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from domain.errors import InvalidInput
from domain.webhook_service import WebhookService
from web.content_type import JSON

SIGNATURE: Final = "stripe-signature"

Handler = Callable[[Request], Awaitable[Response]]


class Received(BaseModel):
    """An event that is stored."""

    received: Annotated[str, Field(description="Stripe's id of the event.")]


def stripe_webhook(service: WebhookService) -> Handler:
    """200 once the event is stored, also for a duplicate and an unknown type; 400 for a bad signature."""

    async def receive(request: Request) -> Response:
        try:
            event = await service.receive(await request.body(), request.headers.get(SIGNATURE, ""))
        except InvalidInput as refused:
            raise HTTPException(400, refused.message) from refused
        return Response(Received(received=event.processor_event_id).model_dump_json(), media_type=JSON)

    return receive
