"""The same wish by GraphQL and by REST, and what came of it in words that both have."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from tests.api import Api, fresh_key
from tests.rest import Rest
from tests.web.rest.conftest import Sells

Given = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The code of an error and its advice, if there was one, and the object as it is afterwards."""

    code: str | None
    retry: str | None
    resource: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """What both customers of a test find: plans, an admin, and somebody else with a card and a subscription."""

    sells: Sells
    other: Rest
    admin_api: Api
    admin: Rest
    memory: dict[str, str] = field(default_factory=dict)

    async def plan(self, amount: int = 1500, currency: str = "usd") -> str:
        return await self._once(f"{amount} {currency}", lambda: self.sells(amount, currency=currency))

    async def others_card(self) -> str:
        return await self._once("card", self.other.add_card)

    async def others_subscription(self) -> str:
        await self.others_card()
        return await self._once("subscription", lambda: subscribed(self.other, self))

    async def _once(self, name: str, made: Callable[[], Awaitable[str]]) -> str:
        if name not in self.memory:
            self.memory[name] = await made()
        return self.memory[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Somebody who asks by one of the APIs; what they have is kept from one situation to the next."""

    api: Api
    rest: Rest
    shop: Shop
    memory: dict[str, str] = field(default_factory=dict)

    async def card(self, stripe_id: str = "pm_card_visa") -> str:
        if stripe_id not in self.memory:
            self.memory[stripe_id] = await self.rest.add_card(stripe_id)
        return self.memory[stripe_id]

    async def removed_card(self) -> str:
        card = await self.card("pm_card_amex")
        await self.rest.delete(f"/payment-methods/{card}")
        return card

    async def payment(self) -> str:
        """Of 12.50 EUR."""
        await self.card()
        if "payment" not in self.memory:
            self.memory["payment"] = (await self.rest.paid())["id"]
        return self.memory["payment"]

    async def subscription(self) -> str:
        """Of 15.00 USD a month."""
        await self.card()
        if "subscription" not in self.memory:
            self.memory["subscription"] = await subscribed(self.rest, self.shop)
        return self.memory["subscription"]

    async def ended_subscription(self) -> str:
        """The same, from now on."""
        subscription = await self.subscription()
        await self.rest.delete(f"/subscriptions/{subscription}")
        return subscription


async def subscribed(rest: Rest, shop: Shop) -> str:
    body = (await rest.post("/subscriptions", {"plan_id": await shop.plan()})).json()
    found: str = (body["data"] if "data" in body else body["error"]["resource"])["id"]
    return found


Situation = Callable[[Customer], Awaitable[Given]]
"""What is wished for, by the names of REST; `id` is in the address, `key` in the header, and `by` who asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One command by both APIs."""

    mutation: str
    input: Callable[[Given], Mapping[str, Any]]
    selection: str
    ask: Callable[[Rest, Given], Awaitable[Any]]
    shown: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    """What GraphQL's object has of what REST's has, by the names of REST."""

    async def by_graphql(self, customer: Customer, given: Given) -> Decision:
        api = customer.shop.admin_api if given.get("by") == "admin" else customer.api
        wanted = {name: value for name, value in self.input(given).items() if value is not None}
        payload = await api.mutate(self.mutation, wanted, f"{self.selection} errors {{ code retry }}")
        [error] = payload.pop("errors") or [None]
        [resource] = payload.values()
        return Decision(
            code=error and error["code"],
            retry=error and error["retry"],
            resource=self.shown(resource) if isinstance(resource, Mapping) else None,
        )

    async def by_rest(self, customer: Customer, given: Given) -> Decision:
        response = await self.ask(customer.shop.admin if given.get("by") == "admin" else customer.rest, given)
        body = response.json() if response.content else {}
        error = body.get("error") or {}
        resource = body.get("data") or error.get("resource")
        known = self.shown(EMPTY)
        return Decision(
            code=error.get("code"),
            retry=error.get("retry"),
            resource=resource and {name: resource[name] for name in known},
        )


class _Anything(dict[str, Any]):
    """Whatever is asked of it, so that a wish tells which names it shows."""

    def __missing__(self, name: str) -> "_Anything":
        return self


EMPTY: Final = _Anything()


def key_of(given: Given) -> str:
    key: str = given.get("key") or fresh_key()
    return key


def named(prefix: str, identity: str | None) -> str | None:
    """GraphQL's id of what REST names by a UUID."""
    return None if identity is None else f"{prefix}_{UUID(identity).hex}"


def only(given: Given, *names: str) -> dict[str, Any]:
    return {name: given[name] for name in names if name in given}
