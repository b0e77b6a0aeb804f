"""The reconciliation, put together; and its runs in the log."""

from datetime import timedelta
from typing import Final

import structlog

from domain.dispute_news import DisputeNews
from domain.errors import DomainError
from domain.invoice_rereading import InvoiceRereader
from domain.plan_service import PlanService
from domain.ports import Clock, Database, ProcessorNews
from domain.reconciliation.comparison import Comparison
from domain.reconciliation.events import EventWalk
from domain.reconciliation.payments import ComparedPayments
from domain.reconciliation.plans import ComparedMethods, ComparedPlans
from domain.reconciliation.progress import Obstacle
from domain.reconciliation.reconciler import Reconciler
from domain.reconciliation.refunds import ComparedDisputes, ComparedRefunds
from domain.reconciliation.run import Drift, ReconciliationRun
from domain.reconciliation.second_look import SecondLook
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

    def unreadable(self, processor_event_id: str) -> None:
        log.error("reconciliation.unreadable", stripe_id=processor_event_id)

    def not_healed(self, obstacle: Obstacle) -> None:
        log.warning("reconciliation.not_healed", **_in_the_way(obstacle))

    def not_compared(self, obstacle: Obstacle) -> None:
        """What nobody has foreseen is a defect of ours, for whose author the log has the way to it."""
        is_foreseen = isinstance(obstacle.why, DomainError)
        log.error(
            "reconciliation.not_compared",
            exc_info=None if is_foreseen else obstacle.why,
            **_in_the_way(obstacle),
        )

    def finished(self, run: ReconciliationRun) -> None:
        log.info("reconciliation.finished", **_told(run))

    def failed(self, run: ReconciliationRun) -> None:
        log.error("reconciliation.failed", error=run.error, **_told(run))

    def put_back(self, run: ReconciliationRun) -> None:
        log.warning("reconciliation.put_back", **_told(run))


def _in_the_way(obstacle: Obstacle) -> dict[str, object]:
    return {
        "object_kind": obstacle.object_kind,
        "stripe_id": obstacle.processor_object_id,
        "error": type(obstacle.why).__name__,
    }


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
    is_live = processor.is_live
    events = EventWalk(
        database=database,
        lists=processor,
        news=news,
        is_live=is_live,
        clock=clock,
        wall_clock=wall_clock,
    )
    nouns = (
        ComparedPlans(lists=processor, reader=processor, plans=plans),
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
        second_look=SecondLook(database=database, news=news, clock=clock, wall_clock=wall_clock),
    )
    return Reconciler(
        database=database,
        events=events,
        comparison=comparison,
        journal=LoggedRuns(),
        clock=clock,
        is_live=is_live,
        heals=settings.reconcile_heals,
        window=timedelta(hours=settings.reconcile_window_hours),
    )
