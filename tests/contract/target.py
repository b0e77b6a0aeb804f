"""A running development stack as schemathesis meets it: an admin who has a card, and ids of what is there."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import httpx2

from domain.actor import Actor, Role
from domain.identity import new_id
from domain.payment import Payment
from domain.payment_method import PaymentMethod
from domain.plan import Plan
from domain.subscription import Subscription
from gql.ids import PREFIX, global_id
from tests.acceptance.stack import Stack
from tests.parts import bearer
from tests.rest import Rest
from web.openapi import OPENAPI
from web.rest.fields import EXAMPLES

PATIENCE: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """
    `document` is the served one, whose examples name objects that are there.

    The caller is an admin, so that one token may do everything.
    """

    url: str
    token: str
    document: str
    ids: list[str]


async def prepared(stack: Stack) -> Target:
    admin = Actor(role=Role.ADMIN, user_id=new_id())
    told: dict[str, str] = json.loads((stack.folder / "demo.json").read_text())
    plans = [_uuid(told[name]) for name in ("plan:basic", "plan:plus")]
    async with httpx2.AsyncClient(base_url=stack.url, timeout=PATIENCE) as http:
        rest = Rest(http=http, headers=bearer(admin))
        method = await rest.add_card()
        payment = (await rest.paid())["id"]
        # It needs the card, which can therefore not be removed, so that there are payments until the end.
        held = await rest.post("/subscriptions", {"plan_id": plans[0], "payment_method_id": method})
        subscription = held.json()["data"]["id"]
        document = (await http.get(OPENAPI)).text
    own = {Payment: payment, PaymentMethod: method, Plan: plans[1], Subscription: subscription}
    return Target(
        url=stack.url,
        token=bearer(admin)["Authorization"].removeprefix("Bearer "),
        document=_naming(document, own),
        ids=sorted({*told.values(), *(global_id(kind, UUID(identity)) for kind, identity in own.items())}),
    )


def _uuid(identity: str) -> str:
    return str(UUID(identity.partition("_")[2]))


def _naming(document: str, own: Mapping[type, str]) -> str:
    for kind, example in EXAMPLES.items():
        document = document.replace(example, own[kind])
        document = document.replace(
            f"{PREFIX[kind]}_{UUID(example).hex}", f"{PREFIX[kind]}_{UUID(own[kind]).hex}"
        )
    return document
