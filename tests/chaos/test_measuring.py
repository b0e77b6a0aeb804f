"""The experiments notice when they have measured nothing, or only half of it."""

from typing import Any

import httpx2
import pytest

from gateway.settings import DEVELOPMENT_STRIPE_KEY
from tests.acceptance.world import World
from tests.chaos.duplicates import SumsGivenBack
from tests.chaos.faults import Trouble, wrong_about
from tests.chaos.flood import Flooded, Kept
from tests.chaos.hose import Answers, Poured
from tests.chaos.keys import on_every_post
from tests.chaos.laboratory import Laboratory
from tests.chaos.referee import Referee
from tests.chaos.shop import nobody_yet, wish
from tests.chaos.wishes import Kind, Told, Wish

PAID = Told(object_id="1", status="COMPLETED")
AMOUNT = 2000


class TestReferee:
    async def test_that_looks_again_sees_what_stripe_carried_out_late(self, laboratory: Laboratory) -> None:
        """The first request's caller has gone, and the second one goes under another key."""
        async with laboratory.world() as world:
            await world.spoil(path=Kind.PAYMENT.stripe_path, method="POST", kind="delay", seconds=1.0)
            with pytest.raises(httpx2.ReadTimeout):
                await charged(world, "first", timeout=0.2)
            await charged(world, "second")
            referee = Referee(world=world)

            first = await referee.judged({a_payment(): PAID}, within=0, must_be_told=True)
            last = await referee.closing(within=0)

        assert (first.verdict.charged_twice, last.charged_twice) == (0, 1)


async def charged(world: World, key: str, **settings: Any) -> None:
    form = {
        "amount": str(AMOUNT),
        "currency": "eur",
        "payment_method": "pm_card_visa",
        "confirm": "true",
        "automatic_payment_methods[enabled]": "true",
        "automatic_payment_methods[allow_redirects]": "never",
    }
    headers = {"Authorization": f"Bearer {DEVELOPMENT_STRIPE_KEY}", "Idempotency-Key": key}
    answer = await world.control.post("/v1/payment_intents", data=form, headers=headers, **settings)
    assert answer.status_code == 200, answer.text


def a_payment() -> Wish:
    buyer = nobody_yet()
    return wish(Kind.PAYMENT, buyer, buyer, AMOUNT, {})


class TestKeys:
    async def test_of_which_there_are_none_prove_nothing(self, laboratory: Laboratory) -> None:
        [found] = await on_every_post(laboratory)

        assert not found.holds

    async def test_of_all_worlds_are_counted(self, laboratory: Laboratory) -> None:
        laboratory.tally.add({"keys_executed": 3, "posts_without_key": 0})
        [before] = await on_every_post(laboratory)
        laboratory.tally.add({"keys_executed": 3, "posts_without_key": 1})
        [after] = await on_every_post(laboratory)

        assert (before.holds, after.holds) == (True, False)


class TestTroubles:
    @pytest.mark.parametrize("times", [1, 4])
    def test_that_was_never_met_was_not_tried(self, times: int) -> None:
        for trouble in (Trouble(kind="html"), Trouble(kind="error_after"), Trouble(kind="delay", seconds=12)):
            assert wrong_about(trouble, times, met=0, told=PAID)

    def test_that_was_met_too_rarely_was_not_tried(self) -> None:
        assert wrong_about(Trouble(kind="html"), 4, met=3, told=PAID)
        assert not wrong_about(Trouble(kind="html"), 4, met=4, told=PAID)

    def test_that_was_met_and_ended_otherwise_is_told(self) -> None:
        assert wrong_about(Trouble(kind="html", status="FAILED"), 1, met=1, told=PAID)
        assert wrong_about(Trouble(kind="html"), 1, met=1, told=None)


class TestSumsGivenBack:
    @pytest.mark.parametrize(
        ("stripe", "ours", "told"), [(90, 60, 90), (90, 90, 120), (120, 120, 120), (0, 0, 0)]
    )
    def test_that_differ_or_are_too_much_or_nothing_do_not_agree(
        self, stripe: int, ours: int, told: int
    ) -> None:
        assert not SumsGivenBack(stripe=stripe, ours=ours, told=told).agree_within(100)

    def test_that_are_the_same_agree(self) -> None:
        assert SumsGivenBack(stripe=90, ours=90, told=90).agree_within(100)


WELL = Answers(statuses=[200], milliseconds=[1.0], seconds=1.0)
REFUSED = Answers(statuses=[200, 429], milliseconds=[1.0, 1.0], seconds=1.0)
HANDLED = Kept(lost=0, handled=1, overlooked=0)


class TestFlood:
    def test_that_was_taken_and_handled_holds(self) -> None:
        assert flooded(webhooks=WELL, reads=WELL, kept=HANDLED).loses_nothing

    @pytest.mark.parametrize(
        "kept",
        [
            Kept(lost=1, handled=1, overlooked=0),
            Kept(lost=0, handled=0, overlooked=0),
            Kept(lost=0, handled=1, overlooked=1),
        ],
    )
    def test_of_which_not_all_was_handled_does_not_hold(self, kept: Kept) -> None:
        assert not flooded(webhooks=WELL, reads=WELL, kept=kept).loses_nothing

    @pytest.mark.parametrize(
        ("webhooks", "reads"), [(REFUSED, WELL), (WELL, REFUSED), (WELL, Answers()), (Answers(), WELL)]
    )
    def test_of_which_some_was_refused_or_never_asked_does_not_hold(
        self, webhooks: Answers, reads: Answers
    ) -> None:
        assert not flooded(webhooks=webhooks, reads=reads, kept=HANDLED).loses_nothing


def flooded(*, webhooks: Answers, reads: Answers, kept: Kept) -> Flooded:
    idle = Poured(webhooks=Answers(), reads=WELL)
    return Flooded(idle=idle, beside=Poured(webhooks=webhooks, reads=reads), kept=kept)
