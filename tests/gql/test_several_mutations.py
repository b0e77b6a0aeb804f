from typing import Any

from tests.api import EURO, Api, fresh_key


def creation(**given: Any) -> dict[str, Any]:
    return {"idempotencyKey": fresh_key(), "charge": EURO, **given}


class TestUserErrorsExtension:
    async def test_repeats_the_codes_of_all_payloads(self, api: Api) -> None:
        body = await api.answer(
            """mutation($one: CreatePaymentInput!, $two: AddPaymentMethodInput!) {
                createPayment(input: $one) { errors { code } }
                second: addPaymentMethod(input: $two) { errors { code } }
            }""",
            {"one": creation(description="\0"), "two": {"stripePaymentMethodId": "tok_visa"}},
        )

        assert body["extensions"]["userErrors"] == [
            {"mutation": "createPayment", "code": "INVALID_INPUT"},
            {"mutation": "addPaymentMethod", "code": "INVALID_INPUT"},
        ]

    async def test_is_absent_where_all_went_well(self, api: Api) -> None:
        body = await api.answer(
            'mutation { addPaymentMethod(input: {stripePaymentMethodId: "pm_card_visa"}) { errors { code } } }'
        )

        assert body == {"data": {"addPaymentMethod": {"errors": []}}}


class TestSeveralMutations:
    async def test_run_in_order_and_each_shows_what_it_left(self, api: Api) -> None:
        card = await api.add_card()
        rename = 'updatePaymentMethod(input: {id: "%s", billingName: "%s"}) { paymentMethod { billingName version } }'

        renamings = [f"m{at}: {rename % (card, name)}" for at, name in enumerate(("Ada", "Grace", "Ada"))]

        data = await api.run(f"mutation {{ {' '.join(renamings)} }}")

        names = [part["paymentMethod"]["billingName"] for part in data.values()]
        versions = [part["paymentMethod"]["version"] for part in data.values()]
        assert names == ["Ada", "Grace", "Ada"]
        assert versions == sorted(set(versions))

    async def test_one_that_is_refused_does_not_stop_the_next(self, api: Api) -> None:
        data = await api.run(
            """mutation {
                wrong: addPaymentMethod(input: {stripePaymentMethodId: "tok_visa"}) { errors { code } }
                right: addPaymentMethod(input: {stripePaymentMethodId: "pm_card_visa"}) { errors { code } }
            }"""
        )

        assert data == {"wrong": {"errors": [{"code": "INVALID_INPUT"}]}, "right": {"errors": []}}
