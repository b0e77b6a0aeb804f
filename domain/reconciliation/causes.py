"""Why ours and the processor's differ."""

from collections.abc import Collection
from dataclasses import dataclass

from domain.events import InboxEvent, InboxStatus
from domain.payment_status import SyncSource
from domain.ports import ProcessorNews
from domain.reconciliation.run import DriftCause

IN_VAIN = frozenset({InboxStatus.FAILED, InboxStatus.HELD})


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What we have of events about one object: how far they have come, and the last of them."""

    statuses: Collection[InboxStatus] = ()
    last: InboxEvent | None = None


def cause_of(
    processor_id: str,
    heard: Heard,
    *,
    is_known: bool,
    missed: Collection[str],
    news: ProcessorNews,
) -> DriftCause:
    """
    The first of these that is true, from what an operator has to mend first to what needs a developer:

    1. UNKNOWN_OBJECT: we have no such object, so nothing more can be said of it.
    2. FAILED_EVENT: an event about it was tried in vain. Mend what stands in its way, and the rest follows.
    3. MISSED_EVENT: this walk has found an event about it that we never heard of, or the last one that we have came
       in by a walk. Webhooks do not reach us.
    4. DASHBOARD_EDIT: the last event that we have tells of a change which somebody asked for past us.
    5. STALE_WRITE: we know all that was told, and still differ. Something here wrote the older word last.
    """
    if not is_known:
        return DriftCause.UNKNOWN_OBJECT
    if not IN_VAIN.isdisjoint(heard.statuses):
        return DriftCause.FAILED_EVENT
    if processor_id in missed or (heard.last is not None and heard.last.via is SyncSource.RECONCILIATION):
        return DriftCause.MISSED_EVENT
    if heard.last is not None and news.is_by_others(heard.last):
        return DriftCause.DASHBOARD_EDIT
    return DriftCause.STALE_WRITE
