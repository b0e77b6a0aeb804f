"""
createPayment by hand: the same promises, so intent, call to Stripe and outcome, each committed before the next.

It neither locks the payer's account nor counts statistics, and it calls Stripe by httpx.

Only the good end is written out; a crash, a decline or a reused key is what the gateway's code is there for.
"""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self
from uuid import UUID

import asyncpg
import httpx
import orjson

from domain.identity import new_id

FIND_KEY: Final = "SELECT id FROM operations WHERE caller_id = $1 AND mutation = 'createPayment' AND key = $2"
ACCOUNT: Final = "SELECT processor_customer_id FROM billing_accounts WHERE user_id = $1"
DEFAULT_METHOD: Final = "SELECT * FROM payment_methods WHERE user_id = $1 AND is_default"
OPEN_PAYMENT: Final = """
INSERT INTO payments
    (id, user_id, status, trigger, livemode, version, amount, currency, authorized_amount, captured_amount,
     refunded_amount, refund_pending_amount, disputed_amount, failures, capture_method, details,
     payment_method_id, processor_customer_id, processor_method_id, synced_by, created_at, updated_at)
VALUES ($1, $2, 'PENDING', 'PURCHASE', false, 1, $3, $4, 0, 0, 0, 0, 0, '[]', 'AUTOMATIC', '{}',
        $5, $6, $7, 'API_CALL', $8, $8)
"""
RECORD: Final = """
INSERT INTO audit_records
    (id, at, actor_role, actor_id, request_id, action, object_kind, object_id, changes, previous_hash, hash)
SELECT
    $1, $2, 'USER', $3, $4, $5, 'PAYMENT', $6, $7, last.hash,
    encode(sha256(convert_to(last.hash || $8, 'UTF8')), 'hex')
FROM (
    SELECT coalesce((
        SELECT hash FROM audit_records
        WHERE object_kind = 'PAYMENT' AND object_id = $6 ORDER BY sequence DESC LIMIT 1
    ), repeat('0', 64)) AS hash
) AS last
"""
OPEN_OPERATION: Final = """
INSERT INTO operations
    (id, caller_id, mutation, key, state, fingerprint, arguments, object_kind, object_id, request_id, attempts,
     leased_until, started_at, expires_at)
VALUES ($1, $2, 'createPayment', $3, 'RUNNING', $4, $5, 'PAYMENT', $6, '', 1, $7, $8, $9)
"""
LOCK: Final = "SELECT * FROM payments WHERE id = $1 FOR NO KEY UPDATE"
SETTLE: Final = """
UPDATE payments
SET status = 'COMPLETED', version = 2, authorized_amount = amount, captured_amount = amount,
    processor_payment_id = $2, processor_charge_id = $3, method_type = 'CARD', method_brand = $4,
    method_last4 = $5, completed_at = $6, updated_at = $6
WHERE id = $1 RETURNING *
"""
END_OPERATION: Final = """
UPDATE operations SET state = 'SUCCEEDED', leased_until = NULL, finished_at = $2
WHERE id = $1 AND state IN ('RUNNING', 'OUTCOME_UNKNOWN')
"""
METHOD: Final = "SELECT * FROM payment_methods WHERE id = $1 AND user_id = $2"


