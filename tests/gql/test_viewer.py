import asyncio

import pytest

from domain.actor import Actor
from domain.payment import Payment
from tests.api import Api
from tests.gql.many_payments import NUMBER

BILLING_ACCOUNT = "query($userId: ID!) { billingAccount(userId: $userId) { id user { id } } }"


class TestBillingAccount:
    @pytest.mark.parametrize("caller", ["api", "supports", "admins"])
    async def test_is_found_by_its_user_and_by_staff(
        self, caller: str, api: Api, actor: Actor, request: pytest.FixtureRequest
    ) -> None:
        await api.run("{ viewer { id } }")
        whoever: Api = request.getfixturevalue(caller)

        data = await whoever.run(BILLING_ACCOUNT, {"userId": str(actor.user_id)})

        assert data["billingAccount"] == {
            "id": f"acc_{actor.known_id.hex}",
            "user": {"id": str(actor.user_id)},
        }

    @pytest.mark.parametrize("caller", ["others", "services"])
    async def test_of_another_user_is_not_there(
        self, caller: str, api: Api, actor: Actor, request: pytest.FixtureRequest
    ) -> None:
        await api.run("{ viewer { id } }")
        whoever: Api = request.getfixturevalue(caller)

        assert await whoever.refusals(BILLING_ACCOUNT, {"userId": str(actor.user_id)}) == ["NOT_FOUND"]

    @pytest.mark.parametrize("user_id", ["0198a6b2-0000-7000-8000-000000000000", "nonsense"])
    async def test_of_nobody_is_not_there(self, admins: Api, user_id: str) -> None:
        assert await admins.refusals(BILLING_ACCOUNT, {"userId": user_id}) == ["NOT_FOUND"]


class TestViewer:
    async def test_has_an_account_at_first_sight_and_the_same_one_for_all_who_ask_at_once(
        self, api: Api, actor: Actor
    ) -> None:
        asked = """{ viewer {
            id user { id } defaultPaymentMethod { id } paymentMethods { id } payments { totalCount }
        } }"""

        seen = await asyncio.gather(*(api.run(asked) for _ in range(5)))

        assert all(data == seen[0] for data in seen)
        assert seen[0]["viewer"] == {
            "id": f"acc_{actor.known_id.hex}",
            "user": {"id": str(actor.user_id)},
            "defaultPaymentMethod": None,
            "paymentMethods": [],
            "payments": {"totalCount": 0},
        }

    async def test_shows_methods_default_first_and_removed_ones_only_when_asked(self, api: Api) -> None:
        cards = [await api.add_card(name) for name in ("pm_card_visa", "pm_card_mastercard", "pm_card_amex")]
        await api.mutate("deletePaymentMethod", {"id": cards[0], "replaceWithId": cards[1]}, "deletedId")

        viewer = (
            await api.run(
                """{ viewer {
                    defaultPaymentMethod { id }
                    paymentMethods { id state }
                    all: paymentMethods(includeDetached: true) { id state }
                } }"""
            )
        )["viewer"]

        assert viewer["defaultPaymentMethod"]["id"] == cards[1]
        assert [method["id"] for method in viewer["paymentMethods"]] == [cards[1], cards[2]]
        assert {method["id"]: method["state"] for method in viewer["all"]}[cards[0]] == "DETACHED"

    async def test_lists_only_their_own_payments_even_for_staff(
        self, admins: Api, api: Api, made: list[Payment]
    ) -> None:
        asked = "{ viewer { payments { totalCount } } }"

        assert (await admins.run(asked))["viewer"]["payments"]["totalCount"] == 0
        assert (await api.run(asked))["viewer"]["payments"]["totalCount"] == NUMBER
