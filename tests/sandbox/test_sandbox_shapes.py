"""The sandbox against two outside authorities: stripe-python's types and Stripe's official examples."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from stripe import Customer, StripeClient

from sandbox.api.endpoint import Endpoint
from sandbox.api.params import Choice, Flag, Integer, Kind, Text
from sandbox.resources import ENDPOINTS
from tests.sandbox.billing import item_of, plan, subscribe, subscriber
from tests.sandbox.declared_params import DECLARED
from tests.sandbox.payments import payment
from tests.sandbox.stripe_types import mistakes_in_object, mistakes_in_params

FILES = Path(__file__).parents[1] / "stripe"
OFFICIAL: dict[str, dict[str, Any]] = orjson.loads((FILES / "fixtures.json").read_bytes())
# Since version 2022-11-15 a charge shows its refunds only when they are expanded.
ON_REQUEST = {"charge": {"refunds"}}
# What Stripe's types demand by now, and its examples do not show yet.
NOT_IN_EXAMPLES = {"dispute": ["dispute.evidence_details.submission_method: missing"]}


def name_of(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


class TestReferee:
    @pytest.mark.parametrize("kind", sorted(OFFICIAL.keys() - {"event"}))
    def test_official_examples_are_without_mistakes(self, kind: str) -> None:
        assert mistakes_in_object(OFFICIAL[kind]) == NOT_IN_EXAMPLES.get(kind, [])

    @pytest.mark.parametrize(
        ("change", "mistake"),
        [
            ({"amount": "2000"}, "amount"),
            ({"status": "paid"}, "status"),
            ({"charges": []}, "charges"),
            ({"payment_method_types": ["card", 7]}, "payment_method_types"),
            ({"next_action": {"type": "redirect_to_url", "redirect_to_url": {"link": "x"}}}, "link"),
            ({"customer": 5}, "customer"),
        ],
    )
    def test_mistakes_in_an_object_are_found(self, change: dict[str, Any], mistake: str) -> None:
        found = mistakes_in_object({**OFFICIAL["payment_intent"], **change})

        assert found
        assert all(mistake in line for line in found)

    def test_a_missing_field_is_found(self) -> None:
        charge = {name: value for name, value in OFFICIAL["charge"].items() if name != "paid"}

        assert mistakes_in_object(charge) == ["charge.paid: missing"]

    @pytest.mark.parametrize(
        "wrong",
        [
            {"amount": Text(required=True)},
            {"confirm": Integer()},
            {"capture_method": Choice(of=("later",))},
            {"tip": Flag()},
            {"amount": Integer()},
        ],
    )
    def test_mistakes_in_parameters_are_found(self, wrong: dict[str, Kind]) -> None:
        right: dict[str, Kind] = {"amount": Integer(required=True), "currency": Text(required=True)}
        declared = DECLARED["POST /v1/payment_intents"]
        assert mistakes_in_params(right, declared) == []

        assert mistakes_in_params({**right, **wrong}, declared)


class TestParameters:
    @pytest.mark.parametrize("endpoint", ENDPOINTS, ids=name_of)
    def test_are_those_of_stripe(self, endpoint: Endpoint) -> None:
        assert mistakes_in_params(endpoint.fields, DECLARED[name_of(endpoint)]) == []


class TestOfficialKeys:
    async def test_every_kind_has_the_official_keys(self, client: StripeClient, customer: Customer) -> None:
        method = await client.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer.id})
        setup = await client.v1.setup_intents.create_async({"customer": customer.id})
        intent = await client.v1.payment_intents.create_async(
            {
                "amount": 2000,
                "currency": "usd",
                "customer": customer.id,
                "payment_method": method.id,
                "confirm": True,
                "off_session": True,
                "expand": ["latest_charge.balance_transaction"],
            }
        )
        event = (await client.v1.events.list_async()).data[0]
        endpoint = await client.v1.webhook_endpoints.create_async(
            {"url": "http://127.0.0.1:9/", "enabled_events": ["charge.failed"]}
        )
        charge = intent.latest_charge
        assert charge is not None
        assert not isinstance(charge, str)

        made: list[Any] = [
            customer,
            method,
            setup,
            intent,
            charge,
            charge.balance_transaction,
            event,
            endpoint,
        ]

        for thing in made:
            keys = set(thing.to_dict()) - {"secret"}
            kind = thing["object"]
            assert keys == OFFICIAL[kind].keys() - ON_REQUEST.get(kind, set()), kind

    async def test_refunds_and_disputes_have_the_official_keys(self, client: StripeClient) -> None:
        disputed = await client.v1.payment_intents.create_async(
            payment(payment_method="pm_card_createDispute")
        )
        refunded = await client.v1.payment_intents.create_async(payment())

        refund = await client.v1.refunds.create_async({"payment_intent": refunded.id})
        dispute = (await client.v1.disputes.list_async({"payment_intent": disputed.id})).data[0]

        assert refund.to_dict().keys() == OFFICIAL["refund"].keys()
        assert dispute.to_dict().keys() == OFFICIAL["dispute"].keys()
        assert dispute.evidence.to_dict().keys() == OFFICIAL["dispute"]["evidence"].keys()
        details = {**OFFICIAL["dispute"]["evidence_details"], "submission_method": "manual"}
        assert dispute.evidence_details.to_dict().keys() == details.keys()
        for booked in (refund.balance_transaction, dispute.balance_transactions[0].id):
            transaction = await client.v1.balance_transactions.retrieve_async(str(booked))
            assert transaction.to_dict().keys() == OFFICIAL["balance_transaction"].keys()

    async def test_billing_has_the_official_keys(self, client: StripeClient) -> None:
        customer, price = await subscriber(client), await plan(client)
        subscription = await subscribe(client, customer, price)
        schedule = await client.v1.subscription_schedules.create_async({"from_subscription": subscription.id})
        invoice = await client.v1.invoices.retrieve_async(str(subscription.latest_invoice.id))  # type: ignore[union-attr]  # It was expanded.
        payments = await client.v1.invoice_payments.list_async({"invoice": str(invoice.id)})
        portal = await client.v1.billing_portal.sessions.create_async({"customer": customer.id})
        product = await client.v1.products.retrieve_async(str(price.product))

        made: list[Any] = [
            product,
            price,
            subscription,
            item_of(subscription),
            invoice,
            payments.data[0],
            schedule,
            portal,
        ]

        for thing in made:
            assert set(thing.to_dict()) == set(OFFICIAL[thing["object"]]), thing["object"]
        [line], [official] = invoice.lines.data, OFFICIAL["invoice"]["lines"]["data"]
        assert set(line.to_dict()) == set(official)
        phase, official = schedule.phases[0].to_dict(), OFFICIAL["subscription_schedule"]["phases"][0]
        assert set(phase) == set(official)
        assert set(phase["items"][0]) == set(official["items"][0])

    async def test_cards_have_the_official_keys(self, client: StripeClient) -> None:
        intent = await client.v1.payment_intents.create_async(
            {
                "amount": 2000,
                "currency": "usd",
                "payment_method": "pm_card_visa",
                "confirm": True,
                "off_session": True,
                "expand": ["latest_charge", "payment_method"],
            }
        )
        shown = intent.to_dict()

        in_charge = shown["latest_charge"]["payment_method_details"]["card"]
        in_method = shown["payment_method"]["card"]

        assert set(in_charge) == set(OFFICIAL["charge"]["payment_method_details"]["card"])
        assert set(in_method) == set(OFFICIAL["payment_method"]["card"])
