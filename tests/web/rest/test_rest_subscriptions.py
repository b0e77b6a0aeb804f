"""Subscribing, changing and ending, over the REST API."""

from typing import Any

import pytest

from gateway.wiring import Gateway
from sandbox import Sandbox
from sandbox.control.faults import Kind
from tests.api import fresh_key
from tests.domain.faults import resumed_later, spoil
from tests.rest import Rest, error_of, faults
from tests.web.rest.conftest import Sells


@pytest.fixture
async def subscription(rest: Rest, sells: Sells) -> str:
    """To a plan for 15.00 USD a month."""
    await rest.add_card()
    made = await rest.post("/subscriptions", {"plan_id": await sells()})
    identity: str = made.json()["data"]["id"]
    return identity


class TestCreate:
    async def test_subscribes_once_per_key_and_plan(self, rest: Rest, sells: Sells, sandbox: Sandbox) -> None:
        card, plan, key = await rest.add_card(), await sells(), fresh_key()
        asked = {"plan_id": plan, "payment_method_id": card}

        made = await rest.post("/subscriptions", asked, key=key)
        replayed = await rest.post("/subscriptions", asked, key=key)
        second = await rest.post("/subscriptions", asked)

        subscription = made.json()["data"]
        assert (made.status_code, replayed.status_code, second.status_code) == (201, 200, 409)
        assert (subscription["status"], subscription["plan_id"]) == ("active", plan)
        assert subscription["payment_method_id"] == card
        assert (error_of(second)["code"], error_of(second)["existing_id"]) == (
            "ALREADY_SUBSCRIBED",
            subscription["id"],
        )
        assert sandbox.ledger()["totals"]["captures"] == 1

    async def test_with_a_card_that_is_declined_gives_no_access(self, rest: Rest, sells: Sells) -> None:
        await rest.add_card("pm_card_chargeCustomerFail")

        declined = await rest.post("/subscriptions", {"plan_id": await sells()})

        resource = error_of(declined)["resource"]
        assert (declined.status_code, error_of(declined)["code"]) == (402, "DECLINED")
        assert (resource["status"], resource["status_detail"]) == ("past_due", "INCOMPLETE")

    async def test_that_a_bank_must_approve_is_accepted(self, rest: Rest, sells: Sells) -> None:
        await rest.add_card("pm_card_authenticationRequired")

        waiting = await rest.post("/subscriptions", {"plan_id": await sells()})

        assert (waiting.status_code, waiting.json()["data"]["status"]) == (202, "past_due")
        assert waiting.json()["data"]["next_action"]["client_secret"]

    async def test_to_a_plan_whose_trial_was_had_goes_without_it(self, rest: Rest, sells: Sells) -> None:
        await rest.add_card()
        first, second = [
            await sells(recurring={"interval": "month", "trial_period_days": 7}) for _ in range(2)
        ]
        await rest.post("/subscriptions", {"plan_id": first})

        refused = await rest.post("/subscriptions", {"plan_id": second})
        made = await rest.post("/subscriptions", {"plan_id": second, "use_trial": False})

        assert (refused.status_code, faults(refused)) == (409, {"use_trial": "TRIAL_USED"})
        assert (made.status_code, made.json()["data"]["trial_ends_at"]) == (201, None)


