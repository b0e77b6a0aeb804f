import time

import httpx2
from stripe import Customer, Price, StripeClient

from sandbox import Sandbox
from sandbox.state.ids import new_id
from tests.sandbox.billing import DAY, MONTH_END, go_to, subscribe
from tests.sandbox.payments import payment

FORM = {"amount": "2000", "currency": "usd"}
MANY = 10_000


class TestPayments:
    async def test_shows_keys_captures_and_totals(self, client: StripeClient, sandbox: Sandbox) -> None:
        held = await client.v1.payment_intents.create_async(
            payment(capture_method="manual", metadata={"payment": "17"}), {"idempotency_key": "charge-17"}
        )
        await client.v1.payment_intents.capture_async(
            held.id, {"amount_to_capture": 1500}, {"idempotency_key": "capture-17"}
        )
        await client.v1.payment_intents.create_async(payment(currency="jpy", amount=300))

        ledger = sandbox.ledger()

        assert ledger["payment_intents"][0] == {
            "id": held.id,
            "status": "succeeded",
            "metadata": {"payment": "17"},
            "customer": None,
            "invoice": None,
            "idempotency_keys": ["charge-17", "capture-17"],
            "currency": "usd",
            "amount": 2000,
            "amount_captured": 1500,
            "captures": 1,
            "amount_refunded": 0,
            "refunds": [],
            "disputes": [],
        }
        assert ledger["totals"] == {
            "payment_intents": 2,
            "captures": 2,
            "refunds": 0,
            "disputes": 0,
            "amount_captured": {"usd": 1500, "jpy": 300},
            "amount_refunded": {"usd": 0, "jpy": 0},
            "subscriptions": 0,
            "live_subscriptions": 0,
            "customers": 0,
            "posts_without_key": 0,
        }

    async def test_tells_under_which_key_each_refund_was_made(
        self, client: StripeClient, sandbox: Sandbox
    ) -> None:
        intent = await client.v1.payment_intents.create_async(payment())
        for key, amount in (("refund-1", 500), ("refund-2", 700)):
            await client.v1.refunds.create_async(
                {"payment_intent": intent.id, "amount": amount}, {"idempotency_key": key}
            )

        [entry] = sandbox.ledger()["payment_intents"]

        shown = [(refund["amount"], refund["idempotency_keys"]) for refund in entry["refunds"]]
        assert shown == [(500, ["refund-1"]), (700, ["refund-2"])]

    async def test_of_twenty_thousand_objects_is_told_in_a_moment(
        self, client: StripeClient, sandbox: Sandbox
    ) -> None:
        await client.v1.payment_intents.create_async(payment())
        [intent], [charge] = sandbox.objects.all("payment_intent"), sandbox.objects.all("charge")
        for _ in range(MANY):
            id_ = new_id("pi")
            sandbox.objects.insert({**intent, "id": id_})
            sandbox.objects.insert({**charge, "id": new_id("ch"), "payment_intent": id_})

        asked_at = time.process_time()
        totals = sandbox.ledger()["totals"]

        assert totals["captures"] == MANY + 1
        assert time.process_time() - asked_at < 2


class TestSubscriptions:
    async def test_tells_the_key_and_how_often_each_invoice_was_paid(
        self, client: StripeClient, sandbox: Sandbox, ada: Customer, basic: Price
    ) -> None:
        made = await client.v1.subscriptions.create_async(
            {"customer": ada.id, "items": [{"price": basic.id}], "metadata": {"subscription_id": "17"}},
            {"idempotency_key": "subscription-17"},
        )
        go_to(sandbox, MONTH_END + DAY)

        [entry] = sandbox.ledger()["subscriptions"]

        invoices = entry.pop("invoices")
        assert entry == {
            "id": made.id,
            "status": "active",
            "is_live": True,
            "customer": ada.id,
            "metadata": {"subscription_id": "17"},
            "idempotency_keys": ["subscription-17"],
        }
        assert [(each["status"], each["amount_paid"], each["captures"]) for each in invoices] == [
            ("paid", 3000, 1),
            ("paid", 3000, 1),
        ]

    async def test_tells_which_are_live_per_customer(
        self, client: StripeClient, sandbox: Sandbox, ada: Customer, basic: Price
    ) -> None:
        ended = await subscribe(client, ada, basic)
        live = await subscribe(client, ada, basic)
        await client.v1.subscriptions.cancel_async(ended.id)

        ledger = sandbox.ledger()

        assert ledger["customers"][0]["live_subscriptions"] == [live.id]
        assert (ledger["totals"]["subscriptions"], ledger["totals"]["live_subscriptions"]) == (2, 1)


class TestCustomers:
    async def test_are_counted_per_user(self, client: StripeClient, sandbox: Sandbox) -> None:
        for key, user in (("customer-1", "ada"), ("customer-2", "ada"), ("customer-3", "bob")):
            await client.v1.customers.create_async({"metadata": {"user_id": user}}, {"idempotency_key": key})
        await client.v1.customers.create_async({"name": "Nobody of ours"})

        ledger = sandbox.ledger()

        assert ledger["customers_per_user"] == {"ada": 2, "bob": 1}
        assert ledger["customers"][1]["idempotency_keys"] == ["customer-2"]


class TestRequests:
    async def test_without_a_key_are_counted_by_path(
        self, http: httpx2.AsyncClient, sandbox: Sandbox
    ) -> None:
        sandbox.requests.clear()
        intent = (await http.post("/v1/payment_intents", data=FORM)).json()
        for _ in range(2):
            await http.post(f"/v1/payment_intents/{intent['id']}", data={"description": "Film"})
        await http.post("/v1/payment_intents", data=FORM, headers={"Idempotency-Key": "order-17"})

        requests = sandbox.ledger()["requests"]

        assert requests["posts_without_key"] == 3
        assert requests["paths_without_key"] == {"/v1/payment_intents": 1, "/v1/payment_intents/pi_*": 2}

    async def test_execute_a_key_once_however_often_it_comes(
        self, http: httpx2.AsyncClient, sandbox: Sandbox
    ) -> None:
        for _ in range(3):
            await http.post("/v1/payment_intents", data=FORM, headers={"Idempotency-Key": "order-17"})

        requests = sandbox.ledger()["requests"]

        assert (requests["keys_executed"], requests["keys_executed_again"]) == (1, {})

    async def test_execute_a_key_again_once_it_is_forgotten(
        self, http: httpx2.AsyncClient, sandbox: Sandbox
    ) -> None:
        for _ in range(2):
            await http.post("/v1/payment_intents", data=FORM, headers={"Idempotency-Key": "order-17"})
            sandbox.advance(DAY + 1)

        assert sandbox.ledger()["requests"]["keys_executed_again"] == {"order-17": 2}
