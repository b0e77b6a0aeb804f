"""What a resolver may use: services and loaders, never a connection, since siblings resolve in parallel."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import strawberry

from domain.access_service import AccessService
from domain.actor import Actor
from domain.audit_service import AuditService
from domain.command_service import CommandService
from domain.customers import Customers
from domain.dispute_service import DisputeService
from domain.errors import InvalidInput
from domain.event_service import EventService
from domain.invariant_service import InvariantService
from domain.payment_service import PaymentService
from domain.plan_service import PlanService
from domain.portal_service import PortalService
from domain.ports import ALL, AccessStatements, Clock, Database, PaymentProcessor, Shown
from domain.preview_service import PreviewService
from domain.reconciliation.service import ReconciliationService
from domain.rules import Rules
from domain.statistics_service import StatisticsService
from domain.subscription_service import SubscriptionService
from gql.loaders import Loaders


@dataclass(frozen=True, kw_only=True)
class Services:
    """Everything behind the API; made once."""

    database: Database
    processor: PaymentProcessor
    commands: CommandService
    customers: Customers
    payments: PaymentService
    previews: PreviewService
    portal: PortalService
    plans: PlanService
    subscriptions: SubscriptionService
    access: AccessService
    statements: AccessStatements
    disputes: DisputeService
    audit: AuditService
    events: EventService
    statistics: StatisticsService
    invariants: InvariantService
    reconciliation: ReconciliationService
    rules: Rules
    clock: Clock


@dataclass(kw_only=True)
class Context:
    """One request."""

    actor: Actor
    services: Services
    user_errors: list[dict[str, Any]] = field(default_factory=list)
    """Business errors of this response's payloads, for clients that look in one place only."""
    card_number: InvalidInput | None = None
    """Why every mutation of the request is refused, where there is a card number among its variables."""

    is_planned: bool = False
    """Whether the answer was made by a plan."""

    shown: Shown = ALL
    """What will be looked at of the objects that the answer is made of."""

    asks_each_once: bool = False
    """Whether no field is asked of several objects, so that nothing is gained by waiting for what else is asked."""

    @cached_property
    def loaders(self) -> Loaders:
        services = self.services
        return Loaders(
            services.database, self.actor, services.access, self.shown, waits=not self.asks_each_once
        )

    def show(self, shown: Shown, *, each_once: bool = False) -> None:
        """Read from here on what is shown, and no more; one by one where there is nothing to be read together."""
        self.shown, self.asks_each_once = shown, each_once
        self.forget()

    def forget(self) -> None:
        """Read anew whatever is asked for from here on, since something was changed."""
        self.__dict__.pop("loaders", None)


Info: TypeAlias = strawberry.Info[Context, Any]
