"""Payments as CSV."""

import csv
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from io import StringIO

import httpx2
import pytest

from domain.actor import Actor
from domain.errors import Busy, Forbidden
from domain.payment import Payment
from domain.payment_list import PaymentFilter
from domain.payment_service import EXPORTED_AT_ONCE, EXPORTS_AT_ONCE, PaymentService
from domain.ports import Database
from gateway.wiring import Gateway
from tests.rest import Rest, error_of
from tests.web.in_process import Events
from tests.web.rest.shelves import START, in_order, random_payments, stored
from web.rest.export import COLUMNS, harmless

FORMULAS = (
    '=HYPERLINK("https://evil.example","free")',
    "+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    "\uff1d1",
    "a;=1+1",
    "a, \t-2",
    "a\n+1",
    'a;"=1+1',
    "\u200b=1+1",
    "\u00a0@SUM(A1)",
    "\ufeff;\u2009=1",
)
LATER = START + timedelta(days=100)


@pytest.fixture
def payments(gateway: Gateway) -> PaymentService:
    return gateway.services.payments


@pytest.fixture
async def many(database: Database, actor: Actor) -> list[Payment]:
    """More than are read at once."""
    made = random_payments(3, actor, EXPORTED_AT_ONCE + 7)
    await stored(database, made)
    return made


def rows_of(response: httpx2.Response) -> list[dict[str, str]]:
    assert response.status_code == 200, response.text
    return list(csv.DictReader(StringIO(response.text, newline="")))


class TestExport:
    async def test_has_a_line_per_payment_the_oldest_first(
        self, admins: Rest, many: list[Payment], admin: Actor, events: Events
    ) -> None:
        exported = await admins.get("/export.csv", date_from="2026-02-01")

        assert [row["id"] for row in rows_of(exported)] == in_order(many, "created_at", is_descending=False)
        assert exported.headers["content-type"].startswith("text/csv")
        assert "attachment" in exported.headers["content-disposition"]
        [told] = [event for event in events if event["event"] == "payments.exported"]
        assert (told["rows"], told["is_whole"], told["by"]) == (len(many), True, admin.user_id)
        assert told["asked"] == {"date_from": "2026-02-01 00:00:00+00:00"}

    async def test_tells_amounts_in_minor_units_and_times_in_utc(
        self, admins: Rest, database: Database, actor: Actor
    ) -> None:
        [payment] = random_payments(1, actor, 1)
        await stored(database, [replace(payment, amount=1205, description="Grüße, „Ada“\nTee")])

        [row] = rows_of(await admins.get("/export.csv"))

        assert list(row) == list(COLUMNS)
        assert (row["amount"], row["amount_decimal"], row["currency"]) == ("1205", "12.05", "EUR")
        assert row["created_at"] == payment.created_at.isoformat().replace("+00:00", "Z")
        assert row["description"] == "Grüße, „Ada“\nTee"

    async def test_makes_formulas_harmless(self, admins: Rest, database: Database, actor: Actor) -> None:
        made = random_payments(1, actor, len(FORMULAS))
        await stored(
            database, [replace(each, description=text) for each, text in zip(made, FORMULAS, strict=True)]
        )

        rows = rows_of(await admins.get("/export.csv"))

        assert {row["description"] for row in rows} == {f"'{text}" for text in FORMULAS}

    def test_leaves_other_texts_as_they_are(self) -> None:
        texts = ["Film: 2 - 3", "Tea; coffee, 2", "a=b", "1+1", "'quoted'", "", "💶"]

        assert [harmless(text) for text in texts] == texts

    async def test_takes_the_filters_of_the_list(
        self, admins: Rest, many: list[Payment], actor: Actor
    ) -> None:
        asked: Mapping[str, str] = {
            "status": "failed",
            "date_from": "2026-03-02",
            "user_id": str(actor.user_id),
        }

        listed = await admins.get("", limit=100, order="asc", **asked)
        exported = rows_of(await admins.get("/export.csv", **asked))

        assert 0 < len(exported) < len(many)
        assert [row["id"] for row in exported] == [each["id"] for each in listed.json()["data"]]

    async def test_takes_no_pages(self, admins: Rest) -> None:
        assert (await admins.get("/export.csv", page=1)).status_code == 422

    async def test_is_for_admins(self, rest: Rest, supports: Rest) -> None:
        refused = [await each.get("/export.csv") for each in (rest, supports)]

        assert [(each.status_code, error_of(each)["code"]) for each in refused] == [(403, "FORBIDDEN")] * 2


class TestSnapshot:
    async def test_does_not_see_what_happens_meanwhile(
        self, payments: PaymentService, many: list[Payment], admin: Actor, database: Database, actor: Actor
    ) -> None:
        seen = 0
        async with aclosing(payments.exported(admin, PaymentFilter())) as batches:
            async for batch in batches:
                seen += len(batch)
                later = [replace(each, created_at=LATER) for each in random_payments(seen, actor, 3)]
                await stored(database, later)

        assert seen == len(many)

    async def test_of_too_many_at_once_is_refused_and_leaves_others_in_peace(
        self, payments: PaymentService, many: list[Payment], admin: Actor, admins: Rest
    ) -> None:
        held = [payments.exported(admin, PaymentFilter()) for _ in range(EXPORTS_AT_ONCE)]
        for each in held:
            await anext(each)

        refused = await admins.get("/export.csv")
        with pytest.raises(Busy):
            await anext(payments.exported(admin, PaymentFilter()))
        for each in reversed(held):
            await each.aclose()

        assert (refused.status_code, error_of(refused)["retry"]) == (409, "LATER_SAME_KEY")
        assert len(rows_of(await admins.get("/export.csv"))) == len(many)

    async def test_is_the_services_own_rule_for_admins(self, payments: PaymentService, actor: Actor) -> None:
        with pytest.raises(Forbidden):
            await anext(payments.exported(actor, PaymentFilter()))
