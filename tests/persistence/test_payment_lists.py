from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import cycle
from typing import Any
from uuid import UUID

import pytest

from domain.account import BillingAccount
from domain.actor import Actor, Role
from domain.errors import Forbidden
from domain.identity import new_id
from domain.paging import Direction, Slice
from domain.payment import Payment
from domain.payment_list import PaymentFilter, PaymentOrder, PaymentOrderField
from domain.payment_status import PaymentStatus, PaymentTrigger
from domain.ports import Database
from gateway.wiring import Gateway
from tests.domain.values import NOON, OWNER, a_method, a_payment

ORDERS = [
    PaymentOrder(field=field, direction=direction) for field in PaymentOrderField for direction in Direction
]
EVERYBODY = PaymentFilter()
ADMIN = Actor(role=Role.ADMIN, user_id=new_id())
USER = Actor(role=Role.USER, user_id=OWNER)
STRANGER = UUID(int=2)
METHOD = a_method()


@pytest.fixture
async def payments(database: Database, owner: BillingAccount) -> Sequence[Payment]:
    """Twelve, of which always several share a time, an amount and a status."""
    failed = {"status": PaymentStatus.FAILED, "decline_code": "expired_card"}
    states: Any = cycle([{}, failed, {"status": PaymentStatus.AUTHORIZED}])
    made = [
        a_payment(
            created_at=NOON + timedelta(hours=number // 3),
            updated_at=NOON - timedelta(hours=number // 4),
            amount=1_000 + number % 4,
            **next(states),
        )
        for number in range(11)
    ]
    theirs = a_payment(
        user_id=STRANGER, currency="JPY", trigger=PaymentTrigger.ADMIN, payment_method_id=METHOD.id
    )
    async with database.work() as work:
        await work.accounts.ensure(replace(owner, user_id=STRANGER))
        await work.payment_methods.add(METHOD)
        for payment in (*made, theirs):
            await work.payments.add(payment)
    return [*made, theirs]


def ordered(payments: Sequence[Payment], order: PaymentOrder) -> list[UUID]:
    """By PostgreSQL's rules, as Python knows them."""
    ranked = sorted(payments, key=lambda payment: (getattr(payment, order.field.value), payment.id))
    return [payment.id for payment in (ranked if order.direction is Direction.ASC else reversed(ranked))]


async def matching(gateway: Gateway, actor: Actor, **wanted: Any) -> set[UUID]:
    page = await gateway.services.payments.page(
        actor, PaymentFilter(**wanted), PaymentOrder(), Slice(limit=50)
    )
    assert await gateway.services.payments.count(actor, PaymentFilter(**wanted)) == len(page.items)
    return {payment.id for payment in page.items}


class TestPages:
    @pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.name)
    async def test_forwards_show_every_payment_once_in_order(
        self, gateway: Gateway, payments: Sequence[Payment], order: PaymentOrder
    ) -> None:
        seen: list[UUID] = []
        part, has_next = Slice(limit=5), True
        while has_next:
            page = await gateway.services.payments.page(ADMIN, EVERYBODY, order, part)
            assert page.has_previous is bool(seen)
            seen += [payment.id for payment in page.items]
            cursor = order.place_of(page.items[-1]).cursor(order.name)
            part, has_next = (
                Slice(limit=5, start=order.place_at(cursor, argument="after")),
                page.has_next,
            )

        assert seen == ordered(payments, order)

    @pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.name)
    async def test_backwards_show_every_payment_once_in_the_same_order(
        self, gateway: Gateway, payments: Sequence[Payment], order: PaymentOrder
    ) -> None:
        seen: list[UUID] = []
        part, has_previous = Slice(limit=5, is_backward=True), True
        while has_previous:
            page = await gateway.services.payments.page(ADMIN, EVERYBODY, order, part)
            assert page.has_next is bool(seen)
            seen = [payment.id for payment in page.items] + seen
            cursor = order.place_of(page.items[0]).cursor(order.name)
            start = order.place_at(cursor, argument="before")
            part, has_previous = Slice(limit=5, start=start, is_backward=True), page.has_previous

        assert seen == ordered(payments, order)

    async def test_after_the_last_is_empty(self, gateway: Gateway, payments: Sequence[Payment]) -> None:
        order = PaymentOrder(direction=Direction.ASC)
        last = ordered(payments, order)[-1]
        place = order.place_of(next(payment for payment in payments if payment.id == last))

        page = await gateway.services.payments.page(ADMIN, EVERYBODY, order, Slice(start=place))

        assert (page.items, page.has_next, page.has_previous) == ([], False, True)


