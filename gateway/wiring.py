"""Puts the rooms together: settings in, everything behind the API out."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.command_service import CommandService
from domain.customers import Customers
from domain.payment_service import PaymentService
from domain.ports import PaymentProcessor
from domain.rules import Rules
from domain.webhook_service import WebhookService
from gateway.settings import Settings
from gql.context import Services
from persistence.engine import create_engine
from persistence.unit_of_work import SqlDatabase
from processor.stripe_events import StripeNews
from processor.stripe_processor import StripeProcessor, stripe_client
from web.auth import Authentication, SharedSecretVerifier


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """The program's parts, made once per process."""

    settings: Settings
    engine: AsyncEngine
    services: Services
    webhooks: WebhookService
    authentication: Authentication


def now() -> datetime:
    return datetime.now(UTC)


def wire(settings: Settings, *, processor: PaymentProcessor | None = None) -> Gateway:
    """`processor` replaces Stripe's, for tests that watch it."""
    engine = create_engine(
        settings.database_url,
        pool_size=settings.database_pool_size,
        pool_timeout=settings.database_pool_timeout,
    )
    database = SqlDatabase(engine)
    processor = processor or stripe_processor(settings)
    customers = Customers(database=database, processor=processor, clock=now)
    rules = Rules(
        accepted_currencies=frozenset(settings.accepted_currencies),
        allows_client_amounts=settings.allow_client_amounts,
    )
    return Gateway(
        settings=settings,
        engine=engine,
        services=Services(
            database=database,
            processor=processor,
            commands=CommandService(
                database=database,
                processor=processor,
                customers=customers,
                clock=now,
                rules=rules,
                lease=timedelta(seconds=settings.operation_lease_seconds),
            ),
            customers=customers,
            payments=PaymentService(database=database, processor=processor),
            rules=rules,
            clock=now,
        ),
        webhooks=WebhookService(
            database=database,
            processor=processor,
            news=StripeNews(settings.webhook_secrets),
            clock=now,
        ),
        authentication=Authentication(
            SharedSecretVerifier(
                settings.jwt_secret.get_secret_value(),
                issuer=settings.jwt_issuer,
                audience=settings.jwt_audience,
            )
        ),
    )


def stripe_processor(settings: Settings) -> StripeProcessor:
    client = stripe_client(settings.stripe_secret_key.get_secret_value(), api_base=settings.stripe_api_base)
    return StripeProcessor(client, is_live=settings.is_live)