@dataclass(frozen=True, slots=True)
class Payments:
    pool: "asyncpg.Pool[asyncpg.Record]"
    stripe: httpx.AsyncClient

    @classmethod
    @asynccontextmanager
    async def connected(cls, pool: "asyncpg.Pool[asyncpg.Record]") -> AsyncIterator[Self]:
        headers = {"Authorization": f"Bearer {os.environ['STRIPE_SECRET_KEY']}"}
        async with httpx.AsyncClient(base_url=os.environ["STRIPE_API_BASE"], headers=headers) as stripe:
            yield cls(pool, stripe)

    async def create(
        self, user: UUID, key: str, amount: Mapping[str, Any]
    ) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """The payment and its method."""
        async with self.pool.acquire() as connection:
            if await connection.fetchrow(FIND_KEY, user, key):
                raise RuntimeError("A key is used once in a benchmark")
            customer = await connection.fetchval(ACCOUNT, user)
        payment_id, operation_id = new_id(), new_id()
        async with self.pool.acquire() as connection, connection.transaction():
            method = await self._open(connection, user, key, amount, customer, payment_id, operation_id)
        intent = await self._charge(amount, customer, method, payment_id, operation_id)
        async with self.pool.acquire() as connection, connection.transaction():
            payment = await self._settle(connection, user, payment_id, operation_id, intent)
        async with self.pool.acquire() as connection:
            return payment, await connection.fetchrow(METHOD, method["id"], user)

    async def _open(
        self,
        connection: Any,
        user: UUID,
        key: str,
        amount: Mapping[str, Any],
        customer: str,
        payment_id: UUID,
        operation_id: UUID,
    ) -> Mapping[str, Any]:
        now, minor, currency = datetime.now(UTC), amount["minor"], amount["currency"]
        method: Mapping[str, Any] = await connection.fetchrow(DEFAULT_METHOD, user)
        method_id, processor_method = method["id"], method["processor_method_id"]
        await connection.execute(
            OPEN_PAYMENT, payment_id, user, minor, currency, method_id, customer, processor_method, now
        )
        changes = {"status": [None, "PENDING"], "amount": [None, minor], "currency": [None, currency]}
        await self._record(connection, now, user, "payment.created", payment_id, changes)
        await connection.execute(
            OPEN_OPERATION,
            operation_id,
            user,
            key,
            {"amount": f"{minor}{currency}"},
            {"amount": amount},
            payment_id,
            now + timedelta(seconds=30),
            now,
            now + timedelta(days=30),
        )
        return method

    async def _record(
        self,
        connection: Any,
        now: datetime,
        user: UUID,
        action: str,
        payment_id: UUID,
        changes: Mapping[str, Any],
    ) -> None:
        facts = (new_id(), now, user, "", action, payment_id, changes)
        text = orjson.dumps(facts, option=orjson.OPT_SORT_KEYS).decode()
        await connection.execute(RECORD, *facts, text)

    async def _charge(
        self,
        amount: Mapping[str, Any],
        customer: str,
        method: Mapping[str, Any],
        payment_id: UUID,
        operation_id: UUID,
    ) -> Mapping[str, Any]:
        """https://docs.stripe.com/api/payment_intents/create"""
        asked = {
            "amount": amount["minor"],
            "currency": amount["currency"].lower(),
            "customer": customer,
            "payment_method": method["processor_method_id"],
            "confirm": "true",
            "automatic_payment_methods[enabled]": "true",
            "automatic_payment_methods[allow_redirects]": "never",
            "metadata[payment_id]": str(payment_id),
            "expand[]": "latest_charge",
        }
        headers = {"Idempotency-Key": f"opr_{operation_id.hex}"}
        answer = await self.stripe.post("/v1/payment_intents", data=asked, headers=headers)
        answer.raise_for_status()
        intent: Mapping[str, Any] = orjson.loads(answer.content)
        return intent

    async def _settle(
        self, connection: Any, user: UUID, payment_id: UUID, operation_id: UUID, intent: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        now, charge = datetime.now(UTC), intent["latest_charge"]
        card = charge["payment_method_details"]["card"]
        await connection.fetchrow(LOCK, payment_id)
        payment: Mapping[str, Any] = await connection.fetchrow(
            SETTLE, payment_id, intent["id"], charge["id"], card["brand"], card["last4"], now
        )
        changes = {"status": ["PENDING", "COMPLETED"], "captured_amount": [0, payment["amount"]]}
        await self._record(connection, now, user, "payment.settled", payment_id, changes)
        await connection.execute(END_OPERATION, operation_id, now)
        return payment
