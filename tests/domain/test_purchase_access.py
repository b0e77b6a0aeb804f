"""What a purchase gives, and what refunds and disputes take away: as often as they change their mind."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.access import AccessReason
from domain.commands.create_payment import CreatePayment
from domain.errors import InvalidInput
from domain.payment_status import COLLECTED, PaymentStatus
from domain.refund import RefundStatus
from tests.domain.access_values import FILM, Books, a_purchase, a_refund
from tests.domain.shopping import COFFEE, Shopper
from tests.domain.values import NOON, a_payment

R = AccessReason
LATER = NOON + timedelta(days=400)


class TestPurchase:
    async def test_that_is_paid_for_is_owned_for_good(self, books: Books) -> None:
        purchase = a_purchase()

        await books.pays(purchase)

        decision = await books.decision(FILM, at=LATER)
        assert (decision.allowed, decision.reason, decision.until) == (True, R.OWNED, None)
        assert decision.source is not None
        assert decision.source.payment_id == purchase.id

    @pytest.mark.parametrize(
        "status",
        sorted(set(PaymentStatus) - COLLECTED),
    )
    async def test_that_is_not_collected_gives_nothing(self, books: Books, status: PaymentStatus) -> None:
        decline = "generic_decline" if status is PaymentStatus.FAILED else None

        await books.pays(
            a_purchase(status=status, captured_amount=0, completed_at=None, decline_code=decline)
        )

        assert await books.rows() == []

    async def test_of_nothing_in_particular_gives_nothing(self, books: Books) -> None:
        await books.pays(
            a_payment(
                status=PaymentStatus.COMPLETED,
                captured_amount=2500,
                authorized_amount=2500,
                completed_at=NOON,
            )
        )

        assert await books.rows() == []

    async def test_told_again_changes_nothing(self, books: Books) -> None:
        purchase = a_purchase()
        await books.pays(purchase)
        before = await books.rows()

        await books.pays(purchase, at=LATER)

        assert await books.rows() == before
        assert [record.action for record in await books.audit(before[0])] == ["entitlement.made"]

    async def test_made_by_a_user_is_theirs_as_soon_as_it_is_collected(self, shopper: Shopper) -> None:
        await shopper.saves()

        payment = await shopper.pays(media_item_id="film-17")

        async with shopper.gateway.services.database.reads() as reads:
            row = await reads.entitlements.of_payment(payment.id)
        assert row is not None
        assert (row.user_id, row.media_item_id, row.reason) == (shopper.actor.user_id, "film-17", R.OWNED)

    @pytest.mark.parametrize("name", ["", "   ", "x" * 65, "film\n17", "film\u200b17", "4242424242424242"])
    async def test_of_what_cannot_be_a_media_item_is_refused(self, shopper: Shopper, name: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            await shopper.does(CreatePayment(amount=COFFEE, media_item_id=name))

        assert refused.value.path == ("media_item_id",)


class TestRefund:
    async def test_of_a_part_leaves_it_owned(self, books: Books) -> None:
        purchase = a_purchase(status=PaymentStatus.PARTIALLY_REFUNDED, refunded_amount=1000)

        await books.pays(purchase, a_refund(purchase, amount=1000))

        assert await books.reason(FILM) is R.OWNED

    async def test_of_all_takes_it_away(self, books: Books) -> None:
        purchase = a_purchase()
        await books.pays(purchase)

        refunded = replace(purchase, status=PaymentStatus.REFUNDED, refunded_amount=2500)
        await books.pays(refunded, a_refund(purchase), at=LATER)

        decision = await books.decision(FILM, at=LATER)
        assert (decision.allowed, decision.reason, decision.until) == (False, R.REFUNDED, None)
        [row] = await books.rows()
        assert (row.revoked_at, row.version) == (LATER, 2)
        assert [record.action for record in await books.audit(row)] == [
            "entitlement.made",
            "entitlement.revoked",
        ]

    async def test_that_leaves_access_leaves_it(self, books: Books) -> None:
        purchase = a_purchase(status=PaymentStatus.REFUNDED, refunded_amount=2500)

        await books.pays(purchase, a_refund(purchase, revokes_access=False))

        assert await books.reason(FILM) is R.OWNED

    @pytest.mark.parametrize(("last_revokes", "reason"), [(True, R.REFUNDED), (False, R.OWNED)])
    async def test_that_completes_the_others_decides(
        self, books: Books, last_revokes: bool, reason: AccessReason
    ) -> None:
        purchase = a_purchase(status=PaymentStatus.REFUNDED, refunded_amount=2500)
        last = a_refund(
            purchase, amount=1500, revokes_access=last_revokes, succeeded_at=NOON + timedelta(hours=1)
        )
        failed = a_refund(
            purchase, status=RefundStatus.FAILED, revokes_access=not last_revokes, created_at=LATER
        )

        await books.pays(
            purchase, last, a_refund(purchase, amount=1000, revokes_access=not last_revokes), failed
        )

        assert await books.reason(FILM) is reason

    async def test_that_fails_after_all_gives_it_back(self, books: Books) -> None:
        purchase = a_purchase()
        refund = a_refund(purchase)
        await books.pays(replace(purchase, status=PaymentStatus.REFUNDED, refunded_amount=2500), refund)

        await books.pays(purchase, replace(refund, status=RefundStatus.FAILED), at=LATER)

        assert await books.reason(FILM, at=LATER) is R.OWNED
        [row] = await books.rows()
        assert row.revoked_at is None
        assert [record.action for record in await books.audit(row)][-1] == "entitlement.restored"


class TestDispute:
    async def test_is_followed_whenever_it_flips(self, books: Books) -> None:
        purchase = a_purchase()
        reasons = []

        for held in (0, 2500, 0, 2500, 0, 0, 2500):
            await books.pays(replace(purchase, disputed_amount=held))
            reasons.append(await books.reason(FILM))

        owned, disputed = R.OWNED, R.DISPUTED
        assert reasons == [owned, disputed, owned, disputed, owned, owned, disputed]
        [row] = await books.rows()
        verbs = [record.action.removeprefix("entitlement.") for record in await books.audit(row)]
        assert verbs == ["made", "revoked", "restored", "revoked", "restored", "revoked"]

    async def test_of_what_was_refunded_meanwhile_ends_as_a_refund(self, books: Books) -> None:
        purchase = a_purchase(status=PaymentStatus.REFUNDED, refunded_amount=2500)
        refund = a_refund(purchase)
        await books.pays(replace(purchase, disputed_amount=2500), refund)
        while_disputed = await books.reason(FILM)

        await books.pays(purchase)

        assert (while_disputed, await books.reason(FILM)) == (R.DISPUTED, R.REFUNDED)

    async def test_of_one_purchase_leaves_another_of_the_same(self, books: Books) -> None:
        await books.pays(a_purchase(disputed_amount=2500))

        await books.pays(a_purchase())

        assert await books.reason(FILM) is R.OWNED
