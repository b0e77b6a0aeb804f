"""
What breaks the money invariants: one statement for each, over whole tables at once, and the record of their checks.

Each names a subject, an id and the facts for the invariant's sentence, of which the statement around it counts all
and takes the first few. None looks anything up row by row, so that a million payments take seconds.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import BindParameter, RowMapping, TextClause, bindparam, delete, select, text
from sqlalchemy.dialects.postgresql import insert

from domain.dispute import HOLDS_MONEY
from domain.events import InboxStatus
from domain.invariants import Breach, Breaches, InvariantCheck, InvariantName, Subject
from domain.payment_status import COLLECTED
from domain.statistics.blocks import GRAINS
from domain.subscription_status import ENDED
from persistence.repository import Repository
from persistence.tables import InvariantCheckRow, table_of

SETS: Final[Mapping[str, frozenset[StrEnum]]] = {
    "collected": COLLECTED,
    "withholding": HOLDS_MONEY,
    "ended": ENDED,
    "handled": frozenset({InboxStatus.HANDLED, InboxStatus.IGNORED}),
}
"""What the statements compare with by a name."""

PAYMENT_SUMS: Final = """
WITH refunds_of AS (
    SELECT payment_id,
        coalesce(sum(amount) FILTER (WHERE status = 'SUCCEEDED'), 0) AS succeeded,
        coalesce(sum(amount) FILTER (WHERE status = 'PENDING'), 0) AS pending
    FROM refunds GROUP BY payment_id
),
disputes_of AS (
    SELECT payment_id, sum(amount) AS withheld FROM disputes WHERE status IN :withholding GROUP BY payment_id
),
summed AS (
    SELECT p.id, p.currency, p.status, p.captured_amount AS captured, p.refunded_amount AS refunded,
        p.refund_pending_amount AS pending, p.disputed_amount AS disputed,
        least(coalesce(r.succeeded, 0), p.captured_amount) AS refunds,
        coalesce(r.pending, 0) AS reserved, coalesce(d.withheld, 0) AS disputes
    FROM payments p
    LEFT JOIN refunds_of r ON r.payment_id = p.id LEFT JOIN disputes_of d ON d.payment_id = p.id
)
SELECT 'PAYMENT' AS subject, id, currency, status, refunded, pending, disputed,
    refunds, least(reserved, captured - refunds) AS refunds_pending, disputes
FROM summed
WHERE refunded <> refunds OR pending <> least(reserved, captured - refunds) OR disputed <> disputes
    OR status IN :collected AND status <> CASE
        WHEN refunded = 0 THEN 'COMPLETED' WHEN refunded < captured THEN 'PARTIALLY_REFUNDED' ELSE 'REFUNDED' END
"""
MONEY_BACK: Final = """
SELECT 'PAYMENT' AS subject, p.id, p.currency, p.captured_amount AS captured,
    coalesce(r.refunded, 0) AS refunded, p.disputed_amount AS disputed
FROM payments p
LEFT JOIN (
    SELECT payment_id, sum(amount) AS refunded FROM refunds WHERE status = 'SUCCEEDED' GROUP BY payment_id
) r ON r.payment_id = p.id
WHERE p.updated_at < :left_behind AND coalesce(r.refunded, 0) + p.disputed_amount > p.captured_amount
"""
INVOICES_PAID: Final = """
SELECT 'INVOICE' AS subject, i.id, i.currency, i.status, i.amount_paid AS paid, coalesce(p.collected, 0) AS collected
FROM invoices i
LEFT JOIN (
    SELECT invoice_id, sum(captured_amount) AS collected, max(completed_at) AS completed_at
    FROM payments WHERE invoice_id IS NOT NULL AND status IN :collected GROUP BY invoice_id
) p ON p.invoice_id = i.id
WHERE greatest(i.updated_at, p.completed_at) < :left_behind
    AND (coalesce(p.collected, 0) <> i.amount_paid OR i.amount_paid > 0 AND i.status <> 'PAID')
