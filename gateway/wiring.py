"""Puts the rooms together: settings in, everything behind the API out."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from socket import socket
from typing import TYPE_CHECKING, Protocol

from sqlalchemy.ext.asyncio import AsyncEngine
from stripe import HTTPClient

from domain.access_service import AccessService
from domain.audit_service import AuditService
from domain.command_service import CommandService
from domain.customers import Customers
from domain.default_methods import DefaultMethods
from domain.dispute_news import DisputeNews
from domain.dispute_service import DisputeService
from domain.event_service import EventService
from domain.events import (
    DisputeChanged,
    InvoiceChanged,
    PaymentReported,
    PlanChanged,
    RefundsChanged,
    SubscriptionChanged,
)
from domain.forgetting import Forgetting
from domain.intake import Intake
from domain.invariant_service import InvariantService
from domain.invoice_rereading import InvoiceRereader
from domain.payment_news import PaymentNews
from domain.payment_service import PaymentService
from domain.plan_followers import PlanFollowers
from domain.plan_service import PlanService
from domain.portal_service import PortalService
from domain.ports import Clock, Database, PaymentProcessor
from domain.preview_service import PreviewService
from domain.reconciliation.reconciler import Reconciler
from domain.reconciliation.service import ReconciliationService
from domain.refund_news import RefundNews
from domain.rehearsal import Rehearsal
from domain.rules import Rules
from domain.same_cards import SameCards
from domain.statistics_service import StatisticsService
from domain.stray_events import StrayEvents
from domain.subscription_rereading import SubscriptionRereader
from domain.subscription_service import SubscriptionService
from domain.webhook_service import WebhookService
from gateway.authentication import authentication, published_keys
from gateway.metrics import OwnSigns, measured
from gateway.rates import rate_limits
from gateway.reconciliation import reconciler
from gateway.settings import Settings
from gql.context import Services
from persistence.engine import create_engine
from persistence.pool import pool_use
from persistence.rehearsal import SqlStages
from persistence.unit_of_work import SqlDatabase
from processor.circuit import Circuit
from processor.stripe_client import same
from processor.stripe_events import StripeNews
from processor.stripe_processor import StripeProcessor
from web.access_statements import SignedStatements, statement_keys
from web.auth import Authentication
from web.published_keys import PublishedKeys
from web.rates.limits import RateLimits

if TYPE_CHECKING:
    from gateway.traces import Traces


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """The program's parts, made once per process."""

    settings: Settings
    engine: AsyncEngine
    processor: StripeProcessor
    services: Services
    webhooks: WebhookService
    stray_events: StrayEvents
    subscriptions: SubscriptionRereader
    plan_followers: PlanFollowers
    statements: SignedStatements
    default_methods: DefaultMethods
    same_cards: SameCards
    reconciler: Reconciler
    published_keys: PublishedKeys | None
    forgetting: Forgetting
    authentication: Authentication
    rate_limits: RateLimits
    traces: "Traces | None" = None
    """None where they are not exported."""

    def measured(self, listener: socket | None) -> AbstractAsyncContextManager[None]:
        """Serve the metrics meanwhile, if there is a listener for them."""
        return measured(self.settings.database_url, listener, own=self._own_signs)

    def _own_signs(self) -> OwnSigns:
        return OwnSigns(is_spared=self.processor.spares_stripe, pool=pool_use(self.engine))

    def following_keys(self) -> AbstractAsyncContextManager[None]:
        """Read the User Service's keys meanwhile, if it publishes any."""
        return nullcontext() if self.published_keys is None else self.published_keys.followed()

    async def close(self) -> None:
        if self.published_keys is not None:
            await self.published_keys.close()
        await self.processor.close()
        await self.rate_limits.close()
        await self.engine.dispose()
        if self.traces:
            await self.traces.close()


class Connect(Protocol):
    def __call__(
        self,
        secret_key: str,
        *,
        api_base: str,
        circuit: Circuit,
        most_at_once: int,
        wrap: Callable[[HTTPClient], HTTPClient],
    ) -> StripeProcessor: ...


@dataclass(frozen=True, kw_only=True)
class News:
    """The parts that follow what happens at the processor."""

    plans: PlanService
    subscriptions: SubscriptionRereader
    invoices: InvoiceRereader
    refunds: RefundNews
    disputes: DisputeNews
    webhooks: WebhookService


def now() -> datetime:
    return datetime.now(UTC)


