"""POST /api/v1/payments/webhooks/stripe: verify, store, answer. The worker does the rest."""

from collections.abc import Awaitable, Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from domain.errors import InvalidInput
from domain.webhook_service import WebhookService

SIGNATURE = "stripe-signature"

Handler = Callable[[Request], Awaitable[Response]]


def stripe_webhook(service: WebhookService) -> Handler:
    """200 once the event is stored, also for a duplicate and an unknown type; 400 for a bad signature."""

    async def receive(request: Request) -> Response:
        try:
            event = await service.receive(await request.body(), request.headers.get(SIGNATURE, ""))
        except InvalidInput as refused:
            raise HTTPException(400, refused.message) from refused
        return JSONResponse({"received": event.processor_event_id})

    return receive
