"""The data set: always the same, made by PostgreSQL itself in the real tables, under all their constraints."""

from dataclasses import dataclass
from hashlib import md5
from typing import Final
from uuid import UUID

import asyncpg

PAYMENTS_PER_USER: Final = 500
METHODS_PER_USER: Final = 3
HOT, SMALL, MEDIUM = 0, 1, 2
"""The numbers of the users with half of all payments, with 10, and with 1,000; the others share the rest."""
SAMPLED: Final = 500

ACCOUNTS: Final = """
INSERT INTO billing_accounts (user_id, processor_customer_id, created_at, updated_at)
SELECT md5('user ' || n)::uuid, 'cus_bench' || n, to_timestamp(1.7e9), to_timestamp(1.7e9)
FROM generate_series(0, $1::int - 1) AS n
"""

METHODS: Final = """
INSERT INTO payment_methods
    (id, user_id, processor_method_id, type, brand, last4, exp_month, exp_year, country, is_default, version,
     created_at, updated_at)
SELECT
    md5('method ' || n)::uuid, md5('user ' || n / $2::int)::uuid, 'pm_bench' || n, 'CARD',
    (ARRAY['visa', 'mastercard', 'amex'])[1 + n % 3], lpad((n % 10000)::text, 4, '0'), 1 + n % 12, 2040, 'DE',
    n % $2::int = 0, 1, to_timestamp(1.7e9 + n % $2::int), to_timestamp(1.7e9 + n % $2::int)
FROM generate_series(0, $1::int * $2::int - 1) AS n
"""

# One payment a minute, by the hot user and another one in turns; ids are UUIDv7-like, as ours are.
PAYMENTS: Final = """
INSERT INTO payments
    (id, user_id, status, trigger, livemode, version, amount, currency, authorized_amount, captured_amount,
     refunded_amount, refund_pending_amount, disputed_amount, capture_method,
     description, details, payment_method_id, processor_customer_id, processor_method_id,
     processor_payment_id, processor_charge_id, method_type, method_brand, method_country, method_last4,
     decline_code, failures, synced_by, created_at, updated_at, completed_at)
SELECT
    (lpad(to_hex(1700000000000 + n * 60000), 12, '0') || right(md5('payment ' || n), 20))::uuid,
    md5('user ' || owner)::uuid,
    CASE refunded WHEN 0 THEN status WHEN amount THEN 'REFUNDED' ELSE 'PARTIALLY_REFUNDED' END,
    'PURCHASE', false, 2 + refunds, amount, (ARRAY['EUR', 'USD', 'GBP'])[1 + n % 3],
    CASE status WHEN 'COMPLETED' THEN amount ELSE 0 END, CASE status WHEN 'COMPLETED' THEN amount ELSE 0 END,
    refunded, 0, 0, 'AUTOMATIC', 'Order ' || n, jsonb_build_object('order', n), md5('method ' || method)::uuid,
    'cus_bench' || owner, 'pm_bench' || method, 'pi_bench' || n, 'ch_bench' || n, 'CARD', brand, country,
    '4242', CASE status WHEN 'FAILED' THEN 'card_declined' END,
    CASE status WHEN 'FAILED' THEN jsonb_build_array(jsonb_build_object(
        'at', at, 'trigger', 'PURCHASE', 'code', 'card_declined', 'advice', NULL, 'charge_id', 'ch_bench' || n,
        'brand', brand, 'country', country
    )) ELSE '[]' END,
    'WEBHOOK', at, at + refunds * interval '1 day',
    CASE status WHEN 'COMPLETED' THEN at END
FROM (
    SELECT
        n, owner, owner * $2::int + n / 2 % $2::int AS method, 100 + n * 37 % 50000 AS amount,
        to_timestamp(1.7e9 + n * 60) + n % 1000000 * interval '1 microsecond' AS at,
        (ARRAY['visa', 'mastercard', 'amex', 'jcb'])[1 + n * 7 % 11 % 4] AS brand,
        (ARRAY['DE', 'FR', 'IT', 'ES', 'PL', 'IN', 'JP', 'US'])[1 + n * 5 % 17 % 8] AS country,
        CASE WHEN n % 100 = 11 THEN 2 WHEN n % 20 IN (4, 11) THEN 1 ELSE 0 END AS refunds,
        CASE WHEN n % 25 = 7 THEN 'FAILED' WHEN n % 50 = 9 THEN 'CANCELLED' ELSE 'COMPLETED' END AS status
    FROM (
        SELECT n, CASE
            WHEN n % 2 = 0 THEN 0
            WHEN n / 2 % ($3::bigint / 20) = 0 THEN 1
            WHEN n / 2 % ($3::bigint / 2000) = 1 THEN 2
            ELSE 3 + n / 2 % ($1::int - 3)
        END AS owner
        FROM generate_series(0, $3::bigint - 1) AS n
    ) AS owned
) AS drawn,
LATERAL (
    SELECT CASE refunds WHEN 2 THEN amount / 4 * 2 WHEN 1 THEN amount / (1 + n % 2) ELSE 0 END AS refunded
) AS summed
"""