"""
ONE_SUBSCRIPTION_PER_PLAN: Final = """
SELECT 'SUBSCRIPTION' AS subject, id, user_id, plan_id
FROM (
    SELECT id, user_id, plan_id,
        row_number() OVER (PARTITION BY user_id, plan_id ORDER BY is_surplus, created_at, id) AS place
    FROM subscriptions WHERE status NOT IN :ended
) live
WHERE place > 1
"""
# The refund that made the sum full decides whether access goes with the money (domain.entitlements).
ACCESS_BY_PURCHASE: Final = """
WITH last_refunds AS (
    SELECT DISTINCT ON (payment_id) payment_id, revokes_access
    FROM refunds WHERE status = 'SUCCEEDED'
    ORDER BY payment_id, coalesce(succeeded_at, updated_at) DESC, id DESC
),
compared AS (
    SELECT p.id, p.status,
        CASE WHEN e.id IS NULL THEN 'not given' ELSE coalesce(lower(e.revoked_reason), 'given') END AS access,
        CASE
            WHEN p.media_item_id IS NULL OR p.status NOT IN :collected THEN 'not given'
            WHEN p.disputed_amount > 0 THEN 'disputed'
            WHEN p.status = 'REFUNDED' AND coalesce(r.revokes_access, true) THEN 'refunded'
            ELSE 'given'
        END AS rightful,
        e.id IS NULL OR e.user_id = p.user_id AND e.media_item_id = p.media_item_id AND e.ends_at IS NULL AS is_its
    FROM payments p
    LEFT JOIN entitlements e ON e.payment_id = p.id LEFT JOIN last_refunds r ON r.payment_id = p.id
    WHERE p.media_item_id IS NOT NULL OR e.id IS NOT NULL
)
SELECT 'PAYMENT' AS subject, id, status, rightful,
    CASE WHEN is_its THEN access ELSE 'somebody or something else''s' END AS access
FROM compared WHERE access <> rightful OR NOT is_its
"""
OPERATIONS_END: Final = """
SELECT 'OPERATION' AS subject, id, mutation, state, started_at, attempts
FROM operations WHERE state IN ('RUNNING', 'OUTCOME_UNKNOWN') AND started_at < :left_behind
"""
EVENTS_HANDLED: Final = """
SELECT 'WEBHOOK_EVENT' AS subject, id, processor_event_id, type, status, received_at, attempts
FROM inbox_events WHERE status NOT IN :handled AND received_at < :left_behind
"""
# What is not folded yet belongs to the sums of every length.
STATISTICS_ADD_UP: Final = """
WITH counted AS (
    SELECT livemode, currency, count(*) AS made, sum(captured_amount) FILTER (WHERE status IN :collected) AS gross,
        0 AS refunded, 0 AS withheld
    FROM payments GROUP BY livemode, currency
    UNION ALL
    SELECT p.livemode, r.currency, 0, 0, sum(r.amount), 0
    FROM refunds r JOIN payments p ON p.id = r.payment_id WHERE r.status = 'SUCCEEDED' GROUP BY 1, 2
    UNION ALL
    SELECT p.livemode, d.currency, 0, 0, 0, sum(d.amount)
    FROM disputes d JOIN payments p ON p.id = d.payment_id WHERE d.status IN :withholding GROUP BY 1, 2
),
grains AS (SELECT unnest(CAST(:grains AS int[])) AS grain),
stored AS (
    SELECT CAST(:shortest AS int) AS grain, livemode, currency, made, gross, refunded, withheld
    FROM statistics_quarters
    UNION ALL
    SELECT grain, livemode, currency, made, gross, refunded, withheld FROM statistics_blocks WHERE dimension = ''
    UNION ALL
    SELECT grain, livemode, currency, made, gross, refunded, withheld FROM statistics_deltas CROSS JOIN grains
),
right_sums AS (
    SELECT grain, livemode, currency, concat_ws(', ', coalesce(sum(made), 0), coalesce(sum(gross), 0),
        coalesce(sum(refunded), 0), coalesce(sum(withheld), 0)) AS sums
    FROM counted CROSS JOIN grains GROUP BY grain, livemode, currency
),
stored_sums AS (
    SELECT grain, livemode, currency, concat_ws(', ', coalesce(sum(made), 0), coalesce(sum(gross), 0),
        coalesce(sum(refunded), 0), coalesce(sum(withheld), 0)) AS sums
    FROM stored GROUP BY grain, livemode, currency
)
SELECT CAST(NULL AS text) AS subject, CAST(NULL AS uuid) AS id, grain, livemode, currency,
    coalesce(s.sums, :nothing) AS stored, coalesce(r.sums, :nothing) AS counted
