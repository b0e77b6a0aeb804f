"""What of a period stays paid for when its end moves."""

from datetime import datetime, timedelta

import pytest

from domain.subscription import SubscriptionFacts, SubscriptionLinks
from domain.subscription_status import SubscriptionStatus
from tests.domain.access_values import MONTH, a_plan, a_subscription
from tests.domain.values import NOON

PLAN = a_plan("hd")
TEN_DAYS = timedelta(days=10)


class TestShorterPeriod:
    @pytest.mark.parametrize(
        ("cancel_at", "paid_through"), [(NOON + TEN_DAYS, NOON + TEN_DAYS), (None, None)]
    )
    def test_stays_paid_for_where_it_is_the_last_one(
        self, cancel_at: datetime | None, paid_through: datetime | None
    ) -> None:
        paid = a_subscription(PLAN)
        assert paid.paid_through == NOON + MONTH
        facts = SubscriptionFacts(
            processor_subscription_id="sub_1",
            subscription_id=paid.id,
            customer_id=paid.processor_customer_id,
            status=SubscriptionStatus.PAUSED,
            livemode=False,
            processor_item_id="si_1",
            processor_price_id=PLAN.processor_price_id,
            current_period_start=NOON,
            current_period_end=NOON + TEN_DAYS,
            cancel_at=cancel_at,
            created_at=NOON,
        )

        after = paid.take(facts, SubscriptionLinks(plan_id=PLAN.id), at=NOON)

        assert after.paid_through == paid_through
