"""
The statistics once more, slowly: plain SQL over the objects' own tables, and PostgreSQL's idea of time zones.

It shares nothing with what it checks: no facts, no deltas, no stored sums, no calendar of ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Final, TypeAlias

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.domain.histories import CATEGORIES

Key: TypeAlias = tuple[datetime | None, str, str]
"""Where a bucket begins (None is the whole span), the group's member, and the currency; empty where not told by it."""
Values: TypeAlias = Mapping[Key, int | float]

CASES: Final = " ".join(f"WHEN '{code}' THEN '{category}'" for code, category in CATEGORIES.items())

HAPPENED: Final = """
WITH steps AS (
    SELECT
        s.id, (step->>'at')::timestamptz AS at, step->>'status' AS status, (step->>'plan_id')::uuid AS plan_id,
        row_number() OVER life AS number, lag(step->>'status') OVER life AS before
    FROM subscriptions s CROSS JOIN LATERAL jsonb_array_elements(
        CASE s.history WHEN '[]' THEN jsonb_build_array(
            jsonb_build_object('at', s.created_at, 'status', s.status, 'plan_id', s.plan_id)
        ) ELSE s.history END
    ) WITH ORDINALITY AS told (step, place)
    WINDOW life AS (PARTITION BY s.id ORDER BY place)
),
happened AS (
    SELECT 'made' AS what, created_at AS at, 1 AS amount, currency, plan_id, method_brand AS brand,
        method_country AS country, NULL AS decline_category, trigger FROM payments
    UNION ALL
    SELECT 'completed', completed_at, 1, currency, plan_id, method_brand, method_country, NULL, trigger
    FROM payments WHERE completed_at IS NOT NULL
    UNION ALL
    SELECT 'gross', completed_at, captured_amount, currency, plan_id, method_brand, method_country, NULL, trigger
    FROM payments WHERE completed_at IS NOT NULL
    UNION ALL
    SELECT 'failed', (failures->-1->>'at')::timestamptz, 1, currency, plan_id, method_brand, method_country, NULL,
        trigger FROM payments WHERE status = 'FAILED'
    UNION ALL
    SELECT 'declined', (failure->>'at')::timestamptz, 1, currency, plan_id, failure->>'brand', failure->>'country',
        CASE failure->>'code' /* categories */ END, failure->>'trigger'
    FROM payments CROSS JOIN LATERAL jsonb_array_elements(failures) AS failure
    UNION ALL
    SELECT 'refunded', r.succeeded_at, r.amount, r.currency, plan_id, method_brand, method_country, NULL, trigger
    FROM refunds r JOIN payments p ON p.id = r.payment_id WHERE r.status = 'SUCCEEDED'
    UNION ALL
    SELECT 'disputed', d.created_at, 1, d.currency, plan_id, method_brand, method_country, NULL, trigger
    FROM disputes d JOIN payments p ON p.id = d.payment_id
    WHERE d.status NOT IN ('INQUIRY', 'PREVENTED', 'CLOSED')
    UNION ALL
    SELECT 'withheld', d.created_at, d.amount, d.currency, plan_id, method_brand, method_country, NULL, trigger
    FROM disputes d JOIN payments p ON p.id = d.payment_id
    WHERE d.status IN ('NEEDS_RESPONSE', 'UNDER_REVIEW', 'LOST')
    UNION ALL
    SELECT what, at, 1, p.currency, p.id, NULL, NULL, NULL, NULL
    FROM (
        (SELECT DISTINCT ON (id) 'started' AS what, at, plan_id FROM steps
         WHERE status NOT IN ('INCOMPLETE', 'CANCELLED', 'EXPIRED') ORDER BY id, number)
        UNION ALL
        SELECT 'ended', at, plan_id FROM steps
        WHERE status IN ('CANCELLED', 'EXPIRED') AND before NOT IN ('INCOMPLETE', 'CANCELLED', 'EXPIRED')
        UNION ALL
        SELECT 'dunned', at, plan_id FROM steps WHERE status = 'PAST_DUE'
        UNION ALL
        SELECT 'recovered', s.at, s.plan_id FROM steps s WHERE s.status = 'PAST_DUE' AND 'ACTIVE' = (
            SELECT l.status FROM steps l
            WHERE l.id = s.id AND l.number > s.number AND l.status <> 'UNPAID' ORDER BY l.number LIMIT 1
        )
    ) AS events JOIN plans p ON p.id = events.plan_id
)
""".replace("/* categories */", CASES)

WHOLE: Final = "NULL::timestamptz"
BUCKET: Final = (
    "greatest(date_trunc(CAST(:interval AS text), at, CAST(:zone AS text)), CAST(:since AS timestamptz))"
)
FLOW: Final = """
SELECT {bucket} AS bucket, {member} AS member, {currency} AS currency, {value} AS value
FROM happened WHERE at >= :since AND at < :until AND {having} GROUP BY 1, 2, 3
"""

LEVEL: Final = """
SELECT bucket, {member} AS member, {currency} AS currency, {value} AS value
FROM unnest(CAST(:buckets AS timestamptz[]), CAST(:moments AS timestamptz[])) AS asked (bucket, moment)
JOIN LATERAL (
    SELECT DISTINCT ON (id) * FROM steps WHERE at < moment ORDER BY id, number DESC
) AS s ON true
JOIN plans p ON p.id = s.plan_id
WHERE s.status NOT IN ('INCOMPLETE', 'CANCELLED', 'EXPIRED') GROUP BY 1, 2, 3
"""

