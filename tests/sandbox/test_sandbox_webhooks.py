import time

import httpx2
import pytest
import stripe
from stripe import SignatureVerificationError, StripeClient, Webhook, WebhookEndpoint, WebhookSignature

from sandbox import Sandbox
from tests.sandbox.payments import payment
from tests.sandbox.serving import HOOK_PATH, Received, Receiver
from tests.sandbox.stripe_types import mistakes_in_object


@pytest.fixture
async def endpoint(client: StripeClient, receiver: Receiver, url: str) -> WebhookEndpoint:
    return await client.v1.webhook_endpoints.create_async({"url": url + HOOK_PATH, "enabled_events": ["*"]})


def types(received: list[Received]) -> list[str]:
    return sorted(each.event["type"] for each in received)


class TestDelivery:
    async def test_arrives_signed_and_at_once(
        self, client: StripeClient, receiver: Receiver, endpoint: WebhookEndpoint
    ) -> None:
        asked_at = time.monotonic()
        await client.v1.customers.create_async({"name": "Ada"})
        [received] = await receiver.until(1)

        assert time.monotonic() - asked_at < 1
        assert endpoint.secret is not None
        event = Webhook.construct_event(received.body, received.signature, endpoint.secret)
        assert (event.type, event.api_version) == ("customer.created", stripe.api_version)
        assert event.data.object["name"] == "Ada"

    async def test_a_forged_body_fails_verification(
        self, client: StripeClient, receiver: Receiver, endpoint: WebhookEndpoint
    ) -> None:
        await client.v1.customers.create_async()
        [received] = await receiver.until(1)
        forged = received.body.replace(b"customer.created", b"customer.deleted").decode()

        with pytest.raises(SignatureVerificationError):
            WebhookSignature.verify_header(forged, received.signature, str(endpoint.secret), tolerance=300)

    async def test_every_event_of_a_payment_has_stripes_shape(
        self, client: StripeClient, receiver: Receiver, endpoint: WebhookEndpoint
    ) -> None:
        await client.v1.payment_intents.create_async(payment(), {"idempotency_key": "order-17"})
        received = await receiver.until(4)

        assert types(received) == [
            "charge.succeeded",
            "charge.updated",
            "payment_intent.created",
            "payment_intent.succeeded",
        ]
        for each in received:
            assert mistakes_in_object(each.event) == []
            assert each.event["request"]["idempotency_key"] == "order-17"
            assert each.event["request"]["id"].startswith("req_")

    async def test_only_the_wanted_types_are_sent(
        self, client: StripeClient, sandbox: Sandbox, receiver: Receiver, url: str
    ) -> None:
        await client.v1.webhook_endpoints.create_async(
            {"url": url + HOOK_PATH, "enabled_events": ["payment_intent.succeeded", "charge.failed"]}
        )

        await client.v1.payment_intents.create_async(payment())
        await client.v1.payment_intents.create_async(payment())
        await sandbox.dispatcher.settled()

        assert types(receiver.received) == ["payment_intent.succeeded"] * 2

    async def test_counts_down_what_is_pending(
        self, client: StripeClient, sandbox: Sandbox, receiver: Receiver, endpoint: WebhookEndpoint
    ) -> None:
        sandbox.dispatcher.pause()
        await client.v1.customers.create_async()
        before = (await client.v1.events.list_async()).data[0]

        sandbox.dispatcher.resume()
        await sandbox.dispatcher.settled()
        after = await client.v1.events.retrieve_async(before.id)

        assert (before.pending_webhooks, after.pending_webhooks) == (1, 0)


