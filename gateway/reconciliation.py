"""The reconciliation, put together; and its runs in the log."""

from datetime import timedelta
from typing import Final

import structlog

from domain.dispute_news import DisputeNews
from domain.invoice_rereading import InvoiceRereader
from domain.operation import ObjectKind
from domain.plan_service import PlanService
from domain.ports import Clock, Database, ProcessorNews
from domain.reconciliation.comparison import Comparison
from domain.reconciliation.events import EventWalk
from domain.reconciliation.payments import ComparedPayments
from domain.reconciliation.plans import ComparedMethods, ComparedPlans
from domain.reconciliation.reconciler import Reconciler
from domain.reconciliation.refunds import ComparedDisputes, ComparedRefunds
from domain.reconciliation.run import Drift, ReconciliationRun
from domain.reconciliation.subscriptions import ComparedInvoices, ComparedSubscriptions
from domain.refund_news import RefundNews
from gateway.settings import Settings
from processor.stripe_processor import StripeProcessor

log: Final = structlog.get_logger()


class LoggedRuns:
    """Ids only: what differs may be personal, and stands in the table."""

    def advanced(self, run: ReconciliationRun) -> None:
        """Runs come by every few minutes, and steps many times a run."""

    def drifted(self, drift: Drift) -> None:
        log.warning(
            "reconciliation.drift",
            run=str(drift.run_id),
            object_kind=drift.object_kind,
            object=None if drift.object_id is None else str(drift.object_id),
            stripe_id=drift.processor_object_id,
            field=drift.field,
            cause=drift.cause,
            healed=drift.is_healed,
        )

    def not_healed(self, kind: ObjectKind, processor_object_id: str, why: Exception) -> None:
        log.warning(
            "reconciliation.not_healed",
            object_kind=kind,
            stripe_id=processor_object_id,
            error=type(why).__name__,
        )

    def finished(self, run: ReconciliationRun) -> None:
        log.info("reconciliation.finished", **_told(run))

    def failed(self, run: ReconciliationRun) -> None:
        log.error("reconciliation.failed", error=run.error, **_told(run))


def _told(run: ReconciliationRun) -> dict[str, object]:
    return {
        "run": str(run.id),
        "kind": run.kind,
        "dry_run": run.is_dry_run,
        "since": run.since.isoformat(),
        "scanned": run.scanned,
        "events_recovered": run.events_recovered,
        "drifts_found": run.drifts_found,
        "healed": run.healed,
    }


def reconciler(
    settings: Settings,
    *,
    database: Database,
    processor: StripeProcessor,
    news: ProcessorNews,
    refunds: RefundNews,
    disputes: DisputeNews,
    invoices: InvoiceRereader,
    plans: PlanService,
    clock: Clock,
    wall_clock: Clock,
) -> Reconciler:
    """What money there is first, then what it was for: whatever hangs on an object is healed with it."""
    is_live, journal = processor.is_live, LoggedRuns()
    events = EventWalk(
        database=database,
        lists=processor,
        news=news,
        is_live=is_live,
        clock=clock,
        wall_clock=wall_clock,
    )
    nouns = (
        ComparedPlans(reader=processor, plans=plans),
        ComparedMethods(database=database, lists=processor, clock=clock, is_live=is_live),
        ComparedSubscriptions(lists=processor, rereader=invoices.subscriptions, is_live=is_live),
        ComparedInvoices(lists=processor, rereader=invoices, is_live=is_live),
        ComparedPayments(database=database, lists=processor, invoices=invoices, clock=clock, is_live=is_live),
        ComparedRefunds(lists=processor, news=refunds, is_live=is_live),
        ComparedDisputes(lists=processor, news=disputes, is_live=is_live),
    )
    comparison = Comparison(
        database=database,
        nouns={noun.kind: noun for noun in nouns},
        events=events,
        news=news,
        journal=journal,
        clock=clock,
        wall_clock=wall_clock,
    )
    return Reconciler(
        database=database,
        events=events,
        comparison=comparison,
        journal=journal,
        clock=clock,
        is_live=is_live,
        heals=settings.reconcile_heals,
        window=timedelta(hours=settings.reconcile_window_hours),
    )
