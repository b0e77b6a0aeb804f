"""The short ways through execution: what they answer is what the library answers on its own ways."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from inspect import isawaitable
from typing import Any
from uuid import UUID

import pytest
from graphql import ExecutionResult, execute, parse
from graphql.execution import Executor

from domain.actor import Actor
from domain.command_service import CommandService
from domain.commands.create_payment import CreatePayment
from domain.money import Money
from domain.payment import Payment
from domain.ports import Reads
from gateway.wiring import Gateway
from gql.context import Context
from gql.executor import SCHEMA, LeanExecutor
from gql.ids import global_id
from gql.lookup import Lookup

EVERY_LEAF = """
  __typename version id status trigger livemode captureMethod description receiptUrl createdAt completedAt uuid
  actions metadata
"""
PAYMENT = f"""query ($id: ID!) {{
  payment(id: $id) {{
    {EVERY_LEAF}
    again: status
    amount {{ currency minor exponent decimal formatted(locale: "de") }}
    paymentMethod {{ state brand id expYear billingName }}
    paymentMethodSnapshot {{ last4 brand }}
    decline {{ code }}
    billingAccount {{ id user {{ id }} defaultPaymentMethod {{ id isDefault }} }}
  }}
}}"""
STAFF_ONLY = "query ($id: ID!) { payment(id: $id) { id stripe { objectId source } status } }"
CURRENCIES = "{ currencies { stepMinor code minimum { minor decimal } } }"
LOST = "query ($id: ID!) { payment(id: $id) { id status createdAt } }"


@pytest.fixture
async def payment(
    commands: CommandService, actor: Actor, add_card: Callable[..., Awaitable[UUID]], gateway: Gateway
) -> Payment:
    await add_card(makes_default=True)
    command = CreatePayment(amount=Money(minor=1250, currency="EUR"), details={"order": 17})
    executed = await commands.execute(actor, command)
    async with gateway.services.database.reads() as reads:
        found = await reads.payments.get(executed.operation.subject)
    assert found is not None
    return found


@pytest.fixture
def context(gateway: Gateway, actor: Actor) -> Callable[[], Context]:
    return lambda: Context(actor=actor, services=gateway.services)


async def no_query(_reads: Reads, _ids: list[UUID]) -> Mapping[UUID, Payment]:
    raise AssertionError


async def answer(
    text: str, context: Context, payment: Payment, executor: type[Executor[Any]] | None
) -> ExecutionResult:
    result = execute(
        SCHEMA,
        parse(text),
        context_value=context,
        variable_values={"id": global_id(Payment, payment.id)},
        executor_class=executor,
    )
    return await result if isawaitable(result) else result


class TestLeanExecutor:
    @pytest.mark.parametrize("text", [PAYMENT, STAFF_ONLY, CURRENCIES])
    async def test_answers_as_the_library_does_in_the_same_order(
        self, context: Callable[[], Context], payment: Payment, text: str
    ) -> None:
        lean = await answer(text, context(), payment, LeanExecutor)
        usual = await answer(text, context(), payment, None)

        assert lean.data is not None
        assert (str(lean.data), lean.errors) == (str(usual.data), usual.errors)

    @pytest.mark.parametrize("broken", [{"status": "LOST"}, {"created_at": None}, {"created_at": "never"}])
    async def test_leaves_errors_to_the_library(
        self, context: Callable[[], Context], payment: Payment, broken: dict[str, Any]
    ) -> None:
        async def broken_answer(executor: type[Executor[Any]] | None) -> ExecutionResult:
            asked = context()
            asked.loaders.payments = Lookup(
                asked.services.database, no_query, known={payment.id: replace(payment, **broken)}
            )
            return await answer(LOST, asked, payment, executor)

        lean, usual = await broken_answer(LeanExecutor), await broken_answer(None)

        assert lean.data == {"payment": None}
        assert [error.formatted for error in lean.errors or []] == [
            error.formatted for error in usual.errors or []
        ]
        assert len(lean.errors or []) == 1
