"""What answers cost in statements, however long they are."""

from datetime import timedelta

import pytest

from domain.actor import Actor, Role
from domain.identity import new_id
from domain.payment import Payment
from domain.ports import Database
from tests.api import Api
from tests.budgets import statements_of
from tests.gql.many_payments import START, hexes, method_of, payment_of, stored


class TestStatements:
    """However long the page is."""

    WITH_ALL = """query($first: Int) { payments(first: $first) {
        nodes {
            id amount { formatted } decline { code } actions
            paymentMethod { last4 state }
            billingAccount { id user { id } defaultPaymentMethod { id } paymentMethods { id } }
        }
    } }"""

    NODES = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"

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

    async def test_of_a_page_are_one_per_kind_of_object(self, admins: Api, many: None) -> None:
        numbers = {}
        for first in (2, 20):
            body = (await admins.post(self.WITH_ALL, {"first": first})).json()
            numbers[first] = statements_of(body)
            assert len(body["data"]["payments"]["nodes"]) == first

        assert numbers == {2: 3, 20: 3}  # payments with their accounts, methods, the accounts' methods

    async def test_of_many_lookups_in_one_document_are_one(self, api: Api, made: list[Payment]) -> None:
        asked = " ".join(f'p{at}: payment(id: "{id_}") {{ id }}' for at, id_ in enumerate(hexes(made)))

        body = (await api.post(f"{{ {asked} }}")).json()

        assert [part["id"] for part in body["data"].values()] == hexes(made)
        assert statements_of(body) == 1

    async def test_of_nodes_are_one_per_kind(self, api: Api, made: list[Payment]) -> None:
        body = (await api.post(self.NODES, {"ids": hexes(made)})).json()

        assert statements_of(body) == 1

    async def test_count_only_when_the_total_is_asked_for(self, api: Api, made: list[Payment]) -> None:
        page = (await api.post("{ payments { nodes { id } } }")).json()
        page_and_total = (await api.post("{ payments { nodes { id } totalCount } }")).json()

        assert (statements_of(page), statements_of(page_and_total)) == (1, 2)

    async def test_more_than_a_hundred_nodes_are_refused(self, api: Api) -> None:
        asked = {"ids": [f"pay_{number:032x}" for number in range(101)]}

        assert await api.refusals(self.NODES, asked) == ["INVALID_INPUT"]
