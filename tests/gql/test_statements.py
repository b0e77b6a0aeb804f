"""What answers cost in statements, however long they are."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from domain.actor import Actor, Role
from domain.identity import new_id
from domain.payment import Payment
from domain.ports import Database
from gateway.wiring import Gateway
from tests.api import Api
from tests.gql.many_payments import START, hexes, method_of, page, payment_of, stored


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
