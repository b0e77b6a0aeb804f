"""Numbered pages, cursors, orders and filters."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.actor import Actor
from domain.legacy_status import LEGACY_PAYMENT, LegacyPaymentStatus
from domain.payment import Payment
from domain.ports import Database
from gateway.wiring import Gateway
from tests.rest import Rest, error_of, faults
from tests.web.rest.conftest import Sells
from tests.web.rest.shelves import START, in_order, random_payments, stored

NUMBER = 23
WRONG: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"page": "0"}, {"page": "minimum"}),
    ({"page": "1.0"}, {"page": "type"}),
    ({"page": "+1"}, {"page": "type"}),
    ({"page": ""}, {"page": "type"}),
    ({"page": "\uff19"}, {"page": "type"}),
    ({"limit": "0"}, {"limit": "minimum"}),
    ({"limit": "101"}, {"limit": "maximum"}),
    ({"limit": "-1"}, {"limit": "type"}),
    ({"limit": "9" * 40}, {"limit": "type"}),
    ({"sort": "id"}, {"sort": "oneOf"}),
    ({"sort": "created_at; DROP TABLE payments"}, {"sort": "oneOf"}),
    ({"order": "DESC"}, {"order": "oneOf"}),
    ({"status": "COMPLETED"}, {"status": "oneOf"}),
    ({"status": "requires_action"}, {"status": "oneOf"}),
    ({"user_id": "me"}, {"user_id": "id"}),
    ({"date_from": "2026-02-30"}, {"date_from": "date"}),
    ({"date_from": "20260201"}, {"date_from": "date"}),
    ({"date_from": "2026-02-01T12:00:00"}, {"date_from": "date"}),
    ({"date_to": "9999-12-31"}, {"date_to": "outOfRange"}),
    ({"date_to": "0001-01-01T00:00:00+14:00"}, {"date_to": "outOfRange"}),
    ({"date_from": "2026-02-02", "date_to": "2026-02-01"}, {"date_to": "date_from < date_to"}),
    ({"cursor": "nonsense"}, {"cursor": "cursor"}),
    ({"cursor": ""}, {"cursor": "cursor"}),
    ({"page": ["1", "2"]}, {"page": "repeated"}),
    ({"pgae": "1", "limit": "0"}, {"pgae": "unknown", "limit": "minimum"}),
]
"""What is asked for, and the fields at fault."""


@pytest.fixture
async def mine(database: Database, actor: Actor, other_actor: Actor) -> list[Payment]:
    payments = random_payments(17, actor, NUMBER)
    await stored(database, [*payments, *random_payments(18, other_actor, 5)])
    return payments


async def pages(rest: Rest, **asked: Any) -> list[str]:
    """The ids on all pages, by their numbers."""
    found: list[str] = []
    number, last = 1, 1
    while number <= last:
        body = (await rest.get("", page=number, **asked)).json()
        found += [each["id"] for each in body["data"]]
        number, last = number + 1, body["meta"]["total_pages"]
    return found


async def walk(rest: Rest, path: str = "", **asked: Any) -> list[str]:
    """The ids from the first page on, by cursors."""
    found: list[str] = []
    onward: dict[str, str] = {}
    while True:
        body = (await rest.get(path, **onward, **asked)).json()
        found += [each["id"] for each in body["data"]]
        if body["meta"]["next_cursor"] is None:
            return found
        onward = {"cursor": body["meta"]["next_cursor"]}


class TestPages:
    @pytest.mark.parametrize("order", ["asc", "desc"])
    async def test_meet_each_payment_once_in_every_order(
        self, rest: Rest, mine: list[Payment], order: str
    ) -> None:
        for sort in ("created_at", "updated_at", "amount", "status"):
            expected = in_order(mine, sort, is_descending=order == "desc")

            assert await pages(rest, sort=sort, order=order, limit=5) == expected
            assert await walk(rest, sort=sort, order=order, limit=5) == expected

    async def test_tell_where_they_stand(self, rest: Rest, mine: list[Payment]) -> None:
        first, last, beyond = [(await rest.get("", page=number, limit=10)).json() for number in (1, 3, 4)]

        assert first["meta"].pop("next_cursor")
        assert first["meta"] == {"page": 1, "limit": 10, "total": NUMBER, "total_pages": 3}
        assert (len(last["data"]), last["meta"]["next_cursor"]) == (3, None)
        assert (beyond["data"], beyond["meta"]["total"]) == ([], NUMBER)

    async def test_are_of_twenty_the_newest_first_where_nothing_is_said(
        self, rest: Rest, mine: list[Payment]
    ) -> None:
        body = (await rest.get("/")).json()

        assert [each["id"] for each in body["data"]] == in_order(mine, "created_at", is_descending=True)[:20]
        assert (body["meta"]["page"], body["meta"]["limit"]) == (1, 20)

    async def test_of_nothing_are_none(self, rest: Rest) -> None:
        body = (await rest.get("")).json()

        assert body == {
            "data": [],
            "meta": {"page": 1, "limit": 20, "total": 0, "total_pages": 0, "next_cursor": None},
        }

    async def test_by_cursor_count_nothing(self, rest: Rest, mine: list[Payment]) -> None:
        cursor = (await rest.get("", limit=5)).json()["meta"]["next_cursor"]

        meta = (await rest.get("", limit=5, cursor=cursor)).json()["meta"]

        assert meta.pop("next_cursor")
        assert meta == {"page": None, "limit": 5, "total": None, "total_pages": None}

    async def test_that_are_too_deep_lead_to_cursors(self, rest: Rest) -> None:
        deepest = await rest.get("", page=101, limit=100)
        beyond = [await rest.get("", page=page, limit=limit) for page, limit in ((102, 100), (10**15, 1))]

        assert deepest.status_code == 200
        assert [(each.status_code, faults(each)) for each in beyond] == [(422, {"page": "useCursor"})] * 2
        assert "cursor" in error_of(beyond[0])["message"]

    async def test_asked_for_wrongly_are_refused(self, rest: Rest) -> None:
        answers = [await rest.get("", **asked) for asked, _ in WRONG]

        assert {each.status_code for each in answers} == {422}
        assert [(asked, faults(each)) for (asked, _), each in zip(WRONG, answers, strict=True)] == WRONG

    async def test_take_a_cursor_of_their_own_order_alone(self, rest: Rest, mine: list[Payment]) -> None:
        cursor = (await rest.get("", limit=5)).json()["meta"]["next_cursor"]

        elsewhere = await rest.get("", limit=5, cursor=cursor, order="asc")
        beside = await rest.get("", limit=5, cursor=cursor, page=2)

        assert faults(elsewhere) == {"cursor": "cursor"}
        assert faults(beside) == {"page": "notWithCursor"}


class TestFilters:
    async def test_by_each_status(self, rest: Rest, mine: list[Payment]) -> None:
        for status in LegacyPaymentStatus:
            wanted = [each for each in mine if LEGACY_PAYMENT[each.status] is status]
            expected = in_order(wanted, "created_at", is_descending=True)

            assert await pages(rest, status=status.value, limit=100) == expected

    async def test_by_days_and_by_instants(self, rest: Rest, mine: list[Payment]) -> None:
        instant = START + timedelta(hours=30)
        second = datetime(2026, 3, 2, tzinfo=UTC)
        spans = [
            ({"date_from": "2026-03-02"}, second, None),
            ({"date_to": "2026-03-01"}, None, second),
            ({"date_from": "2026-03-02", "date_to": "2026-03-02"}, second, second + timedelta(days=1)),
            ({"date_from": "2026-03-02T08:00:00+02:00"}, instant, None),
            ({"date_to": "2026-03-02t06:00:00z"}, None, instant),
        ]
        for asked, since, until in spans:
            wanted = [
                each
                for each in mine
                if (since is None or each.created_at >= since) and (until is None or each.created_at < until)
            ]

            assert 0 < len(wanted) < NUMBER
            assert await pages(rest, limit=100, **asked) == in_order(wanted, "created_at", is_descending=True)

    async def test_all_together(self, rest: Rest, mine: list[Payment], actor: Actor) -> None:
        wanted = [
            each
            for each in mine
            if LEGACY_PAYMENT[each.status] is LegacyPaymentStatus.PENDING and each.created_at.day <= 2
        ]

        found = await walk(
            rest,
            status="pending",
            user_id=str(actor.user_id),
            date_from="2026-02-28",
            date_to="2026-03-02",
            sort="amount",
            order="asc",
            limit=2,
        )

        assert len(wanted) > 2
        assert found == in_order(wanted, "amount", is_descending=False)

    async def test_by_another_user_are_for_the_staff(
        self, rest: Rest, admins: Rest, supports: Rest, mine: list[Payment], other_actor: Actor, actor: Actor
    ) -> None:
        theirs = str(other_actor.user_id)

        refused = await rest.get("", user_id=theirs)

        assert (refused.status_code, error_of(refused)["code"]) == (403, "FORBIDDEN")
        assert [len(await pages(each, user_id=theirs)) for each in (admins, supports)] == [5, 5]
        assert [len(await pages(each)) for each in (rest, admins, supports)] == [
            NUMBER,
            NUMBER + 5,
            NUMBER + 5,
        ]


class TestStatements:
    async def test_of_a_page_are_two_and_by_cursor_one(
        self, rest: Rest, mine: list[Payment], gateway: Gateway
    ) -> None:
        with gateway.services.database.counted() as numbered:
            cursor = (await rest.get("", limit=20)).json()["meta"]["next_cursor"]
        with gateway.services.database.counted() as onward:
            await rest.get("", limit=20, cursor=cursor)

        assert (sum(numbered.values()), sum(onward.values())) == (2, 1)


class TestSubscriptions:
    async def test_are_paged_and_filtered_in_either_order(
        self, rest: Rest, others: Rest, admins: Rest, actor: Actor, sells: Sells
    ) -> None:
        await rest.add_card()
        made = [
            (await rest.post("/subscriptions", {"plan_id": await sells(amount)})).json()["data"]["id"]
            for amount in (500, 600, 700)
        ]
        await rest.delete(f"/subscriptions/{made[1]}")

        def listed(path: str) -> str:
            return f"/subscriptions{path}"

        upwards = await walk(rest, listed(""), limit=2, order="asc", sort="created_at")
        downwards = await walk(rest, listed("/"), limit=1)
        second = (await rest.get(listed(""), page=2, limit=2)).json()
        active = await walk(rest, listed(""), status="active")

        assert (upwards, downwards) == (made, made[::-1])
        assert [each["id"] for each in second["data"]] == made[:1]
        assert second["meta"] == {"page": 2, "limit": 2, "total": 3, "total_pages": 2, "next_cursor": None}
        assert active == [made[2], made[0]]
        assert await walk(admins, listed(""), user_id=str(actor.user_id)) == made[::-1]
        assert (await others.get(listed(""), user_id=str(actor.user_id))).status_code == 403
        assert await others.data(listed("")) == []
