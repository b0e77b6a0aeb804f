import asyncio

from domain.actor import Actor
from domain.payment import Payment
from tests.api import Api
from tests.gql.many_payments import NUMBER


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
