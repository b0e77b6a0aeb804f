"""The gateway as it answers in production, but for its database and its Stripe."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx2

from gateway.app import application
from gateway.settings import Environment
from gateway.wiring import Gateway

PRODUCTION: Final = {"environment": Environment.PRODUCTION, "debug_extension": False}


@asynccontextmanager
async def in_production(gateway: Gateway, **settings: Any) -> AsyncIterator[httpx2.AsyncClient]:
    settled = gateway.settings.model_copy(update={**PRODUCTION, **settings})
    app = application(Gateway(**{**vars(gateway), "settings": settled}))
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client