class TestRetry:
    async def test_repeats_until_accepted_freshly_signed(
        self,
        client: StripeClient,
        http: httpx2.AsyncClient,
        sandbox: Sandbox,
        receiver: Receiver,
        endpoint: WebhookEndpoint,
    ) -> None:
        receiver.statuses = [500, 302]

        await client.v1.customers.create_async()
        await sandbox.dispatcher.settled()
        received = receiver.received

        assert len(received) == 3
        assert len({each.body for each in received}) == 1
        for each in received:
            assert WebhookSignature.verify_header(
                each.body.decode(), each.signature, str(endpoint.secret), tolerance=5
            )
        [delivery] = (await http.get("/_sandbox/webhooks")).json()["deliveries"]
        assert (delivery["state"], delivery["attempts"], delivery["status"]) == ("delivered", 3, 200)

    async def test_gives_up_after_the_last_attempt(
        self,
        client: StripeClient,
        http: httpx2.AsyncClient,
        sandbox: Sandbox,
        receiver: Receiver,
        endpoint: WebhookEndpoint,
    ) -> None:
        receiver.statuses = [500] * 10

        await client.v1.customers.create_async()
        await sandbox.dispatcher.settled()

        [delivery] = (await http.get("/_sandbox/webhooks")).json()["deliveries"]
        assert (delivery["state"], delivery["attempts"], delivery["status"]) == ("failed", 4, 500)

    async def test_an_endpoint_that_cannot_be_reached_is_tried_again(
        self, client: StripeClient, sandbox: Sandbox
    ) -> None:
        await client.v1.webhook_endpoints.create_async(
            {"url": "http://127.0.0.1:9/", "enabled_events": ["*"]}
        )

        await client.v1.customers.create_async()
        await sandbox.dispatcher.settled()

        [delivery] = sandbox.deliveries.latest(1)
        assert (delivery.state, delivery.attempts, delivery.status) == ("failed", 4, None)
        assert delivery.error is not None
        assert "Connect" in delivery.error


class TestControl:
    async def test_paused_deliveries_wait(
        self,
        client: StripeClient,
        http: httpx2.AsyncClient,
        receiver: Receiver,
        endpoint: WebhookEndpoint,
    ) -> None:
        await http.post("/_sandbox/webhooks", json={"paused": True})
        await client.v1.customers.create_async()
        waiting = (await http.get("/_sandbox/webhooks")).json()
        assert waiting["paused"]
        assert receiver.received == []

        await http.post("/_sandbox/webhooks", json={"paused": False})

        assert types(await receiver.until(1)) == ["customer.created"]

    @pytest.mark.parametrize("end", ["disable", "delete"])
    async def test_an_endpoint_that_is_gone_gets_nothing_more(
        self,
        client: StripeClient,
        sandbox: Sandbox,
        receiver: Receiver,
        endpoint: WebhookEndpoint,
        end: str,
    ) -> None:
        sandbox.dispatcher.pause()
        await client.v1.customers.create_async()
        if end == "disable":
            await client.v1.webhook_endpoints.update_async(endpoint.id, {"disabled": True})
        else:
            await client.v1.webhook_endpoints.delete_async(endpoint.id)
        await client.v1.webhook_endpoints.create_async(
            {"url": endpoint.url, "enabled_events": ["customer.updated"]}
        )
        customer = await client.v1.customers.create_async()
        sandbox.dispatcher.resume()
        await client.v1.customers.update_async(customer.id, {"name": "Ada"})

        await sandbox.dispatcher.settled()
        assert types(receiver.received) == ["customer.updated"]
        assert {delivery.state for delivery in sandbox.deliveries.latest(10)} == {"delivered", "dropped"}

    async def test_a_secret_is_shown_once(self, client: StripeClient, endpoint: WebhookEndpoint) -> None:
        later = await client.v1.webhook_endpoints.retrieve_async(endpoint.id)
        listed = await client.v1.webhook_endpoints.list_async()

        assert endpoint.secret is not None
        assert "secret" not in later.to_dict()
        assert "secret" not in listed.data[0].to_dict()


class TestEvents:
    async def test_are_listed_by_type(self, client: StripeClient) -> None:
        await client.v1.payment_intents.create_async(payment())

        one = await client.v1.events.list_async({"type": "charge.succeeded"})
        several = await client.v1.events.list_async({"types": ["charge.succeeded", "payment_intent.created"]})

        assert [event.type for event in one.data] == ["charge.succeeded"]
        assert [event.type for event in several.data] == ["charge.succeeded", "payment_intent.created"]

    async def test_can_be_caught_up_with_from_the_last_seen_one(self, client: StripeClient) -> None:
        await client.v1.customers.create_async()
        seen = (await client.v1.events.list_async()).data[0]
        await client.v1.payment_intents.create_async(payment())

        missed = await client.v1.events.list_async({"ending_before": seen.id, "limit": 3})
        rest = await client.v1.events.list_async({"ending_before": missed.data[0].id, "limit": 3})

        assert [event.type for event in missed.data] == [
            "payment_intent.succeeded",
            "charge.succeeded",
            "payment_intent.created",
        ]
        assert (missed.has_more, rest.has_more) == (True, False)
        assert [event.type for event in rest.data] == ["charge.updated"]