RECURRING: Final = """
coalesce(sum(round(p.amount * CASE p.interval
    WHEN 'YEAR' THEN 1.0 WHEN 'MONTH' THEN 12 WHEN 'WEEK' THEN 52 WHEN 'DAY' THEN 365
END / 12 / p.interval_count)) FILTER (WHERE s.status IN ('ACTIVE', 'PAST_DUE')), 0)
"""


def total(what: str) -> str:
    return f"coalesce(sum(amount) FILTER (WHERE what = '{what}'), 0)"


def among(*whats: str) -> str:
    return "what IN (" + ", ".join(f"'{what}'" for what in whats) + ")"


def share(part: str, whole: str) -> str:
    return f"{part}::float / nullif({whole}, 0)"


FLOWS: Final[Mapping[str, tuple[str, str]]] = {
    "PAYMENTS_COUNT": (total("made"), among("made")),
    "GROSS_VOLUME": (total("gross"), among("gross")),
    "NET_VOLUME": (
        f"{total('gross')} - {total('refunded')} - {total('withheld')}",
        among("gross", "refunded", "withheld"),
    ),
    "REFUNDED_VOLUME": (total("refunded"), among("refunded")),
    "REFUND_RATE": (share(total("refunded"), total("gross")), among("refunded", "gross")),
    "SUCCESS_RATE": (
        share(total("completed"), f"({total('completed')} + {total('failed')})"),
        among("completed", "failed"),
    ),
    "DECLINES": (total("declined"), among("declined")),
    "DISPUTE_RATE": (share(total("disputed"), total("completed")), among("disputed", "completed")),
    "NEW_SUBSCRIPTIONS": (total("started"), among("started")),
    "ENDED": (total("ended"), among("ended")),
    "DUNNING_RECOVERY_RATE": (share(total("recovered"), total("dunned")), among("recovered", "dunned")),
}
LEVELS: Final[Mapping[str, str]] = {
    "ACTIVE_SUBSCRIPTIONS": "count(*)",
    "MRR": RECURRING,
    "ARPU": f"round({RECURRING} / count(*))",
}
PER_CURRENCY: Final = frozenset(
    {"GROSS_VOLUME", "NET_VOLUME", "REFUNDED_VOLUME", "REFUND_RATE", "MRR", "ARPU"}
)
MEMBERS: Final = {
    "PLAN": "plan_id::text",
    "BRAND": "brand",
    "COUNTRY": "country",
    "DECLINE_CATEGORY": "decline_category",
    "TRIGGER": "trigger",
}


async def recounted(
    connection: AsyncConnection,
    metric: str,
    *,
    bounds: Sequence[datetime],
    interval: str | None,
    zone: str,
    group_by: Sequence[str],
) -> Values:
    """What is neither zero nor null, per bucket and for the whole span."""
    asked = Asked(connection=connection, bounds=bounds, interval=interval, zone=zone, group_by=group_by)
    is_per_currency = metric in PER_CURRENCY or "CURRENCY" in group_by
    currency = "currency" if is_per_currency else "''"
    if metric in LEVELS:
        return await asked.levels(LEVELS[metric], asked.ends, currency=currency)
    if metric != "CHURN_RATE":
        return await asked.flows(*FLOWS[metric], currency=currency)
    ended = await asked.flows(*FLOWS["ENDED"], currency=currency)
    active = await asked.levels(LEVELS["ACTIVE_SUBSCRIPTIONS"], asked.starts, currency=currency)
    return {key: number / active[key] for key, number in ended.items() if key in active}


@dataclass(frozen=True, kw_only=True)
class Asked:
    connection: AsyncConnection
    bounds: Sequence[datetime]
    interval: str | None
    zone: str
    group_by: Sequence[str]

    @property
    def starts(self) -> list[tuple[datetime | None, datetime]]:
        """Buckets, each with the moment at which it begins."""
        return [(None, self.bounds[0]), *((start, start) for start in self.bounds[:-1] if self.interval)]

    @property
    def ends(self) -> list[tuple[datetime | None, datetime]]:
        return [(None, self.bounds[-1]), *(cut for cut in pairwise(self.bounds) if self.interval)]

    async def levels(
        self, value: str, moments: Sequence[tuple[datetime | None, datetime]], *, currency: str
    ) -> Values:
        statement = LEVEL.format(
            member=self._member("p.id::text"), currency=currency.replace("c", "p.c", 1), value=value
        )
        buckets, at = zip(*moments, strict=True)
        return await self._found(statement, buckets=list(buckets), moments=list(at))

    async def flows(self, value: str, having: str, *, currency: str) -> Values:
        found: Values = {}
        for bucket in (WHOLE, BUCKET) if self.interval else (WHOLE,):
            statement = FLOW.format(
                bucket=bucket, member=self._member(None), currency=currency, value=value, having=having
            )
            named = {"interval": (self.interval or "").lower(), "zone": self.zone} if bucket == BUCKET else {}
            found = {
                **found,
                **await self._found(statement, since=self.bounds[0], until=self.bounds[-1], **named),
            }
        return found

    def _member(self, known: str | None) -> str:
        others = [dimension for dimension in self.group_by if dimension != "CURRENCY"]
        return f"coalesce({known or MEMBERS[others[0]]}, '')" if others else "''"

    async def _found(self, statement: str, **parameters: Any) -> Values:
        rows = await self.connection.execute(text(HAPPENED + statement), parameters)
        return {(row.bucket, row.member, row.currency): float(row.value) for row in rows if row.value}
