"""Which way a query goes, and what is kept for it."""

import asyncio
from typing import Any

import pytest

from domain.actor import Actor
from domain.payment import Payment
from gateway.wiring import Gateway
from gql.compiled.finding import together
from gql.compiled.plan import Plans
from gql.compiled.shelf import Shelf
from gql.compiled.surprise import Surprise
from gql.context import Context
from gql.execution import Executor, Request
from gql.policy import Policy
from tests.api import Api

SWITCHED = "query($a: Boolean!) { currencies { code exponent @include(if: $a) } }"
OTHER = """query A { currencies { code } }
query B($x: Boolean!) { currencies { ...Part } }
fragment Part on CurrencyRule { exponent @include(if: $x) }"""


@pytest.fixture
def context(gateway: Gateway, actor: Actor) -> Context:
    return Context(actor=actor, services=gateway.services)


async def went_by_plan(api: Api, document: str) -> bool:
    body = (await api.post(document)).json()
    is_planned: bool = body["extensions"]["debug"]["planned"]
    return is_planned


@pytest.mark.usefixtures("made")
class TestWay:
    async def test_is_by_plan(self, api: Api, made: list[Payment]) -> None:
        assert await went_by_plan(api, "{ payments { nodes { id amount { minor } paymentMethod { id } } } }")

    @pytest.mark.parametrize(
        "shown", ["nextAction { kind }", "stripe { objectId }", "disputes { evidenceDraft }"]
    )
    async def test_of_fields_that_often_fail_is_by_resolvers_from_the_start(
        self, api: Api, shown: str
    ) -> None:
        assert not await went_by_plan(api, f"{{ payments {{ nodes {{ id {shown} }} }} }}")

    async def test_does_not_depend_on_fragments_of_other_operations(self, context: Context) -> None:
        executor = Executor()
        asked = executor.asked(Request(query=OTHER, operation_name="A"), by=context.actor)

        await executor.execute(asked, context)

        assert context.is_planned


class TestSurprise:
    async def test_leaves_the_resolvers_a_time_of_their_own(
        self, context: Context, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A plan that has waited for Stripe or a connection in vain must not make a time-out of an error."""
        executor, resolved = Executor(Policy(query_seconds=0.5)), Executor._resolved

        async def late_surprise(*_: Any) -> None:
            await asyncio.sleep(0.35)
            raise Surprise

        async def slowly(*given: Any) -> Any:
            await asyncio.sleep(0.35)
            return await resolved(*given)

        monkeypatch.setattr(Plans, "result", late_surprise)
        monkeypatch.setattr(Executor, "_resolved", slowly)
        asked = executor.asked(Request(query="{ currencies { code } }"), by=context.actor)
        response = await executor.execute(asked, context)

        assert response.body["data"]["currencies"]


class TestTogether:
    async def test_ends_all_before_it_tells_a_failure(self) -> None:
        ended = []

        async def fails() -> None:
            raise ValueError("one")

        async def goes_on() -> None:
            await asyncio.sleep(0.01)
            ended.append(True)

        with pytest.raises(ValueError, match="one"):
            await together([fails(), goes_on()])

        assert ended == [True]


class TestShelf:
    async def test_drops_what_was_not_used_for_longest(self, context: Context) -> None:
        """Each variant has two fields of a currency, or one, below one of the query."""
        executor = Executor()
        executor._shelves[False] = Shelf(most_fields=4)
        asked = executor.asked(Request(query=SWITCHED, variables={"a": True}), by=context.actor)
        other = executor.asked(Request(query=SWITCHED, variables={"a": False}), by=context.actor)
        plans = asked.document.plans

        await executor.execute(asked, context)
        assert len(plans[None]._plans) == 1
        await executor.execute(other, context)

        assert list(plans[None]._plans) == [(False,)]
        assert (await executor.execute(asked, context)).body["data"]["currencies"][0]["exponent"] is not None