# A tenth of the payments was given back: the hot user's as a whole, the others' by half, some in two parts.
REFUNDS: Final = """
INSERT INTO refunds
    (id, user_id, payment_id, status, amount, currency, reason, origin, revokes_access, processor_refund_id,
     synced_by, version, created_at, updated_at, succeeded_at)
SELECT
    (left(id::text, 13) || right(md5('refund ' || part || id)::uuid::text, 23))::uuid, user_id, id, 'SUCCEEDED',
    refunded_amount / parts, currency, 'CUSTOMER_REQUEST', 'API', true, 're_bench' || n || '_' || part,
    'WEBHOOK', 2, at, at, at
FROM (
    SELECT *, version - 2 AS parts, (details->>'order')::bigint AS n FROM payments WHERE refunded_amount > 0
) AS refunded,
generate_series(1, parts) AS part, LATERAL (SELECT created_at + part * interval '1 day' AS at) AS given
"""

SOME_PAYMENTS: Final = """
SELECT id, user_id FROM payments
WHERE id >= $2 AND user_id <> $3 AND processor_payment_id LIKE 'pi_bench%' ORDER BY id LIMIT $1
"""
PLACE: Final = """
SELECT created_at, id FROM payments WHERE user_id = $1 ORDER BY created_at DESC, id DESC OFFSET $2 LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class OwnedPayment:
    id: UUID
    user_id: UUID


def others(payments: int) -> range:
    """The numbers of the users with about 250 payments each."""
    return range(3, payments // PAYMENTS_PER_USER)


def user_id(number: int) -> UUID:
    return UUID(md5(f"user {number}".encode(), usedforsecurity=False).hexdigest())


async def is_loaded(connection: "asyncpg.Connection[asyncpg.Record]") -> bool:
    found = await connection.fetchval("SELECT true FROM billing_accounts WHERE user_id = $1", user_id(HOT))
    return found is True


async def load(connection: "asyncpg.Connection[asyncpg.Record]", payments: int) -> None:
    """All of it or nothing. `payments` is a multiple of 2,000, so that every user gets the promised number."""
    if payments % 2000:
        raise ValueError(f"{payments} is no multiple of 2,000")
    users = payments // PAYMENTS_PER_USER
    async with connection.transaction():
        await connection.execute("SET LOCAL statement_timeout = 0")
        await connection.execute(ACCOUNTS, users)
        await connection.execute(METHODS, users, METHODS_PER_USER)
        await connection.execute(PAYMENTS, users, METHODS_PER_USER, payments)
        await connection.execute(REFUNDS)
    await connection.execute("VACUUM ANALYZE")


async def some_payments(connection: "asyncpg.Connection[asyncpg.Record]") -> list[OwnedPayment]:
    """A few hundred neighbours from the middle, with their owners."""
    middle = await connection.fetchval("SELECT id FROM payments ORDER BY id OFFSET 5000 LIMIT 1")
    rows = await connection.fetch(SOME_PAYMENTS, SAMPLED, middle, user_id(HOT))
    return [OwnedPayment(id=row["id"], user_id=row["user_id"]) for row in rows]
