import pytest

from processor.stripe_subjects import LONGEST_ID, subject_of
from tests.domain.values import stripe_event


class TestSubject:
    @pytest.mark.parametrize(
        ("sample", "told_by"),
        [
            ("charge.succeeded", "payment_intent"),
            ("charge.refunded.partial", "payment_intent"),
            ("charge.dispute.created", "id"),
            ("refund.updated", "id"),
            ("charge.refund.updated", "id"),
            ("invoice.paid", "id"),
            ("customer.subscription.updated.active", "id"),
            ("payment_method.attached", "id"),
        ],
    )
    def test_of_a_sample_is_the_object_that_we_keep(self, sample: str, told_by: str) -> None:
        event = stripe_event(sample)

        assert subject_of(event["type"], event["data"]["object"]) == event["data"]["object"][told_by]

    def test_of_a_schedule_is_its_subscription_also_after_its_release(self) -> None:
        following = {"id": "sub_sched_1", "subscription": "sub_1"}
        released = {"id": "sub_sched_1", "subscription": None, "released_subscription": "sub_1"}

        assert subject_of("subscription_schedule.updated", following) == "sub_1"
        assert subject_of("subscription_schedule.released", released) == "sub_1"

    def test_of_a_payment_of_an_invoice_is_the_invoice(self) -> None:
        assert subject_of("invoice_payment.paid", {"id": "inpay_1", "invoice": {"id": "in_1"}}) == "in_1"

    def test_of_a_charge_without_a_payment_is_the_charge(self) -> None:
        assert subject_of("charge.succeeded", {"id": "ch_1", "payment_intent": None}) == "ch_1"

    def test_of_what_has_no_id_is_nothing(self) -> None:
        assert subject_of("invoice.upcoming", {"object": "invoice"}) is None

    @pytest.mark.parametrize("endless_or_odd", ["p" * (LONGEST_ID + 1), "prod_\ud800", "prod_\x1b[2J", ""])
    def test_of_what_has_no_proper_id_is_nothing(self, endless_or_odd: str) -> None:
        assert subject_of("product.updated", {"id": endless_or_odd}) is None