class TestUpdate:
    async def test_makes_all_changes_at_once(self, rest: Rest, sells: Sells, subscription: str) -> None:
        card, plan = await rest.add_card("pm_card_mastercard"), await sells(3000)
        asked = {
            "plan_id": plan,
            "payment_method_id": card,
            "metadata": {"a": 1},
            "cancel_at_period_end": True,
        }

        changed = await rest.put(f"/subscriptions/{subscription}", asked)

        assert changed.status_code == 200
        assert {name: changed.json()["data"][name] for name in asked} == asked
        assert sorted(changed.json()["meta"]["applied"]) == sorted(asked)

    async def test_to_what_is_so_already_changes_nothing(
        self, rest: Rest, subscription: str, sells: Sells
    ) -> None:
        plan = await sells(900)
        asked = {"plan_id": plan, "cancel_at_period_end": True}
        first = await rest.put(f"/subscriptions/{subscription}", asked)

        again = await rest.put(f"/subscriptions/{subscription}", asked)
        kept = [
            await rest.put(f"/subscriptions/{subscription}", {"cancel_at_period_end": False})
            for _ in range(2)
        ]

        assert (again.status_code, again.json()["data"]) == (200, first.json()["data"])
        assert [each.status_code for each in kept] == [200, 200]
        assert kept[0].json()["data"] == kept[1].json()["data"]
        assert kept[0].json()["data"]["cancel_at_period_end"] is False

    async def test_of_what_has_ended_is_a_conflict_whatever_is_asked(
        self, rest: Rest, subscription: str
    ) -> None:
        ended = (await rest.delete(f"/subscriptions/{subscription}")).json()["data"]

        bodies = [
            {"plan_id": ended["plan_id"]},
            {"cancel_at_period_end": True},
            {"cancel_at_period_end": False},
        ]
        refused = [await rest.put(f"/subscriptions/{subscription}", body) for body in bodies]

        assert [(each.status_code, error_of(each)["current"]) for each in refused] == [(409, "CANCELLED")] * 3

    async def test_is_a_replay_under_the_same_key(self, rest: Rest, subscription: str, sells: Sells) -> None:
        asked, key = {"plan_id": await sells(3000)}, fresh_key()

        first, again = [await rest.put(f"/subscriptions/{subscription}", asked, key=key) for _ in range(2)]

        assert first.json()["data"] == again.json()["data"]
        assert (first.json()["meta"]["replayed"], again.json()["meta"]["replayed"]) == (False, True)
        assert again.headers["idempotent-replayed"] == "true"

    @pytest.mark.parametrize(
        ("other", "differs"),
        [
            ({"cancel_at_period_end": False}, {"cancel_at_period_end"}),
            ({"metadata": {"a": 1}}, {"cancel_at_period_end", "metadata"}),
            ({"cancel_at_period_end": True, "metadata": {"a": 1}}, {"metadata"}),
        ],
    )
    async def test_of_another_body_under_the_same_key_is_refused(
        self, rest: Rest, subscription: str, other: dict[str, Any], differs: set[str]
    ) -> None:
        key, path = fresh_key(), f"/subscriptions/{subscription}"
        first = await rest.put(path, {"cancel_at_period_end": True}, key=key)

        reused = await rest.put(path, other, key=key)

        assert (reused.status_code, error_of(reused)["code"]) == (422, "KEY_REUSED")
        assert faults(reused) == dict.fromkeys(differs, "DIFFERENT")
        [now] = await rest.data("/subscriptions")
        assert now == first.json()["data"]

    async def test_of_another_subscription_under_the_same_key_is_refused(
        self, rest: Rest, subscription: str, sells: Sells
    ) -> None:
        other = (await rest.post("/subscriptions", {"plan_id": await sells(700)})).json()["data"]["id"]
        asked, key = {"cancel_at_period_end": True}, fresh_key()
        await rest.put(f"/subscriptions/{subscription}", asked, key=key)

        reused = await rest.put(f"/subscriptions/{other}", asked, key=key)

        assert (reused.status_code, faults(reused)) == (422, {"id": "DIFFERENT"})

    async def test_of_another_users_subscription_finds_none(self, others: Rest, subscription: str) -> None:
        refused = await others.put(
            f"/subscriptions/{subscription}", {"cancel_at_period_end": True}, key=fresh_key()
        )

        assert (refused.status_code, error_of(refused)["code"]) == (404, "NOT_FOUND")

    async def test_that_fails_halfway_tells_what_took_effect(
        self, rest: Rest, sells: Sells, subscription: str
    ) -> None:
        bad = await rest.add_card("pm_card_chargeCustomerFail")
        asked = {"plan_id": await sells(3000), "payment_method_id": bad, "cancel_at_period_end": True}

        declined = await rest.put(f"/subscriptions/{subscription}", asked)

        error = error_of(declined)
        assert (declined.status_code, error["code"]) == (402, "DECLINED")
        assert (error["applied"], error["resource"]["payment_method_id"]) == (["payment_method_id"], bad)
        assert error["resource"]["plan_id"] != asked["plan_id"]
        assert error["resource"]["cancel_at_period_end"] is False

    async def test_to_nothing_is_refused(self, rest: Rest, subscription: str) -> None:
        refused = [await rest.put(f"/subscriptions/{subscription}", body) for body in ({}, {"plan_id": None})]

        assert [(each.status_code, list(faults(each).values())) for each in refused] == [
            (422, ["required"])
        ] * 2


