"""Saved ways to pay, over the REST API."""

from tests.api import fresh_key
from tests.rest import Rest, error_of, faults


class TestMethods:
    async def test_the_default_one_comes_first(self, rest: Rest) -> None:
        first = await rest.add_card()
        second = await rest.add_card("pm_card_mastercard")
        third = await rest.add_card("pm_card_amex", is_default=True)

        listed = await rest.get("/payment-methods")

        assert [each["id"] for each in listed.json()["data"]] == [third, second, first]
        assert listed.json()["meta"] == {"total": 3}

    async def test_are_corrected_and_made_the_default(self, rest: Rest) -> None:
        await rest.add_card()
        card = await rest.add_card("pm_card_mastercard")

        changed = await rest.put(
            f"/payment-methods/{card}",
            {"exp_month": 7, "exp_year": 2031, "billing_name": "Ada", "is_default": True},
        )

        method = changed.json()["data"]
        assert (changed.status_code, method["exp_month"], method["exp_year"]) == (200, 7, 2031)
        assert (method["billing_name"], method["is_default"], method["status"]) == ("Ada", True, "usable")

    async def test_do_not_cease_to_be_the_default_by_themselves(self, rest: Rest) -> None:
        card = await rest.add_card()

        refused = await rest.put(f"/payment-methods/{card}", {"is_default": False})

        assert (refused.status_code, list(faults(refused))) == (422, ["is_default"])

    async def test_are_gone_once_they_are_deleted_and_again_under_the_same_key(self, rest: Rest) -> None:
        card, key = await rest.add_card(), fresh_key()

        gone = await rest.delete(f"/payment-methods/{card}", key=key)
        again = await rest.delete(f"/payment-methods/{card}", key=key)
        anew = await rest.delete(f"/payment-methods/{card}")

        assert (gone.status_code, gone.content, "etag" in gone.headers) == (204, b"", False)
        assert (again.status_code, again.headers["idempotent-replayed"]) == (204, "true")
        assert (anew.status_code, error_of(anew)["current"]) == (409, "DETACHED")
        assert await rest.data("/payment-methods") == []

    async def test_of_a_stolen_card_look_like_any_that_are_refused(self, rest: Rest) -> None:
        refused = await rest.post(
            "/payment-methods", {"stripe_payment_method_id": "pm_card_visa_chargeDeclinedStolenCard"}
        )

        assert (refused.status_code, error_of(refused)["decline"]["code"]) == (402, "generic_decline")
        assert "stolen" not in refused.text

    async def test_that_stripe_does_not_know_are_refused(self, rest: Rest) -> None:
        refused = await rest.post("/payment-methods", {"stripe_payment_method_id": "pm_nobodyKnowsIt"})

        assert (refused.status_code, error_of(refused)["code"]) == (422, "PROVIDER_REFUSED")
