import pytest

from domain.legacy_status import (
    LEGACY_PAYMENT,
    LEGACY_SUBSCRIPTION,
    LegacyPaymentStatus,
    LegacySubscriptionStatus,
    payment_statuses,
    subscription_statuses,
)
from domain.payment_status import COLLECTED, PaymentStatus
from domain.subscription_status import SubscriptionStatus


class TestNames:
    def test_exist_for_every_state(self) -> None:
        assert LEGACY_PAYMENT.keys() == set(PaymentStatus)
        assert LEGACY_SUBSCRIPTION.keys() == set(SubscriptionStatus)

    def test_of_money_that_came_are_never_given_to_money_that_did_not(self) -> None:
        paid = {LegacyPaymentStatus.COMPLETED, LegacyPaymentStatus.REFUNDED}

        assert {status for status in PaymentStatus if LEGACY_PAYMENT[status] in paid} == COLLECTED

    def test_active_is_said_of_what_gives_access_only(self) -> None:
        active = subscription_statuses(LegacySubscriptionStatus.ACTIVE)

        assert active == [SubscriptionStatus.TRIALING, SubscriptionStatus.ACTIVE]

    @pytest.mark.parametrize(
        ("legacy", "ours"),
        [
            ("pending", ["PENDING", "REQUIRES_ACTION", "PROCESSING", "AUTHORIZED"]),
            ("completed", ["COMPLETED", "PARTIALLY_REFUNDED"]),
            ("refunded", ["REFUNDED"]),
            ("failed", ["FAILED"]),
            ("cancelled", ["CANCELLED"]),
        ],
    )
    def test_of_payments_mean_these_in_a_filter(self, legacy: str, ours: list[str]) -> None:
        assert payment_statuses(LegacyPaymentStatus(legacy)) == ours

    def test_of_subscriptions_divide_all_states(self) -> None:
        found = [status for legacy in LegacySubscriptionStatus for status in subscription_statuses(legacy)]

        assert sorted(found) == sorted(SubscriptionStatus)
