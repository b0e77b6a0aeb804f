"""What was bought is accessible as long as the money stays here, whichever way it goes and comes back."""

import pytest

from domain.access import AccessReason
from domain.payment import Payment
from sandbox import Sandbox
from tests.domain.shopping import Post, Shopper


@pytest.fixture
async def film(shopper: Shopper) -> Payment:
    await shopper.saves("pm_card_refundFail")
    return await shopper.pays(media_item_id="film-17")


async def lost_because(shopper: Shopper, payment: Payment) -> AccessReason | None:
    async with shopper.gateway.services.database.reads() as reads:
        entitlement = await reads.entitlements.of_payment(payment.id)
    assert entitlement is not None
    return entitlement.revoked_reason


class TestRefund:
    async def test_of_all_takes_access_away_and_its_failure_gives_it_back(
        self, shopper: Shopper, clerk: Shopper, film: Payment, sandbox: Sandbox, post: Post
    ) -> None:
        before = await lost_because(shopper, film)
        refund = await clerk.gives_back(film)
        during = await lost_because(shopper, film)

        sandbox.decide_refund(refund.processor_refund_id or "", "failed")
        await post.deliver_all()

        assert (before, during) == (None, AccessReason.REFUNDED)
        assert await lost_because(shopper, film) is None

    async def test_of_a_part_or_out_of_goodwill_leaves_access(
        self, shopper: Shopper, clerk: Shopper, film: Payment
    ) -> None:
        await clerk.gives_back(film, 100)
        await clerk.gives_back(film, revokes_access=False)

        assert await lost_because(shopper, film) is None

    async def test_in_the_dashboard_takes_access_away(
        self, shopper: Shopper, film: Payment, sandbox: Sandbox, post: Post
    ) -> None:
        sandbox.refund(film.processor_payment_id or "")
        await post.deliver_all()

        assert await lost_because(shopper, film) is AccessReason.REFUNDED


class TestDispute:
    async def test_suspends_access_with_every_change_of_mind(
        self, shopper: Shopper, film: Payment, sandbox: Sandbox, post: Post
    ) -> None:
        dispute = sandbox.dispute(film.processor_payment_id or "")
        await post.deliver_all()
        seen = [await lost_because(shopper, film)]

        for status in ("won", "lost", "won"):
            sandbox.decide_dispute(dispute["id"], status)
            await post.deliver_all()
            seen.append(await lost_because(shopper, film))

        assert seen == [AccessReason.DISPUTED, None, AccessReason.DISPUTED, None]