class TestUpdateWhileAnotherIsUnderWay:
    """Of which nobody knows yet what becomes: that it is so already is not said."""

    async def test_that_takes_the_end_back_leaves_it_open_whether_it_ends(
        self, rest: Rest, subscription: str, sandbox: Sandbox, gateway: Gateway, impatient: None
    ) -> None:
        path = f"/subscriptions/{subscription}"
        await rest.put(path, {"cancel_at_period_end": True})
        spoil(sandbox, "/v1/subscription", Kind.ERROR_BEFORE)
        kept = await rest.put(path, {"cancel_at_period_end": False})

        refused = await rest.put(path, {"cancel_at_period_end": True})

        sandbox.faults.clear()
        await resumed_later(gateway)
        assert (kept.status_code, refused.status_code) == (202, 409)
        assert (error_of(refused)["retry"], error_of(refused)["current"]) == ("LATER_SAME_KEY", "BUSY")
        ending = await rest.put(path, {"cancel_at_period_end": True})
        assert (ending.status_code, ending.json()["meta"]["applied"]) == (200, ["cancel_at_period_end"])
        assert ending.json()["data"]["cancel_at_period_end"] is True

    async def test_that_changes_the_plan_leaves_it_open_which_it_is(
        self, rest: Rest, subscription: str, sells: Sells, sandbox: Sandbox, impatient: None
    ) -> None:
        path = f"/subscriptions/{subscription}"
        [former] = [each["plan_id"] for each in await rest.data("/subscriptions")]
        spoil(sandbox, "/v1/subscription", Kind.ERROR_BEFORE)
        changing = await rest.put(path, {"plan_id": await sells(3000)})

        refused = await rest.put(path, {"plan_id": former})

        assert (changing.status_code, refused.status_code) == (202, 409)
        assert error_of(refused)["retry"] == "LATER_SAME_KEY"

    async def test_that_ends_it_leaves_it_open_whether_it_goes_on(
        self, rest: Rest, subscription: str, sandbox: Sandbox, impatient: None
    ) -> None:
        path = f"/subscriptions/{subscription}"
        spoil(sandbox, "/v1/subscription", Kind.ERROR_BEFORE)
        ending = await rest.put(path, {"cancel_at_period_end": True})

        refused = await rest.put(path, {"cancel_at_period_end": False})

        assert (ending.status_code, refused.status_code) == (202, 409)
        assert error_of(refused)["retry"] == "LATER_SAME_KEY"


class TestCancel:
    async def test_ends_it_now_unless_it_may_run_out(
        self, rest: Rest, sells: Sells, subscription: str
    ) -> None:
        other = (await rest.post("/subscriptions", {"plan_id": await sells(700)})).json()["data"]["id"]

        now = await rest.delete(f"/subscriptions/{subscription}")
        later = await rest.delete(f"/subscriptions/{other}", at_period_end="true")

        assert (now.status_code, now.json()["data"]["status"]) == (200, "cancelled")
        assert (later.status_code, later.json()["data"]["status"]) == (200, "active")
        assert later.json()["data"]["cancel_at_period_end"] is True

    async def test_of_what_has_ended_is_a_conflict_but_not_under_the_same_key(
        self, rest: Rest, subscription: str
    ) -> None:
        key = fresh_key()
        await rest.delete(f"/subscriptions/{subscription}", key=key)

        again = await rest.delete(f"/subscriptions/{subscription}", key=key)
        anew = await rest.delete(f"/subscriptions/{subscription}")

        assert (again.status_code, again.headers["idempotent-replayed"]) == (200, "true")
        assert (anew.status_code, error_of(anew)["current"]) == (409, "CANCELLED")


class TestInUse:
    async def test_is_told_of_a_method_until_another_takes_its_place(
        self, rest: Rest, subscription: str
    ) -> None:
        [card] = [each["id"] for each in await rest.data("/payment-methods")]
        heir = await rest.add_card("pm_card_mastercard")

        refused = await rest.delete(f"/payment-methods/{card}")
        gone = await rest.delete(f"/payment-methods/{card}", replace_with_id=heir)

        assert (refused.status_code, error_of(refused)["subscription_ids"]) == (409, [subscription])
        assert gone.status_code == 204
