"""A shop in a world: buyers with cards, payments to give back, a plan, and wishes of all kinds."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import httpx2

from domain.actor import Actor, Role
from domain.identity import new_id
from gateway.settings import DEVELOPMENT_STRIPE_KEY
from tests.acceptance.processes import COMMAND, started
from tests.acceptance.world import World
from tests.api import GRAPHQL
from tests.chaos.wishes import Kind, Wish
from tests.parts import bearer
from tests.waiting import until

CURRENCY: Final = "EUR"
LARGE: Final = 50_000_000
"""Of which many refunds can be made."""
PLAN_PRICE: Final = 900
FIRST_AMOUNT: Final = 1001
"""Above the plan's price, so that no amount of a wish is the price."""
SAVE_CARD: Final = """mutation($card: String!, $key: IdempotencyKey!) {
    addPaymentMethod(input: {stripePaymentMethodId: $card, makeDefault: true, idempotencyKey: $key}) {
        errors { code }
    }
}"""
SET_UP_SECONDS: Final = 40.0
ADMIN: Final = Actor(role=Role.ADMIN, user_id=new_id())


def nobody_yet() -> Actor:
    return Actor(role=Role.USER, user_id=new_id())


@dataclass(kw_only=True)
class Shop:
    world: World
    plan_id: str = ""
    amounts: Iterator[int] = field(default_factory=lambda: count(FIRST_AMOUNT))

    async def sell_a_plan(self) -> None:
        """Before the server starts, which then knows of it."""
        form = {
            "product_data[name]": "Films",
            "product_data[metadata][features]": "films",
            "unit_amount": str(PLAN_PRICE),
            "currency": CURRENCY.lower(),
            "recurring[interval]": "month",
        }
        headers = {"Authorization": f"Bearer {DEVELOPMENT_STRIPE_KEY}", "Idempotency-Key": "a-plan"}
        answer = await self.world.control.post("/v1/prices", data=form, headers=headers)
        assert answer.status_code == 200, answer.text
        log = self.world.folder / "plans.log"
        with started([COMMAND, "plans", "sync"], self.world.environment, log) as sync:
            assert await sync.ended(seconds=60) == 0, sync.written

    async def buyer(self, card: str = "pm_card_visa") -> Actor:
        """A user of whom nobody has heard before, with a saved card."""
        actor = nobody_yet()
        await self.save_card(actor, card=card)
        return actor

    async def save_card(self, actor: Actor, *, card: str = "pm_card_visa") -> None:
        await self._run(actor, SAVE_CARD, {"card": card, "key": f"key-{new_id()}"})

    async def try_card(self, actor: Actor, url: str) -> int:
        """Only the status counts: of the same card saved many times at once, some are removed at once, too."""
        variables = {"card": "pm_card_visa", "key": f"key-{new_id()}"}
        body = {"query": SAVE_CARD, "variables": variables}
        answer = await self.world.http.post(f"{url}{GRAPHQL}", json=body, headers=bearer(actor))
        return answer.status_code

    async def buyers(self, number: int) -> list[Actor]:
        return await asyncio.gather(*(self.buyer() for _ in range(number)))

    async def wishes(self, kind: Kind, number: int, *, buyers: int = 8) -> list[Wish]:
        """So many wishes of one kind, of which none has been uttered."""
        match kind:
            case Kind.PAYMENT:
                who = await self.buyers(min(buyers, number))
                return [self.payment(who[each % len(who)]) for each in range(number)]
            case Kind.REFUND:
                paid = [await self.paid() for _ in range(min(buyers, number))]
                return [self.refund(*paid[each % len(paid)]) for each in range(number)]
            case Kind.SUBSCRIPTION:
                return [self.subscription(who) for who in await self.buyers(number)]

    def payment(self, buyer: Actor, *, key: str | None = None) -> Wish:
        amount = next(self.amounts)
        given = {"charge": {"amount": {"minor": amount, "currency": CURRENCY}}}
        return wish(Kind.PAYMENT, buyer, buyer, amount, given, key)

    def refund(self, buyer: Actor, payment_id: str, amount: int | None = None) -> Wish:
        amount = amount or next(self.amounts)
        money = {"minor": amount, "currency": CURRENCY}
        given = {"paymentId": payment_id, "amount": money, "reason": "CUSTOMER_REQUEST"}
        return wish(Kind.REFUND, buyer, ADMIN, amount, given)

    def subscription(self, buyer: Actor) -> Wish:
        return wish(Kind.SUBSCRIPTION, buyer, buyer, PLAN_PRICE, {"planId": self.plan_id})

    async def paid(self, amount: int = LARGE) -> tuple[Actor, str]:
        """A buyer and the id of a payment that was completed."""
        buyer = await self.buyer()
        return buyer, await self.collect(buyer, amount)

    async def collect(self, buyer: Actor, amount: int) -> str:
        """The id of a payment that was completed."""
        given = {
            "idempotencyKey": f"key-{new_id()}",
            "charge": {"amount": {"minor": amount, "currency": CURRENCY}},
        }
        payload = await self._run(buyer, Kind.PAYMENT.document, {"input": given})
        assert payload["payment"]["status"] == "COMPLETED", payload
        payment_id: str = payload["payment"]["id"]
        return payment_id

    async def learn_plan(self) -> None:
        body = {"query": "{ plans { id } }"}
        answer = await self.world.http.post(GRAPHQL, json=body, headers=bearer(ADMIN))
        [plan] = answer.json()["data"]["plans"]
        self.plan_id = plan["id"]

    async def _run(self, actor: Actor, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        """
        What an experiment needs before it begins: tried again with the same key where the server is busy, or where a
        connection leads to one that was killed.
        """
        body = {"query": document, "variables": variables}

        async def payload() -> dict[str, Any] | None:
            try:
                answer = await self.world.http.post(GRAPHQL, json=body, headers=bearer(actor))
            except httpx2.TransportError:
                return None
            data = answer.json().get("data")
            found: dict[str, Any] | None = next(iter(data.values())) if data else None
            return None if found is None or found["errors"] else found

        return await until(payload, seconds=SET_UP_SECONDS)


def wish(
    kind: Kind, buyer: Actor, caller: Actor, amount: int, given: dict[str, Any], key: str | None = None
) -> Wish:
    return Wish(
        kind=kind, buyer=buyer, caller=caller, key=key or f"key-{new_id()}", amount=amount, given=given
    )