FROM right_sums r FULL JOIN stored_sums s USING (grain, livemode, currency)
WHERE coalesce(s.sums, :nothing) <> coalesce(r.sums, :nothing)
"""
AUDIT_TRAIL_AGREES: Final = """
WITH recorded AS (
    SELECT DISTINCT ON (object_kind, object_id) object_kind, object_id, changes->'status'->>1 AS status
    FROM audit_records
    WHERE object_kind IN ('PAYMENT', 'REFUND', 'DISPUTE', 'SUBSCRIPTION', 'INVOICE') AND changes ? 'status'
    ORDER BY object_kind, object_id, sequence DESC
),
kept AS (
    SELECT 'PAYMENT' AS object_kind, id AS object_id, status FROM payments
    UNION ALL SELECT 'REFUND', id, status FROM refunds
    UNION ALL SELECT 'DISPUTE', id, status FROM disputes
    UNION ALL SELECT 'SUBSCRIPTION', id, status FROM subscriptions
    UNION ALL SELECT 'INVOICE', id, status FROM invoices
)
SELECT object_kind AS subject, object_id AS id, k.status, r.status AS recorded
FROM kept k FULL JOIN recorded r USING (object_kind, object_id)
WHERE k.status IS DISTINCT FROM r.status
"""


def statement(broken: str) -> TextClause:
    """The first few of what the query finds, each with the number of all."""
    around = f"SELECT *, count(*) OVER () AS violations FROM ({broken}) AS broken ORDER BY subject, id LIMIT :limit"  # noqa: S608
    named: list[BindParameter[Any]] = [
        bindparam(name, sorted(each.value for each in members), expanding=True)
        for name, members in SETS.items()
        if f":{name}" in broken
    ]
    return text(around).bindparams(*named)


STATEMENTS: Final[Mapping[InvariantName, TextClause]] = {
    InvariantName.PAYMENT_SUMS: statement(PAYMENT_SUMS),
    InvariantName.MONEY_BACK: statement(MONEY_BACK),
    InvariantName.INVOICES_PAID: statement(INVOICES_PAID),
    InvariantName.ONE_SUBSCRIPTION_PER_PLAN: statement(ONE_SUBSCRIPTION_PER_PLAN),
    InvariantName.ACCESS_BY_PURCHASE: statement(ACCESS_BY_PURCHASE),
    InvariantName.OPERATIONS_END: statement(OPERATIONS_END),
    InvariantName.EVENTS_HANDLED: statement(EVENTS_HANDLED),
    InvariantName.STATISTICS_ADD_UP: statement(STATISTICS_ADD_UP).bindparams(
        grains=list(GRAINS), shortest=GRAINS[-1], nothing="0, 0, 0, 0"
    ),
    InvariantName.AUDIT_TRAIL_AGREES: statement(AUDIT_TRAIL_AGREES),
}
NO_FACTS: Final = frozenset({"subject", "id", "violations"})


class InvariantRepository(Repository[InvariantCheck]):
    table = table_of(InvariantCheckRow)
    entity = InvariantCheck
    identity = "invariant"

    async def breaches(self, name: InvariantName, *, left_behind: datetime, limit: int) -> Breaches:
        """What breaks it; raises KeyError for an invariant that has no statement."""
        values: dict[str, Any] = {"limit": limit}
        if ":left_behind" in STATEMENTS[name].text:
            values["left_behind"] = left_behind
        rows = (await self._connection.execute(STATEMENTS[name], values)).mappings().all()
        return Breaches(count=rows[0]["violations"] if rows else 0, first=[_breach(row) for row in rows])

    async def record(self, checks: Sequence[InvariantCheck]) -> None:
        """In the place of all earlier ones; whoever checks at the same time does not stand in the way."""
        known = self.table.c.invariant
        fresh = insert(self.table).values([self._row(check) for check in checks])
        told = {name: fresh.excluded[name] for name in ("violations", "checked_at")}
        await self._connection.execute(fresh.on_conflict_do_update(index_elements=[known], set_=told))
        names = [check.invariant for check in checks]
        await self._connection.execute(delete(self.table).where(known.not_in(names)))

    async def checks(self) -> Sequence[InvariantCheck]:
        return await self._all(select(self.table).order_by(self.table.c.invariant))


def _breach(row: RowMapping) -> Breach:
    return Breach(
        subject=None if row["subject"] is None else Subject(row["subject"]),
        object_id=row["id"],
        facts={name: value for name, value in row.items() if name not in NO_FACTS},
    )
