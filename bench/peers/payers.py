"""Users who pay: new ones in every run, each with a card that Stripe's stand-in charges."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import asyncpg

from domain.identity import new_id

PAYERS: Final = 64
"""More than requests under way, so that none waits for another one's payment."""

ACCOUNTS: Final = """
INSERT INTO billing_accounts (user_id, processor_customer_id, created_at, updated_at)
SELECT id, 'cus_' || id, now(), now() FROM unnest($1::uuid[]) AS id
"""
CARDS: Final = """
INSERT INTO payment_methods
    (id, user_id, processor_method_id, type, brand, last4, exp_month, exp_year, country, is_default, version,
     created_at, updated_at)
SELECT id, id, 'pm_' || id, 'CARD', 'visa', '4242', 12, 2040, 'US', true, 1, now(), now()
FROM unnest($1::uuid[]) AS id
"""


async def added(connection: "asyncpg.Connection[asyncpg.Record]") -> Sequence[UUID]:
    users = [new_id() for _ in range(PAYERS)]
    async with connection.transaction():
        await connection.execute(ACCOUNTS, users)
        await connection.execute(CARDS, users)
    return users
