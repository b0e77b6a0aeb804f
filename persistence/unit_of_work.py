"""The repositories on one connection: in a transaction, or statement by statement."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from typing import Final

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.ports import ALL, Shown
from persistence.accounts import AccountRepository
from persistence.audit import AuditRepository
from persistence.audit_seals import SealRepository
from persistence.borrowing import Borrowing
from persistence.engine import REPOSITORIES
from persistence.entitlements import EntitlementRepository
from persistence.invariants import InvariantRepository
from persistence.invoices import InvoiceRepository
from persistence.jobs import JobQueue
from persistence.joined import Repositories
from persistence.journal import InboxRepository
from persistence.operations import OperationRepository
from persistence.payment_methods import PaymentMethodRepository, SetupRepository
from persistence.payments import PaymentRepository, SubscriptionPaymentRepository
from persistence.people import PeopleRepository
from persistence.plans import PlanRepository
from persistence.read_connection import ReadConnection, taken
from persistence.reconciliation import DriftRepository, ReconciliationRunRepository
from persistence.refunds import DisputeRepository, RefundRepository
from persistence.statements import counting, is_watched
from persistence.statistics import ONE_FOLDER, StatisticsRepository
from persistence.subscriptions import ChargePreviewRepository, SubscriptionRepository, TrialRepository
from persistence.work_connection import work_connection

PATIENCE: Final = 30.0
"""Seconds for a transaction or a reader; PostgreSQL's own time-outs are shorter, but a silent server keeps none."""
ENDURANCE: Final = 900.0
"""The same for a snapshot or a recount, which take seconds for a million payments and have no other time-out."""

NAMED: Final[Repositories] = {
    each.entity: each
    for each in (
        AccountRepository,
        InvoiceRepository,
        PaymentMethodRepository,
        PaymentRepository,
        PlanRepository,
        SubscriptionRepository,
    )
}
"""Those of the entities that others name by an attribute."""


class SqlReads:
    """A repository holds nothing but the connection, so that making one costs less than keeping it."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    @property
    def accounts(self) -> AccountRepository:
        return AccountRepository(self._connection)

    @property
    def payments(self) -> PaymentRepository:
        return PaymentRepository(self._connection)

    @property
    def subscription_payments(self) -> SubscriptionPaymentRepository:
        return SubscriptionPaymentRepository(self._connection)

    @property
    def payment_methods(self) -> PaymentMethodRepository:
        return PaymentMethodRepository(self._connection)

    @property
    def setups(self) -> SetupRepository:
        return SetupRepository(self._connection)

    @property
    def refunds(self) -> RefundRepository:
        return RefundRepository(self._connection)

    @property
    def disputes(self) -> DisputeRepository:
        return DisputeRepository(self._connection)

    @property
    def plans(self) -> PlanRepository:
        return PlanRepository(self._connection)

    @property
    def subscriptions(self) -> SubscriptionRepository:
        return SubscriptionRepository(self._connection)

    @property
    def invoices(self) -> InvoiceRepository:
        return InvoiceRepository(self._connection)

    @property
    def previews(self) -> ChargePreviewRepository:
        return ChargePreviewRepository(self._connection)

    @property
    def trials(self) -> TrialRepository:
        return TrialRepository(self._connection)

    @property
    def entitlements(self) -> EntitlementRepository:
        return EntitlementRepository(self._connection)

    @property
    def operations(self) -> OperationRepository:
        return OperationRepository(self._connection)

    @property
    def audit(self) -> AuditRepository:
        return AuditRepository(self._connection)

    @property
    def audit_seals(self) -> SealRepository:
        return SealRepository(self._connection)

    @property
    def inbox(self) -> InboxRepository:
        return InboxRepository(self._connection)

    @property
    def reconciliation_runs(self) -> ReconciliationRunRepository:
        return ReconciliationRunRepository(self._connection)

    @property
    def drifts(self) -> DriftRepository:
        return DriftRepository(self._connection)

    @property
    def statistics(self) -> StatisticsRepository:
        return StatisticsRepository(self._connection)

    @property
    def invariants(self) -> InvariantRepository:
        return InvariantRepository(self._connection)

    @property
    def people(self) -> PeopleRepository:
        return PeopleRepository(self._connection)


class SqlWork(SqlReads):
    @property
    def jobs(self) -> JobQueue:
        return JobQueue(self._connection)


class SqlDatabase:
    """
    Reads run in autocommit: no BEGIN and no ROLLBACK around a single statement.

    All four raise DatabaseUnavailable where the database is away, busy or out of connections. Where that happened
    during COMMIT, nobody knows whether the transaction is there.
    """

    def __init__(
        self, engine: AsyncEngine, *, patience: float = PATIENCE, endurance: float | None = ENDURANCE
    ) -> None:
        self._engine = engine
        self._patience = patience
        self._endurance = endurance
        self._autocommit = engine.execution_options(isolation_level="AUTOCOMMIT", **{REPOSITORIES: NAMED})
        self._snapshots = engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self._repeatable = engine.execution_options(isolation_level="REPEATABLE READ")

    @asynccontextmanager
    async def work(self) -> AsyncIterator[SqlWork]:
        async with Borrowing(self._patience), self._transaction() as connection:
            yield SqlWork(connection)

    @asynccontextmanager
    async def reads(self, shown: Shown = ALL) -> AsyncIterator[SqlReads]:
        async with (
            Borrowing(self._patience),
            await taken(self._autocommit, shown, ReadConnection) as connection,
        ):
            yield SqlReads(connection)

    @asynccontextmanager
    async def recount(self) -> AsyncIterator[SqlWork]:
        """
        A transaction that sees one moment throughout, may take long, and during which nobody folds statistics.

        A second connection keeps folders out, since the moment must not be chosen before the last one has ended.
        """
        async with Borrowing(self._endurance), self._engine.begin() as guard:
            await _without_time_outs(guard)
            await guard.execute(select(func.pg_advisory_xact_lock(ONE_FOLDER)))
            async with self._repeatable.begin() as connection:
                await _without_time_outs(connection)
                yield SqlWork(connection)

    def counted(self) -> AbstractContextManager[Mapping[str, int]]:
        return counting(self._engine)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[SqlReads]:
        """Everything as it was at one moment, for statements and readers that may take long."""
        async with Borrowing(self._endurance), self._snapshots.begin() as connection:
            await _without_time_outs(connection)
            yield SqlReads(connection)

    async def close(self) -> None:
        await self._engine.dispose()

    def _transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Where somebody watches the statements, SQLAlchemy sends all of them, and tells."""
        return self._engine.begin() if is_watched(self._engine) else work_connection(self._autocommit)


async def _without_time_outs(connection: AsyncConnection) -> None:
    """Until the transaction ends."""
    for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        await connection.execute(text(f"SET LOCAL {name} = 0"))
