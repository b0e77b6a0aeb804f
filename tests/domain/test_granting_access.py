"""What admins give away, and take back."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.access import AccessReason, Entitlement
from domain.commands.access import GrantAccess, RevokeAccess
from domain.commands.command import Command
from domain.errors import Forbidden, InvalidInput, KeyReused, NotFound, StateConflict
from domain.identity import new_id
from domain.operation import ObjectKind, OperationState
from tests.domain.access_values import Books, a_purchase
from tests.domain.shopping import Shopper

R = AccessReason
WHY = "An apology for Friday's outage."


def a_grant(user_id: UUID, **known: Any) -> GrantAccess:
    return GrantAccess(**{"user_id": user_id, "media_item_id": "film-17", "note": WHY, **known})


async def granted(clerk: Shopper, entitlement_id: UUID) -> Entitlement:
    async with clerk.gateway.services.database.reads() as reads:
        found = await reads.entitlements.get(entitlement_id)
    assert found is not None
    return found


async def audited(clerk: Shopper, entitlement_id: UUID) -> list[tuple[str, object]]:
    async with clerk.gateway.services.database.reads() as reads:
        records = await reads.audit.of_object(ObjectKind.ENTITLEMENT, entitlement_id)
    assert {record.actor_id for record in records} == {clerk.actor.user_id}
    return [(record.action, record.note) for record in records]


class TestGrantAccess:
    async def test_lets_somebody_in_whom_nobody_has_seen_before(self, clerk: Shopper) -> None:
        user_id = new_id()

        done = await clerk.does(a_grant(user_id))

        row = await granted(clerk, done.operation.subject)
        assert done.operation.state is OperationState.SUCCEEDED
        assert (row.user_id, row.reason, row.ends_at) == (user_id, R.GRANTED, None)
        assert (row.granter_id, row.note) == (clerk.actor.user_id, WHY)
        assert await audited(clerk, row.id) == [("entitlement.made", WHY)]

    async def test_opens_an_account_once_and_says_so(self, clerk: Shopper) -> None:
        user_id = new_id()

        await clerk.does(a_grant(user_id))
        await clerk.does(a_grant(user_id, media_item_id="film-18"))

        async with clerk.gateway.services.database.reads() as reads:
            records = await reads.audit.of_object(ObjectKind.BILLING_ACCOUNT, user_id)
        assert [(record.action, record.actor_id) for record in records] == [
            ("billing_account.opened", clerk.actor.user_id)
        ]

    async def test_once_per_key_however_often_it_is_sent(self, clerk: Shopper) -> None:
        grant = a_grant(new_id())

        done = await asyncio.gather(*(clerk.does(grant, key="apology-17") for _ in range(20)))

        assert len({each.operation.subject for each in done}) == 1
        assert sum(not each.is_replayed for each in done) == 1
        async with clerk.gateway.services.database.reads() as reads:
            rows = await reads.entitlements.of_users([grant.user_id], owner=None)
        assert len(rows[grant.user_id]) == 1

    async def test_of_something_else_under_the_same_key_is_refused(self, clerk: Shopper) -> None:
        grant = a_grant(new_id())
        await clerk.does(grant, key="apology-17")

        with pytest.raises(KeyReused) as refused:
            await clerk.does(a_grant(grant.user_id, media_item_id="film-18"), key="apology-17")

        assert refused.value.differing_fields == ("media_item_id",)

    async def test_for_a_while_ends(self, clerk: Shopper) -> None:
        tomorrow = clerk.gateway.services.clock() + timedelta(days=1)

        done = await clerk.does(a_grant(new_id(), media_item_id=None, feature="hd", ends_at=tomorrow))

        row = await granted(clerk, done.operation.subject)
        rules = clerk.gateway.services.rules
        assert row.reason_at(tomorrow - timedelta(seconds=1), rules) is R.GRANTED
        assert row.reason_at(tomorrow, rules) is R.NOT_PURCHASED

    @pytest.mark.parametrize(
        ("changes", "path"),
        [
            ({"media_item_id": None}, ("target",)),
            ({"feature": "hd"}, ("target",)),
            ({"media_item_id": "x" * 65}, ("target", "media_item_id")),
            ({"media_item_id": None, "feature": "\x00"}, ("target", "feature")),
            ({"note": " "}, ("note",)),
            ({"note": "4242424242424242"}, ("note",)),
        ],
    )
    async def test_of_what_cannot_be_is_refused(
        self, clerk: Shopper, changes: dict[str, Any], path: tuple[str, ...]
    ) -> None:
        with pytest.raises(InvalidInput) as refused:
            await clerk.does(a_grant(new_id(), **changes))

        assert refused.value.path == path

    async def test_until_a_time_that_is_over_is_refused(self, clerk: Shopper) -> None:
        with pytest.raises(InvalidInput, match="over"):
            await clerk.does(a_grant(new_id(), ends_at=clerk.gateway.services.clock()))


class TestRevokeAccess:
    async def test_takes_a_grant_back(self, clerk: Shopper) -> None:
        grant = (await clerk.does(a_grant(new_id()))).operation.subject

        await clerk.does(RevokeAccess(entitlement_id=grant, note="A mistake."))

        row = await granted(clerk, grant)
        assert row.reason_at(clerk.gateway.services.clock(), clerk.gateway.services.rules) is R.NOT_PURCHASED
        assert row.note == WHY
        assert await audited(clerk, grant) == [
            ("entitlement.made", WHY),
            ("entitlement.revoked", "A mistake."),
        ]

    async def test_again_changes_nothing(self, clerk: Shopper) -> None:
        grant = (await clerk.does(a_grant(new_id()))).operation.subject
        await clerk.does(RevokeAccess(entitlement_id=grant, note="A mistake."))
        before = await granted(clerk, grant)

        done = await clerk.does(RevokeAccess(entitlement_id=grant, note="A mistake."))

        assert done.operation.state is OperationState.SUCCEEDED
        assert await granted(clerk, grant) == before

    async def test_leaves_alone_what_was_paid_for(self, clerk: Shopper, books: Books) -> None:
        await books.pays(a_purchase())
        [owned] = await books.rows()

        with pytest.raises(StateConflict, match="refund") as refused:
            await clerk.does(RevokeAccess(entitlement_id=owned.id, note="Because."))

        assert refused.value.current == "PURCHASE"
        assert await books.rows() == [owned]

    async def test_of_nothing_is_not_found(self, clerk: Shopper) -> None:
        with pytest.raises(NotFound):
            await clerk.does(RevokeAccess(entitlement_id=new_id(), note="Because."))


class TestUser:
    @pytest.mark.parametrize(
        "command", [a_grant(new_id()), RevokeAccess(entitlement_id=new_id(), note="Because.")]
    )
    async def test_does_neither(self, shopper: Shopper, command: Command[Any, Any]) -> None:
        with pytest.raises(Forbidden):
            await shopper.does(command)
