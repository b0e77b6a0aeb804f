"""Plans, subscriptions and invoices in Stripe's present shape, in former ones, and in ones yet to come."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from domain.events import InvoiceChanged, PlanChanged, SubscriptionChanged, Unhandled
from domain.invoice import BillingReason, InvoiceStatus
from domain.payment_status import PaymentStatus
from domain.plan import BillingInterval
from domain.subscription import CancelReason
from domain.subscription_status import SubscriptionStatus
from processor.stripe_events import StripeNews
from processor.stripe_invoice_shapes import invoice_facts
from processor.stripe_subscription_shapes import STATUS, plan_facts, subscription_facts
from tests.domain.values import inbox_event, stripe_event

START, END = 1_798_184_000, 1_800_776_000
OURS = UUID(int=9)


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def item(**known: Any) -> dict[str, Any]:
    usual = {"id": "si_1", "price": {"id": "price_1"}}
    return {**usual, "current_period_start": START, "current_period_end": END, **known}


def subscription(*items: dict[str, Any], **known: Any) -> dict[str, Any]:
    usual = {"id": "sub_1", "customer": "cus_1", "status": "active", "created": START}
    return {**usual, "items": {"data": list(items or (item(),))}, **known}


def line(amount: int = 1500, start: int = START, end: int = END, **known: Any) -> dict[str, Any]:
    return {"description": "Films", "amount": amount, "period": {"start": start, "end": end}, **known}


def invoice(*lines: dict[str, Any], **known: Any) -> dict[str, Any]:
    usual = {"id": "in_1", "customer": "cus_1", "status": "open", "currency": "usd", "created": START}
    periods = {"period_start": START, "period_end": START}
    return {**usual, **periods, "lines": {"data": list(lines or (line(),))}, **known}


def payment(intent: object, **known: Any) -> dict[str, Any]:
    usual = {"status": "open", "is_default": True, "created": START}
    return {**usual, "payment": {"type": "payment_intent", "payment_intent": intent}, **known}


def intent(id_: str = "pi_1", status: str = "succeeded", **known: Any) -> dict[str, Any]:
    return {"id": id_, "status": status, "amount": 1500, **known}


class TestSubscriptionPeriod:
    def test_is_that_of_its_items(self) -> None:
        facts = subscription_facts(subscription(current_period_start=1, current_period_end=2))

        assert (facts.current_period_start, facts.current_period_end) == (at(START), at(END))

    def test_stood_on_the_subscription_once(self) -> None:
        old = {"id": "si_1", "plan": {"id": "plan_1"}}

        facts = subscription_facts(subscription(old, current_period_start=START, current_period_end=END))

        assert (facts.current_period_start, facts.current_period_end) == (at(START), at(END))
        assert (facts.processor_item_id, facts.processor_price_id) == ("si_1", "plan_1")


class TestSubscriptionStatus:
    @pytest.mark.parametrize("name", STATUS)
    def test_of_stripe_is_one_of_ours(self, name: str) -> None:
        assert subscription_facts(subscription(status=name)).status is STATUS[name]

    def test_yet_to_come_gives_no_access_and_ends_nothing(self) -> None:
        facts = subscription_facts(subscription(status="hibernating"))

        assert facts.status is SubscriptionStatus.UNPAID

    def test_of_collection_that_rests_is_paused(self) -> None:
        pause = {"behavior": "void", "resumes_at": END}

        active = subscription_facts(subscription(pause_collection=pause))
        overdue = subscription_facts(subscription(status="past_due", pause_collection=pause))

        assert (active.status, active.paused_until) == (SubscriptionStatus.PAUSED, at(END))
        assert (overdue.status, overdue.paused_until) == (SubscriptionStatus.PAST_DUE, None)

    @pytest.mark.parametrize(
        ("reason", "status"),
        [
            ("payment_failed", SubscriptionStatus.EXPIRED),
            ("payment_disputed", SubscriptionStatus.CANCELLED),
            ("cancellation_requested", SubscriptionStatus.CANCELLED),
            (None, SubscriptionStatus.CANCELLED),
        ],
    )
    def test_after_its_end_tells_why(self, reason: str | None, status: SubscriptionStatus) -> None:
        details = {"reason": reason, "feedback": None, "comment": None}

        assert (
            subscription_facts(subscription(status="canceled", cancellation_details=details)).status is status
        )


class TestSubscription:
    def test_has_our_id_and_its_method(self) -> None:
        facts = subscription_facts(
            subscription(metadata={"subscription_id": str(OURS)}, default_payment_method={"id": "pm_1"})
        )

        assert (facts.subscription_id, facts.processor_method_id) == (OURS, "pm_1")

    def test_ends_by_the_flag_or_at_a_time(self) -> None:
        flagged = subscription_facts(subscription(cancel_at_period_end=True))
        timed = subscription_facts(subscription(cancel_at=END))

        assert (flagged.is_ending, flagged.cancel_at_period_end) == (True, True)
        assert (timed.is_ending, timed.cancel_at) == (True, at(END))
        assert not subscription_facts(subscription()).is_ending

    @pytest.mark.parametrize(
        ("feedback", "reason"),
        [("too_expensive", CancelReason.TOO_EXPENSIVE), ("bored", CancelReason.OTHER), (None, None)],
    )
    def test_tells_why_it_was_cancelled(self, feedback: str | None, reason: CancelReason | None) -> None:
        details = {"feedback": feedback}

        assert subscription_facts(subscription(cancellation_details=details)).cancel_reason is reason

    def test_changes_with_the_next_phase_of_its_schedule(self) -> None:
        schedule = {
            "id": "sub_sched_1",
            "current_phase": {"start_date": START, "end_date": END},
            "phases": [
                {"start_date": START, "items": [{"price": "price_1"}]},
                {"start_date": END, "items": [{"price": "price_2"}]},
            ],
        }

        facts = subscription_facts(subscription(schedule=schedule))

        assert (facts.processor_schedule_id, facts.pending_price_id) == ("sub_sched_1", "price_2")

    def test_that_stays_as_it_is_has_no_pending_plan(self) -> None:
        running = {
            "current_phase": {"end_date": END},
            "phases": [{"start_date": END, "items": [{"price": "price_1"}]}],
        }

        for schedule in (None, "sub_sched_1", {"id": "sub_sched_1", **running}):
            assert subscription_facts(subscription(schedule=schedule)).pending_price_id is None

    def test_changes_once_its_pending_update_is_paid(self) -> None:
        waiting = {"subscription_items": [{"price": {"id": "price_2"}}]}

        assert subscription_facts(subscription(pending_update=waiting)).pending_price_id == "price_2"


class TestInvoice:
    def test_names_its_subscription_in_both_shapes(self) -> None:
        details = {"subscription": "sub_1", "metadata": {"subscription_id": str(OURS)}}
        new = invoice_facts(invoice(parent={"type": "subscription_details", "subscription_details": details}))
        old = invoice_facts(
            invoice(subscription="sub_1", subscription_details={"metadata": details["metadata"]})
        )

        assert (new.processor_subscription_id, new.subscription_id) == ("sub_1", OURS)
        assert (old.processor_subscription_id, old.subscription_id) == ("sub_1", OURS)
        assert invoice_facts(invoice(parent=None)).processor_subscription_id is None

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("subscription_create", BillingReason.SUBSCRIPTION_START),
            ("subscription_cycle", BillingReason.RENEWAL),
            ("subscription_update", BillingReason.PLAN_CHANGE),
            ("manual", BillingReason.OTHER),
            ("something_new", BillingReason.OTHER),
            (None, BillingReason.OTHER),
        ],
    )
    def test_tells_what_it_is_for(self, name: str | None, reason: BillingReason) -> None:
        assert invoice_facts(invoice(billing_reason=name)).terms.reason is reason

    @pytest.mark.parametrize("status", InvoiceStatus)
    def test_has_a_status(self, status: InvoiceStatus) -> None:
        assert invoice_facts(invoice(status=status.lower())).terms.status is status

    def test_in_a_status_yet_to_come_is_a_draft(self) -> None:
        assert invoice_facts(invoice(status="contested")).terms.status is InvoiceStatus.DRAFT

    def test_pays_for_the_latest_period_that_is_charged_for(self) -> None:
        credit = line(-700, START - 5, END + 99, parent={"type": "x", "x": {"proration": True}})

        terms = invoice_facts(invoice(credit, line(300, START, START + 9), line(1500))).terms

        assert (terms.period_start, terms.period_end, terms.paid_through) == (at(START), at(END), at(END))
        assert [recorded["is_proration"] for recorded in terms.lines if isinstance(recorded, dict)] == [
            True, False, False,
        ]  # fmt: skip

    def test_is_for_the_plan_of_that_period_in_both_shapes(self) -> None:
        new = line(pricing={"type": "price_details", "price_details": {"price": "price_1"}})
        credit = line(-700, END, END + 9, price={"id": "price_2"})

        assert invoice_facts(invoice(credit, new)).processor_price_id == "price_1"
        assert invoice_facts(invoice(line(price={"id": "price_1"}))).processor_price_id == "price_1"
        assert invoice_facts(invoice(line(plan={"id": "plan_1"}))).processor_price_id == "plan_1"
        assert invoice_facts(invoice()).processor_price_id is None

    def test_of_no_period_pays_for_none(self) -> None:
        terms = invoice_facts(invoice(line(1500, START, START))).terms

        assert (terms.period_start, terms.paid_through) == (at(START), None)

    def test_adds_up_its_taxes_in_both_shapes(self) -> None:
        taxes = [{"amount": 100}, {"amount": 50}]

        assert invoice_facts(invoice(total_taxes=taxes)).terms.tax == 150
        assert invoice_facts(invoice(tax=150)).terms.tax == 150
        assert invoice_facts(invoice()).terms.tax == 0

    def test_is_paid_by_what_paid_it(self) -> None:
        payments = [
            payment(intent("pi_dead", "canceled"), status="canceled", is_default=False),
            payment(intent("pi_open", "requires_payment_method"), is_default=False),
            payment(intent("pi_paid", amount_received=1500), status="paid"),
        ]

        facts = invoice_facts(invoice(payments={"data": payments}))

        assert facts.payment is not None
        assert (facts.payment.processor_payment_id, facts.payment.status) == (
            "pi_paid",
            PaymentStatus.COMPLETED,
        )
        assert (facts.payment_amount, facts.payment.captured_amount) == (1500, 1500)

    def test_was_paid_by_its_own_intent_once(self) -> None:
        facts = invoice_facts(invoice(payment_intent=intent("pi_old")))

        assert facts.payment is not None
        assert facts.payment.processor_payment_id == "pi_old"

    @pytest.mark.parametrize(
        "known",
        [
            {},
            {"payments": {"data": []}},
            {"payments": {"data": [payment("pi_1")]}},
            {"payment_intent": "pi_1"},
        ],
    )
    def test_without_an_expanded_payment_tells_of_none(self, known: dict[str, Any]) -> None:
        assert invoice_facts(invoice(**known)).payment is None


class TestPlan:
    PRODUCT: dict[str, Any] = {"id": "prod_1", "name": "Films", "active": True, "metadata": {}}

    def price(self, **known: Any) -> dict[str, Any]:
        usual = {
            "id": "price_1",
            "currency": "usd",
            "unit_amount": 1500,
            "active": True,
            "product": self.PRODUCT,
        }
        return {**usual, "recurring": {"interval": "year", "interval_count": 2}, **known}

    def test_is_a_price_with_its_product(self) -> None:
        facts = plan_facts(self.price())

        assert (facts.name, facts.amount, facts.currency) == ("Films", 1500, "USD")
        assert (facts.interval, facts.interval_count) == (BillingInterval.YEAR, 2)
        assert (facts.processor_product_id, facts.active) == ("prod_1", True)

    def test_goes_by_its_lookup_key_or_its_products_code_or_its_id(self) -> None:
        coded = {**self.PRODUCT, "metadata": {"code": "films"}}

        assert plan_facts(self.price(lookup_key="films-yearly", product=coded)).code == "films-yearly"
        assert plan_facts(self.price(product=coded)).code == "films"
        assert plan_facts(self.price()).code == "price_1"

    def test_has_the_features_of_the_metadata_or_else_those_it_is_advertised_with(self) -> None:
        advertised = {**self.PRODUCT, "marketing_features": [{"name": "4K"}, {"name": "4K"}, {}]}
        written = {**advertised, "metadata": {"features": "films, series ,,films"}}

        assert plan_facts(self.price(product=written)).features == ["films", "series"]
        assert plan_facts(self.price(product=advertised)).features == ["4K"]
        assert plan_facts(self.price()).features == []

    def test_has_a_trial_by_the_price_or_by_the_metadata(self) -> None:
        product = {**self.PRODUCT, "metadata": {"trial_days": "7"}}
        recurring = {"interval": "month", "trial_period_days": 30}

        assert plan_facts(self.price(recurring=recurring, product=product)).trial_days == 30
        assert plan_facts(self.price(metadata={"trial_days": "14"}, product=product)).trial_days == 14
        assert plan_facts(self.price(product=product)).trial_days == 7
        assert plan_facts(self.price(metadata={"trial_days": "soon"})).trial_days == 0

    def test_is_on_sale_only_with_its_product(self) -> None:
        assert not plan_facts(self.price(active=False)).active
        assert not plan_facts(self.price(product={**self.PRODUCT, "active": False})).active
        assert not plan_facts(self.price(product={"id": "prod_1", "deleted": True})).active

    def test_of_an_amount_or_interval_yet_to_come_is_the_nearest_safe_one(self) -> None:
        facts = plan_facts(self.price(unit_amount=None, recurring={"interval": "decade"}))

        assert (facts.amount, facts.interval, facts.interval_count) == (0, BillingInterval.MONTH, 1)


class TestNews:
    def read(self, name: str, kind: str | None = None, **changes: Any) -> object:
        event = stripe_event(name, **changes)
        return StripeNews([]).read(inbox_event({**event, "type": kind or event["type"]}))

    def test_of_a_subscription_says_which(self) -> None:
        news = SubscriptionChanged(
            processor_subscription_id="sub_SampleSub0000000001", customer_id="cus_SampleCust0001"
        )

        assert self.read("customer.subscription.updated.past_due") == news
        assert self.read("customer.subscription.deleted") == news

    def test_of_an_invoice_says_which(self) -> None:
        assert self.read("invoice.payment_failed") == InvoiceChanged(
            processor_invoice_id="in_SampleInv00000000003",
            processor_subscription_id="sub_SampleSub0000000001",
            customer_id="cus_SampleCust0001",
        )

    def test_of_an_invoice_that_is_none_yet_is_kept_only(self) -> None:
        assert self.read("invoice.upcoming") == Unhandled()

    def test_of_what_paid_an_invoice_says_which(self) -> None:
        news = self.read("invoice.paid", "invoice_payment.paid", invoice="in_1")

        assert news == InvoiceChanged(processor_invoice_id="in_1")

    def test_of_a_schedule_is_of_its_subscription(self) -> None:
        kind = "subscription_schedule.released"
        expected = SubscriptionChanged(processor_subscription_id="sub_1", customer_id="cus_SampleCust0001")

        assert self.read("invoice.paid", kind, subscription="sub_1") == expected
        assert self.read("invoice.paid", kind, subscription=None, released_subscription="sub_1") == expected
        assert self.read("invoice.paid", kind, subscription=None) == Unhandled()

    def test_of_prices_and_products_are_of_plans(self) -> None:
        price = {"id": "price_1", "product": "prod_1", "recurring": {"interval": "month"}}
        known = PlanChanged(processor_product_id="prod_1", processor_price_id="price_1")

        assert self.read("invoice.paid", "price.updated", **price) == known
        assert self.read("invoice.paid", "price.deleted", **price) == known
        assert self.read("invoice.paid", "price.created", **{**price, "recurring": None}) == Unhandled()
        assert self.read("invoice.paid", "product.updated", id="prod_1") == PlanChanged(
            processor_product_id="prod_1"
        )