def wire_news(database: Database, processor: PaymentProcessor, *, settings: Settings, clock: Clock) -> News:
    """Over any database and processor, so that what they do can be rehearsed."""
    plans = PlanService(database=database, processor=processor, clock=clock, is_live=processor.is_live)
    subscriptions = SubscriptionRereader(database=database, processor=processor, plans=plans, clock=clock)
    invoices = InvoiceRereader(
        database=database, processor=processor, subscriptions=subscriptions, clock=clock
    )
    refunds = RefundNews(database=database, processor=processor, clock=clock, invoices=invoices)
    disputes = DisputeNews(database=database, processor=processor, clock=clock, invoices=invoices)
    payments = PaymentNews(database=database, processor=processor, clock=clock, invoices=invoices)
    webhooks = WebhookService(
        database=database,
        intake=Intake(database),
        processor=processor,
        news=StripeNews(settings.webhook_secrets),
        clock=clock,
        wall_clock=now,
        rereaders={
            PaymentReported: payments,
            RefundsChanged: refunds,
            DisputeChanged: disputes,
            SubscriptionChanged: subscriptions,
            InvoiceChanged: invoices,
            PlanChanged: plans,
        },
    )
    return News(
        plans=plans,
        subscriptions=subscriptions,
        invoices=invoices,
        refunds=refunds,
        disputes=disputes,
        webhooks=webhooks,
    )


def exported_traces(settings: Settings, engine: AsyncEngine) -> "Traces | None":
    """Of a process that exports none, not even the libraries are loaded."""
    if not settings.otel_exporter_otlp_endpoint:
        return None
    from gateway.traces import Traces

    traces = Traces.exported(settings.otel_exporter_otlp_endpoint)
    traces.statements(engine)
    return traces


def wire(settings: Settings, *, connect: Connect = StripeProcessor.connected, clock: Clock = now) -> Gateway:
    """`connect` makes the processor, which tests put under watch; `clock` may be a sandbox's, which can be moved."""
    engine = create_engine(
        settings.database_url,
        pool_size=settings.database_pool_size,
        pool_timeout=settings.database_pool_timeout,
        keyring=settings.keyring,
    )
    traces = exported_traces(settings, engine)
    database = SqlDatabase(engine)
    processor = connect(
        settings.stripe_secret_key.get_secret_value(),
        api_base=settings.stripe_api_base,
        circuit=Circuit(threshold=settings.circuit_threshold, pause=settings.circuit_pause_seconds),
        most_at_once=settings.stripe_requests_at_once,
        wrap=traces.stripe if traces else same,
    )
    customers = Customers(database=database, processor=processor, clock=clock)
    rules = Rules(
        accepted_currencies=frozenset(settings.accepted_currencies),
        allows_client_amounts=settings.allow_client_amounts,
        grace=timedelta(days=settings.grace_days),
        renewal_leeway=timedelta(hours=settings.renewal_leeway_hours),
        dunning_attempts=settings.dunning_attempts,
        duplicate_window=timedelta(seconds=settings.duplicate_window_seconds),
    )
    news = partial(wire_news, settings=settings, clock=clock)
    parts = news(database, processor)
    commands = CommandService(
        database=database,
        processor=processor,
        customers=customers,
        clock=clock,
        rules=rules,
        lease=timedelta(seconds=settings.operation_lease_seconds),
    )
    statements = SignedStatements(
        keys=statement_keys(settings.access_statement_keys.get_secret_value()),
        issuer=settings.access_statement_issuer,
        audience=settings.access_statement_audience,
        lifetime=timedelta(minutes=settings.access_statement_minutes),
    )
    reconciling = reconciler(
        settings,
        database=database,
        processor=processor,
        news=parts.webhooks.news,
        refunds=parts.refunds,
        disputes=parts.disputes,
        invoices=parts.invoices,
        plans=parts.plans,
        clock=clock,
        wall_clock=now,
    )
    published = published_keys(settings)
    return Gateway(
        settings=settings,
        traces=traces,
        engine=engine,
        processor=processor,
        services=Services(
            database=database,
            processor=processor,
            commands=commands,
            customers=customers,
            payments=PaymentService(database=database, processor=processor),
            previews=PreviewService(database=database, processor=processor, customers=customers, clock=clock),
            portal=PortalService(processor=processor, customers=customers),
            plans=parts.plans,
            subscriptions=SubscriptionService(database=database),
            access=AccessService(database=database, clock=clock, rules=rules),
            statements=statements,
            disputes=DisputeService(database=database),
            audit=AuditService(database=database, clock=now),
            events=EventService(
                database=database,
                processor=processor,
                commands=commands,
                webhooks=parts.webhooks,
                webhooks_over=lambda database, processor: news(database, processor).webhooks,
                rehearsal=Rehearsal(stages=SqlStages(engine), processor=processor),
                clock=clock,
            ),
            statistics=StatisticsService(database=database, clock=clock, is_live=processor.is_live),
            invariants=InvariantService(database=database, clock=clock),
            reconciliation=ReconciliationService(database=database, reconciler=reconciling),
            rules=rules,
            clock=clock,
        ),
        statements=statements,
        webhooks=parts.webhooks,
        stray_events=StrayEvents(database=database, clock=now),
        subscriptions=parts.subscriptions,
        plan_followers=PlanFollowers(database=database, clock=clock),
        default_methods=DefaultMethods(database=database, processor=processor),
        same_cards=SameCards(database=database, commands=commands),
        reconciler=reconciling,
        forgetting=Forgetting(
            database=database,
            processor=processor,
            commands=commands,
            news=parts.webhooks.news,
            clock=clock,
        ),
        published_keys=published,
        authentication=authentication(settings, published),
        rate_limits=rate_limits(settings),
    )