class TestFilters:
    @pytest.mark.parametrize(
        ("wanted", "holds"),
        [
            ({"statuses": [PaymentStatus.FAILED]}, lambda payment: payment.status == "FAILED"),
            (
                {"statuses": [PaymentStatus.FAILED, PaymentStatus.PENDING]},
                lambda payment: payment.status in {"FAILED", "PENDING"},
            ),
            ({"triggers": [PaymentTrigger.ADMIN]}, lambda payment: payment.trigger == "ADMIN"),
            ({"currencies": ["JPY", "EUR"]}, lambda payment: payment.currency == "JPY"),
            ({"at_least": 1_002}, lambda payment: payment.amount >= 1_002),
            ({"at_most": 1_001}, lambda payment: payment.amount <= 1_001),
            ({"at_least": 1_001, "at_most": 1_001}, lambda payment: payment.amount == 1_001),
            ({"created_from": NOON + timedelta(hours=1)}, lambda payment: payment.created_at > NOON),
            ({"created_to": NOON + timedelta(hours=1)}, lambda payment: payment.created_at == NOON),
            ({"updated_from": NOON}, lambda payment: payment.updated_at == NOON),
            ({"updated_to": NOON}, lambda payment: payment.updated_at < NOON),
            ({"payment_method_id": METHOD.id}, lambda payment: payment.payment_method_id == METHOD.id),
            ({"payment_method_id": new_id()}, lambda payment: False),
            ({"statuses": []}, lambda payment: False),
            ({"owner": STRANGER}, lambda payment: payment.user_id == STRANGER),
            ({}, lambda payment: True),
        ],
    )
    async def test_match_what_they_say(
        self, gateway: Gateway, payments: Sequence[Payment], wanted: dict[str, Any], holds: Any
    ) -> None:
        found = await matching(gateway, ADMIN, **wanted)

        assert found == {payment.id for payment in payments if holds(payment)}

    async def test_by_ids_match_those_that_exist(self, gateway: Gateway, payments: Sequence[Payment]) -> None:
        wanted = [payments[0].id, payments[3].id, new_id()]

        assert await matching(gateway, ADMIN, ids=wanted) == {payments[0].id, payments[3].id}
        assert await matching(gateway, ADMIN, ids=[]) == set()


class TestSeveralOwners:
    @pytest.mark.parametrize("is_backward", [False, True], ids=["forwards", "backwards"])
    @pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.name)
    async def test_get_the_pages_that_each_would_get_alone(
        self, database: Database, payments: Sequence[Payment], order: PaymentOrder, is_backward: bool
    ) -> None:
        starts = [None, order.place_of(payments[5])]
        parts = [Slice(limit=4, start=start, is_backward=is_backward) for start in starts]
        owners, wanted = [STRANGER, OWNER], PaymentFilter(at_most=1_002)

        async with database.reads() as reads:
            for part in parts:
                together = await reads.payments.listed_for(owners, wanted, order, part)
                for owner in owners:
                    alone = await reads.payments.listed(replace(wanted, owner=owner), order, part)
                    assert together.get(owner, []) == alone
                    only = await reads.payments.listed_for([owner], wanted, order, part)
                    assert only.get(owner, []) == alone

    async def test_are_counted_each(self, database: Database, payments: Sequence[Payment]) -> None:
        nobody = new_id()

        async with database.reads() as reads:
            counts = await reads.payments.counts_for([OWNER, STRANGER, nobody], EVERYBODY)
            expensive = await reads.payments.counts_for([OWNER, STRANGER], PaymentFilter(at_least=1_003))

        assert counts == {OWNER: 11, STRANGER: 1}
        assert expensive.keys() <= {OWNER, STRANGER}
        assert expensive[OWNER] == 2

    async def test_get_nothing_of_others_than_the_filters_owner(
        self, database: Database, payments: Sequence[Payment]
    ) -> None:
        async with database.reads() as reads:
            own = PaymentFilter(owner=OWNER)
            pages = await reads.payments.listed_for([STRANGER], own, PaymentOrder(), Slice())
            counts = await reads.payments.counts_for([STRANGER], own)

        assert (dict(pages), counts) == ({}, {})


class TestScope:
    async def test_users_see_their_own(self, gateway: Gateway, payments: Sequence[Payment]) -> None:
        own = {payment.id for payment in payments if payment.user_id == OWNER}

        assert await matching(gateway, USER) == own
        assert await matching(gateway, USER, owner=OWNER) == own
        assert await matching(gateway, USER, ids=[payments[-1].id]) == set()

    async def test_users_may_not_ask_for_others(self, gateway: Gateway, payments: Sequence[Payment]) -> None:
        wanted = PaymentFilter(owner=STRANGER)

        with pytest.raises(Forbidden):
            await gateway.services.payments.page(USER, wanted, PaymentOrder(), Slice())
        with pytest.raises(Forbidden):
            await gateway.services.payments.count(USER, wanted)

    async def test_loaders_find_only_what_belongs_to_the_owner(
        self, database: Database, payments: Sequence[Payment]
    ) -> None:
        mine, theirs = payments[0].id, payments[-1].id

        async with database.reads() as reads:
            seen = await reads.payments.by_ids([mine, theirs], owner=OWNER)
            seen_by_all = await reads.payments.by_ids([mine, theirs, new_id()], owner=None)
            methods = await reads.payment_methods.by_ids([METHOD.id], owner=STRANGER)
            of_users = await reads.payment_methods.of_users(
                [OWNER, STRANGER], owner=STRANGER, with_detached=True
            )
            setups = await reads.setups.by_ids([new_id()], owner=None)
            accounts = await reads.accounts.by_ids([OWNER, STRANGER], owner=OWNER)
            operations = await reads.operations.by_ids([new_id()], caller=OWNER)

        assert (set(seen), set(seen_by_all)) == ({mine}, {mine, theirs})
        assert set(accounts) == {OWNER}
        assert (methods, dict(of_users), setups, operations) == ({}, {}, {}, {})
