"""Payments as old callers collect and read them."""

from sandbox import Sandbox
from tests.api import Api, fresh_key
from tests.rest import Rest


class TestCreate:
    async def test_collects_a_payment_and_says_where_it_is(self, rest: Rest, api: Api) -> None:
        await api.add_card()

        made = await rest.pay(description="Film", metadata={"order": 17})

        payment = made.json()["data"]
        assert made.status_code == 201, made.text
        assert (payment["status"], payment["status_detail"]) == ("completed", "COMPLETED")
        assert (payment["amount"], payment["currency"], payment["amount_captured"]) == (1250, "EUR", 1250)
        assert (payment["description"], payment["metadata"]) == ("Film", {"order": 17})
        assert payment["payment_method"]["last4"] == "4242"
        assert (await rest.http.get(made.headers["location"], headers=rest.headers)).json()["data"] == payment

    async def test_again_with_the_same_key_is_a_replay(self, rest: Rest, api: Api, sandbox: Sandbox) -> None:
        await api.add_card()
        key = fresh_key()

        first, again = [await rest.pay(key=key) for _ in range(2)]

        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json()["data"] == again.json()["data"]
        assert (first.headers.get("idempotent-replayed"), again.headers["idempotent-replayed"]) == (
            None,
            "true",
        )
        assert again.headers["idempotency-key"] == key
        assert again.json()["meta"] == {"replayed": True, "outcome_known": True}
        assert sandbox.ledger()["totals"]["captures"] == 1
