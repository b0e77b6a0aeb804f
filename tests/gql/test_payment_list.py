"""Lists of payments: pages, cursors, filters, orders, and what they cost in statements."""

import asyncio
import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from domain.account import BillingAccount
from domain.actor import Actor, Role
from domain.identity import new_id
from domain.payment import CaptureMethod, Payment, PaymentStatus, PaymentTrigger
from domain.payment_method import PaymentMethod, PaymentMethodType
from domain.ports import Database
from gateway.wiring import Gateway
from tests.api import Api

PAGE = """query($first: Int, $after: String, $last: Int, $before: String, $orderBy: [PaymentOrder!],
              $filter: PaymentFilter) {
    payments(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy, filter: $filter) {
        edges { cursor node { id status createdAt amount { minor } } }
        nodes { id }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
}"""
COUNT = "query($filter: PaymentFilter) { payments(filter: $filter) { totalCount } }"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
NUMBER = 7


@pytest.fixture
async def made(database: Database, actor: Actor) -> list[Payment]:
    """Seven payments of the actor, a minute apart; amounts and states repeat, so that ids decide."""
    payments = [
        payment_of(actor, at=START + timedelta(minutes=number), amount=1000 + number // 2, number=number)
        for number in range(NUMBER)
    ]
    await stored(database, actor, payments)
    return payments


def payment_of(
    owner: Actor, *, at: datetime, amount: int, number: int, method: PaymentMethod | None = None
) -> Payment:
    is_paid = number % 3 == 0
    return Payment(
        id=new_id(),
        user_id=owner.known_id,
        status=PaymentStatus.COMPLETED if is_paid else PaymentStatus.PENDING,
        trigger=PaymentTrigger.PURCHASE,
        livemode=False,
        amount=amount,
        currency="EUR" if number % 2 else "USD",
        capture_method=CaptureMethod.AUTOMATIC,
        payment_method_id=method.id if method else None,
        processor_customer_id="cus_1",
        created_at=at,
        updated_at=at,
        completed_at=at if is_paid else None,
    )


async def stored(
    database: Database, owner: Actor, payments: list[Payment], methods: list[PaymentMethod] | None = None
) -> None:
    async with database.work() as work:
        await work.accounts.ensure(BillingAccount(user_id=owner.known_id, created_at=START, updated_at=START))
        for method in methods or ():
            await work.payment_methods.add(method)
        for payment in payments:
            await work.payments.add(payment)


async def page(api: Api, **given: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await api.run(PAGE, given))["payments"]
    return found


def ids(connection: dict[str, Any]) -> list[str]:
    return [node["id"] for node in connection["nodes"]]


def hexes(payments: list[Payment]) -> list[str]:
    return [f"pay_{payment.id.hex}" for payment in payments]


class TestPages:
    async def test_newest_come_first(self, api: Api, made: list[Payment]) -> None:
        assert ids(await page(api)) == hexes(made[::-1])

    async def test_edges_and_nodes_are_the_same_payments(self, api: Api, made: list[Payment]) -> None:
        found = await page(api)

        assert [edge["node"]["id"] for edge in found["edges"]] == ids(found)
        assert found["pageInfo"]["startCursor"] == found["edges"][0]["cursor"]
        assert found["pageInfo"]["endCursor"] == found["edges"][-1]["cursor"]

    @pytest.mark.parametrize("field", ["CREATED_AT", "UPDATED_AT", "AMOUNT", "STATUS"])
    @pytest.mark.parametrize("direction", ["ASC", "DESC"])
    async def test_walk_in_either_direction_meets_each_payment_once_in_order(
        self, api: Api, made: list[Payment], field: str, direction: str
    ) -> None:
        order = {"orderBy": [{"field": field, "direction": direction}]}
        whole = ids(await page(api, **order))

        forwards: list[str] = []
        after, more = None, True
        while more:
            part = await page(api, first=3, after=after, **order)
            forwards += ids(part)
            after, more = part["pageInfo"]["endCursor"], part["pageInfo"]["hasNextPage"]
        backwards: list[str] = []
        before, more = None, True
        while more:
            part = await page(api, last=3, before=before, **order)
            backwards = ids(part) + backwards
            before, more = part["pageInfo"]["startCursor"], part["pageInfo"]["hasPreviousPage"]

        assert sorted(whole) == sorted(hexes(made))
        assert forwards == backwards == whole
        keys = [(getattr(payment, field.lower()), payment.id.hex) for payment in by_id(made, whole)]
        assert keys == sorted(keys, reverse=direction == "DESC")

    async def test_tell_what_lies_before_and_after(self, api: Api, made: list[Payment]) -> None:
        first = await page(api, first=3)
        middle = await page(api, first=3, after=first["pageInfo"]["endCursor"])
        end = await page(api, last=1)

        around = [
            (part["pageInfo"]["hasPreviousPage"], part["pageInfo"]["hasNextPage"])
            for part in (first, middle, end)
        ]
        assert around == [(False, True), (True, True), (True, False)]

    async def test_of_nothing_is_empty(self, api: Api) -> None:
        assert await page(api) == {
            "edges": [],
            "nodes": [],
            "pageInfo": {
                "hasNextPage": False,
                "hasPreviousPage": False,
                "startCursor": None,
                "endCursor": None,
            },
        }

    async def test_a_payment_made_meanwhile_moves_nothing(
        self, api: Api, made: list[Payment], database: Database, actor: Actor
    ) -> None:
        first = await page(api, first=3)
        async with database.work() as work:
            await work.payments.add(payment_of(actor, at=START + timedelta(days=1), amount=5, number=1))

        rest = await page(api, first=10, after=first["pageInfo"]["endCursor"])

        assert ids(first) + ids(rest) == hexes(made[::-1])


def by_id(payments: list[Payment], order: list[str]) -> list[Payment]:
    return sorted(payments, key=lambda payment: order.index(f"pay_{payment.id.hex}"))


def forged(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


class TestRefusedPages:
    @pytest.mark.parametrize(
        ("given", "argument"),
        [
            ({"first": 0}, "first"),
            ({"first": -1}, "first"),
            ({"first": 101}, "first"),
            ({"first": 1000}, "first"),
            ({"first": 2**31 - 1}, "first"),
            ({"last": 0}, "last"),
            ({"last": 101}, "last"),
            ({"first": 1, "last": 1}, "last"),
            ({"first": 1, "before": "x"}, "last"),
            ({"orderBy": [{}, {}]}, "orderBy"),
        ],
    )
    async def test_for_a_size_or_a_mixture_that_is_not_allowed(
        self, api: Api, given: dict[str, Any], argument: str
    ) -> None:
        [error] = (await api.answer(PAGE, given))["errors"]

        assert error["extensions"]["code"] == "INVALID_INPUT"
        assert error["extensions"]["argument"] == [argument]
        assert error["extensions"]["retry"] == "SAME_KEY"

    @pytest.mark.parametrize(
        "cursor",
        [
            "",
            "nonsense",
            "ä€",
            "=",
            "A" * 100_000,
            forged(),
            forged("payments:created_at:DESC", "2026-03-01", "00" * 16),
            forged("payments:created_at:DESC", "2026-03-01T12:00:00", "00" * 16),
            forged("payments:created_at:DESC", 17, "00" * 16),
            forged("payments:created_at:DESC", None, "00" * 16),
            forged("payments:created_at:DESC", "2026-03-01T12:00:00Z", "zz"),
            forged("payments:created_at:DESC", "2026-03-01T12:00:00Z", 17),
            forged("payments:created_at:DESC", "2026-03-01T12:00:00Z", "00" * 16, 1),
            forged("payments:created_at:ASC", "2026-03-01T12:00:00Z", "00" * 16),
            forged("payments:created_at:DESC", "0001-01-01T00:00:00+14:00", "00" * 16),
            forged("payments:amount:DESC", 1000, "00" * 16),
            base64.urlsafe_b64encode(b"[" * 380).decode(),
            base64.urlsafe_b64encode(b"\xff\xfe\x00").decode(),
        ],
    )
    @pytest.mark.parametrize("argument", ["after", "before"])
    async def test_for_a_malformed_or_foreign_cursor(self, api: Api, cursor: str, argument: str) -> None:
        [error] = (await api.answer(PAGE, {argument: cursor}))["errors"]

        assert error["extensions"]["code"] == "INVALID_INPUT"
        assert error["extensions"]["argument"] == [argument]

    @pytest.mark.parametrize("value", [2**63, -(2**63), 1.5, True, "1000", 10**400])
    async def test_for_a_cursor_whose_value_the_column_cannot_hold(self, api: Api, value: object) -> None:
        given = {"after": forged("payments:amount:DESC", value, "00" * 16), "orderBy": [{"field": "AMOUNT"}]}

        assert await api.refusals(PAGE, given) == ["INVALID_INPUT"]


class TestFilters:
    @pytest.mark.parametrize(
        ("wanted", "numbers"),
        [
            ({}, [0, 1, 2, 3, 4, 5, 6]),
            ({"status": ["COMPLETED"]}, [0, 3, 6]),
            ({"status": ["COMPLETED", "PENDING"]}, [0, 1, 2, 3, 4, 5, 6]),
            ({"status": []}, []),
            ({"ids": []}, []),
            ({"trigger": ["ADMIN"]}, []),
            ({"currency": ["EUR"]}, [1, 3, 5]),
            ({"currency": ["EUR", "USD"], "status": ["COMPLETED"]}, [0, 3, 6]),
            ({"currency": ["XXX"]}, []),
            ({"amount": {"gte": 1001, "lte": 1002}}, [2, 3, 4, 5]),
            ({"amount": {"gte": "1003"}}, [6]),
            ({"createdAt": {"gte": "2026-03-01T12:02:00Z", "lt": "2026-03-01T12:04:00Z"}}, [2, 3]),
            ({"createdAt": {"gte": "2026-03-01T14:02:00+02:00"}}, [2, 3, 4, 5, 6]),
            ({"updatedAt": {"lt": "2026-03-01T12:01:00Z"}}, [0]),
        ],
    )
    async def test_match_exactly(
        self, api: Api, made: list[Payment], wanted: dict[str, Any], numbers: list[int]
    ) -> None:
        found = await page(api, filter=wanted, orderBy=[{"direction": "ASC"}])

        assert ids(found) == [hexes(made)[number] for number in numbers]
        assert await api.run(COUNT, {"filter": wanted}) == {"payments": {"totalCount": len(numbers)}}

    async def test_by_ids(self, api: Api, made: list[Payment]) -> None:
        assert set(ids(await page(api, filter={"ids": hexes(made[:2])}))) == set(hexes(made[:2]))

    @pytest.mark.parametrize(
        ("wanted", "code"),
        [
            ({"ids": ["nonsense"]}, "NOT_FOUND"),
            ({"ids": [f"mth_{0:032x}"]}, "NOT_FOUND"),
            ({"paymentMethodId": "nonsense"}, "NOT_FOUND"),
            ({"userId": "nonsense"}, "NOT_FOUND"),
            ({"ids": [f"pay_{0:032x}"] * 101}, "INVALID_INPUT"),
            ({"currency": ["EUR"] * 40_000}, "INVALID_INPUT"),
        ],
    )
    async def test_refuse_what_no_payment_could_match(
        self, api: Api, wanted: dict[str, Any], code: str
    ) -> None:
        assert await api.refusals(PAGE, {"filter": wanted}) == [code]

    @pytest.mark.parametrize(
        "wanted",
        [
            {"status": ["PAID"]},
            {"status": [1]},
            {"amount": {"gte": 1.5}},
            {"amount": {"gte": True}},
            {"amount": {"gte": "--5"}},
            {"amount": {"gte": "٣"}},
            {"amount": {"gte": 2**53}},
            {"amount": {"gte": "1e3"}},
            {"currency": ["eur"]},
            {"currency": ["EURO"]},
            {"createdAt": {"gte": "yesterday"}},
            {"createdAt": {"gte": "2026-03-01"}},
            {"createdAt": {"gte": "2026-03-01T12:00:00"}},
            {"createdAt": {"gte": "0001-01-01T00:00:00+14:00"}},
            {"createdAt": {"gte": 1772366400}},
            {"nonsense": 1},
        ],
    )
    async def test_refuse_values_of_another_form(self, api: Api, wanted: dict[str, Any]) -> None:
        [code] = await api.refusals(PAGE, {"filter": wanted})

        assert code in {"INVALID_INPUT", "BAD_USER_INPUT"}


class Statements(list[str]):
    """What was sent to the database."""


@contextmanager
def watched(gateway: Gateway) -> Iterator[Statements]:
    seen = Statements()

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    engine = gateway.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


class TestStatements:
    """However long the page is."""

    WITH_ALL = """query($first: Int) { payments(first: $first) {
        nodes {
            id amount { formatted } decline { code } actions
            paymentMethod { last4 state }
            billingAccount { id user { id } defaultPaymentMethod { id } paymentMethods { id } }
        }
    } }"""

    @pytest.fixture
    async def many(self, database: Database) -> None:
        """Twenty payments of ten users, each with a method of its own."""
        for number in range(10):
            await self._of_one_user(database, number)

    async def _of_one_user(self, database: Database, number: int) -> None:
        owner = Actor(role=Role.USER, user_id=new_id())
        methods = [method_of(owner, name=f"pm_{number}_{which}", is_default=which == 0) for which in range(2)]
        payments = [
            payment_of(owner, at=START + timedelta(minutes=number), amount=900, number=number, method=method)
            for method in methods
        ]
        await stored(database, owner, payments, methods)

    async def test_of_a_page_are_one_per_kind_of_object(
        self, admins: Api, gateway: Gateway, many: None
    ) -> None:
        numbers = {}
        for first in (2, 20):
            with watched(gateway) as statements:
                data = await admins.run(self.WITH_ALL, {"first": first})
            numbers[first] = len(statements)
            assert len(data["payments"]["nodes"]) == first

        assert numbers == {2: 4, 20: 4}  # payments, methods, accounts, the accounts' methods

    async def test_of_many_lookups_in_one_document_are_one(
        self, api: Api, gateway: Gateway, made: list[Payment]
    ) -> None:
        asked = " ".join(f'p{at}: payment(id: "{id_}") {{ id }}' for at, id_ in enumerate(hexes(made)))

        with watched(gateway) as statements:
            data = await api.run(f"{{ {asked} }}")

        assert [part["id"] for part in data.values()] == hexes(made)
        assert len(statements) == 1

    async def test_of_nodes_are_one_per_kind(self, api: Api, gateway: Gateway, made: list[Payment]) -> None:
        with watched(gateway) as statements:
            await api.run("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": hexes(made)})

        assert len(statements) == 1

    async def test_count_only_when_the_total_is_asked_for(
        self, api: Api, gateway: Gateway, made: list[Payment]
    ) -> None:
        with watched(gateway) as statements:
            await page(api)

        assert not any("count(" in statement for statement in statements)

    async def test_more_than_a_hundred_nodes_are_refused(self, api: Api) -> None:
        asked = {"ids": [f"pay_{number:032x}" for number in range(101)]}

        assert await api.refusals("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", asked) == [
            "INVALID_INPUT"
        ]


def method_of(owner: Actor, *, name: str, is_default: bool) -> PaymentMethod:
    return PaymentMethod(
        id=new_id(),
        user_id=owner.known_id,
        processor_method_id=name,
        type=PaymentMethodType.CARD,
        last4="4242",
        is_default=is_default,
        created_at=START,
        updated_at=START,
    )


class TestViewer:
    async def test_has_an_account_at_first_sight_and_the_same_one_for_all_who_ask_at_once(
        self, api: Api, actor: Actor
    ) -> None:
        asked = """{ viewer {
            id user { id } defaultPaymentMethod { id } paymentMethods { id } payments { totalCount }
        } }"""

        seen = await asyncio.gather(*(api.run(asked) for _ in range(5)))

        assert all(data == seen[0] for data in seen)
        assert seen[0]["viewer"] == {
            "id": f"acc_{actor.known_id.hex}",
            "user": {"id": str(actor.user_id)},
            "defaultPaymentMethod": None,
            "paymentMethods": [],
            "payments": {"totalCount": 0},
        }

    async def test_shows_methods_default_first_and_removed_ones_only_when_asked(self, api: Api) -> None:
        cards = [await api.add_card(name) for name in ("pm_card_visa", "pm_card_mastercard", "pm_card_amex")]
        await api.mutate("deletePaymentMethod", {"id": cards[0], "replaceWithId": cards[1]}, "deletedId")

        viewer = (
            await api.run(
                """{ viewer {
                    defaultPaymentMethod { id }
                    paymentMethods { id state }
                    all: paymentMethods(includeDetached: true) { id state }
                } }"""
            )
        )["viewer"]

        assert viewer["defaultPaymentMethod"]["id"] == cards[1]
        assert [method["id"] for method in viewer["paymentMethods"]] == [cards[1], cards[2]]
        assert {method["id"]: method["state"] for method in viewer["all"]}[cards[0]] == "DETACHED"

    async def test_lists_only_their_own_payments_even_for_staff(
        self, admins: Api, api: Api, made: list[Payment]
    ) -> None:
        asked = "{ viewer { payments { totalCount } } }"

        assert (await admins.run(asked))["viewer"]["payments"]["totalCount"] == 0
        assert (await api.run(asked))["viewer"]["payments"]["totalCount"] == NUMBER
