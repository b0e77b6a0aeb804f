import asyncio
import re

import httpx2
import pytest
from stripe import CardError, IdempotencyError, InvalidRequestError, StripeClient

from sandbox import Sandbox
from sandbox.control.faults import Kind, Rule
from tests.sandbox.payments import payment

DAY = 24 * 3_600
FORM = {
    "amount": "2000",
    "currency": "usd",
    "payment_method": "pm_card_visa",
    "confirm": "true",
    "off_session": "true",
}


def keyed(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


class TestReplay:
    async def test_answers_again_without_executing_again(
        self, http: httpx2.AsyncClient, sandbox: Sandbox
    ) -> None:
        first = await http.post("/v1/payment_intents", data=FORM, headers=keyed("order-17"))
        again = await http.post("/v1/payment_intents", data=FORM, headers=keyed("order-17"))

        assert (first.status_code, again.status_code) == (200, 200)
        assert again.content == first.content
        assert "idempotent-replayed" not in first.headers
        assert again.headers["idempotent-replayed"] == "true"
        assert again.headers["original-request"] == first.headers["request-id"]
        assert again.headers["request-id"] != first.headers["request-id"]
        assert sandbox.ledger()["totals"]["captures"] == 1

    async def test_the_order_of_parameters_does_not_matter(self, http: httpx2.AsyncClient) -> None:
        await http.post("/v1/payment_intents", data=FORM, headers=keyed("order-17"))

        again = await http.post(
            "/v1/payment_intents", data=dict(reversed(FORM.items())), headers=keyed("order-17")
        )

        assert again.headers["idempotent-replayed"] == "true"

    async def test_a_decline_is_remembered(self, client: StripeClient, sandbox: Sandbox) -> None:
        declined = payment(payment_method="pm_card_visa_chargeDeclined")
        with pytest.raises(CardError) as first:
            await client.v1.payment_intents.create_async(declined, {"idempotency_key": "order-17"})
        with pytest.raises(CardError) as again:
            await client.v1.payment_intents.create_async(declined, {"idempotency_key": "order-17"})

        assert again.value.json_body == first.value.json_body
        assert len(sandbox.ledger()["payment_intents"]) == 1

    async def test_a_wrong_state_is_remembered(self, client: StripeClient) -> None:
        intent = await client.v1.payment_intents.create_async({"amount": 2000, "currency": "usd"})
        with pytest.raises(InvalidRequestError):
            await client.v1.payment_intents.capture_async(intent.id, None, {"idempotency_key": "capture-17"})
        await client.v1.payment_intents.confirm_async(
            intent.id,
            {
                "payment_method": "pm_card_visa",
                "capture_method": "manual",
                "return_url": "https://example.com",
            },
        )

        with pytest.raises(InvalidRequestError) as again:
            await client.v1.payment_intents.capture_async(intent.id, None, {"idempotency_key": "capture-17"})

        assert again.value.headers is not None
        assert again.value.headers["idempotent-replayed"] == "true"

    async def test_a_failed_validation_is_not_remembered(self, client: StripeClient) -> None:
        with pytest.raises(InvalidRequestError):
            await client.v1.payment_intents.create_async(payment(amount=1), {"idempotency_key": "order-17"})

        intent = await client.v1.payment_intents.create_async(payment(), {"idempotency_key": "order-17"})

        assert intent.status == "succeeded"

    async def test_lasts_a_day_of_the_sandboxs_clock(self, client: StripeClient, sandbox: Sandbox) -> None:
        first = await client.v1.payment_intents.create_async(payment(), {"idempotency_key": "order-17"})
        sandbox.advance(DAY - 60)
        within = await client.v1.payment_intents.create_async(payment(), {"idempotency_key": "order-17"})
        sandbox.advance(120)

        after = await client.v1.payment_intents.create_async(payment(), {"idempotency_key": "order-17"})

        assert within.id == first.id
        assert after.id != first.id


class TestConflict:
    async def test_other_parameters_are_refused(self, client: StripeClient, sandbox: Sandbox) -> None:
        await client.v1.payment_intents.create_async(payment(), {"idempotency_key": "order-17"})

        with pytest.raises(IdempotencyError) as refused:
            await client.v1.payment_intents.create_async(
                payment(amount=2001), {"idempotency_key": "order-17"}
            )

        assert (refused.value.http_status, refused.value.code) == (400, None)
        assert sandbox.ledger()["totals"]["captures"] == 1

    async def test_another_endpoint_is_refused(self, client: StripeClient) -> None:
        await client.v1.customers.create_async({}, {"idempotency_key": "once"})

        with pytest.raises(IdempotencyError):
            await client.v1.setup_intents.create_async({}, {"idempotency_key": "once"})

    async def test_a_key_in_use_is_refused_until_its_answer_is_there(
        self, http: httpx2.AsyncClient, sandbox: Sandbox
    ) -> None:
        sandbox.faults.add([Rule(path=re.compile("payment_intents"), kind=Kind.DELAY, seconds=0.2)])
        slow = asyncio.create_task(http.post("/v1/payment_intents", data=FORM, headers=keyed("order-17")))
        await asyncio.sleep(0.05)

        early = await http.post("/v1/payment_intents", data=FORM, headers=keyed("order-17"))
        first = await slow
        late = await http.post("/v1/payment_intents", data=FORM, headers=keyed("order-17"))

        assert early.status_code == 409
        assert early.json()["error"]["code"] == "idempotency_key_in_use"
        assert early.headers["stripe-should-retry"] == "true"
        assert late.content == first.content

    async def test_fifty_at_once_charge_once(self, http: httpx2.AsyncClient, sandbox: Sandbox) -> None:
        answers = await asyncio.gather(
            *(http.post("/v1/payment_intents", data=FORM, headers=keyed("order-17")) for _ in range(50))
        )

        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert sandbox.ledger()["totals"]["captures"] == 1

    async def test_a_key_of_256_characters_is_refused(self, http: httpx2.AsyncClient) -> None:
        allowed = await http.post("/v1/customers", headers=keyed("k" * 255))
        refused = await http.post("/v1/customers", headers=keyed("k" * 256))

        assert (allowed.status_code, refused.status_code) == (200, 400)
