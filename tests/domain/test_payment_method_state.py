from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.account import BillingAccount
from domain.payment_method import (
    EXPIRY_WARNING,
    MethodFacts,
    PaymentMethodSetup,
    PaymentMethodState,
    PaymentMethodType,
    SetupFacts,
    SetupStatus,
)
from tests.domain.values import NOON, a_method

TICK = timedelta(microseconds=1)
S = PaymentMethodState


class TestStateOfACard:
    @pytest.mark.parametrize(
        ("month", "year", "end"),
        [
            (7, 2026, datetime(2026, 8, 1, tzinfo=UTC)),
            (12, 2026, datetime(2027, 1, 1, tzinfo=UTC)),
            (1, 2027, datetime(2027, 2, 1, tzinfo=UTC)),
            (2, 2028, datetime(2028, 3, 1, tzinfo=UTC)),
        ],
    )
    def test_changes_at_the_end_of_its_month(self, month: int, year: int, end: datetime) -> None:
        card = a_method(exp_month=month, exp_year=year)
        warned_from = end - EXPIRY_WARNING

        assert card.expires_at(NOON) == end
        assert card.state_at(warned_from - TICK) is S.USABLE
        assert card.state_at(warned_from) is S.EXPIRING_SOON
        assert card.state_at(end - TICK) is S.EXPIRING_SOON
        assert card.state_at(end) is S.EXPIRED

    def test_detached_outweighs_expired(self) -> None:
        card = a_method(exp_year=2001).detached(at=NOON)

        assert card.state_at(NOON) is S.DETACHED

    def test_without_an_expiry_is_usable(self) -> None:
        account = a_method(type=PaymentMethodType.SEPA_DEBIT, exp_month=None, exp_year=None)

        assert account.state_at(NOON + timedelta(days=36_500)) is S.USABLE


class TestMethod:
    def test_that_hears_nothing_new_is_itself(self) -> None:
        method = a_method()
        facts = MethodFacts(
            processor_method_id="pm_1", type=PaymentMethodType.CARD, exp_month=7, exp_year=2026
        )

        assert method.take(facts, at=NOON) is method
        default = method.made_default(at=NOON)
        assert default.made_default(at=NOON) is default
        detached = default.detached(at=NOON)
        assert (detached.is_default, detached.detached(at=NOON)) == (False, detached)

    def test_counts_its_versions(self) -> None:
        facts = MethodFacts(processor_method_id="pm_1", type=PaymentMethodType.CARD, last4="4242")

        changed = a_method().take(facts, at=NOON).made_default(at=NOON).detached(at=NOON)

        assert changed.version == 4


class TestSetup:
    SETUP = PaymentMethodSetup(
        id=UUID(int=2),
        user_id=UUID(int=1),
        status=SetupStatus.REQUIRES_METHOD,
        makes_default=False,
        processor_customer_id="cus_1",
        created_at=NOON,
        updated_at=NOON,
    )

    @pytest.mark.parametrize("ended", [SetupStatus.SUCCEEDED, SetupStatus.CANCELLED])
    def test_that_has_ended_stays_so(self, ended: SetupStatus) -> None:
        setup = self.SETUP.take(SetupFacts(processor_setup_id="seti_1", status=ended), at=NOON)

        for status in SetupStatus:
            assert setup.take(SetupFacts(processor_setup_id="seti_1", status=status), at=NOON) is setup

    def test_that_gave_a_method_twice_gave_it_once(self) -> None:
        method = a_method()
        given = self.SETUP.gave(method, at=NOON)

        assert (given.payment_method_id, given.gave(method, at=NOON)) == (method.id, given)


class TestAccount:
    def test_without_a_customer_says_so(self) -> None:
        account = BillingAccount(user_id=UUID(int=1), created_at=NOON, updated_at=NOON)

        with pytest.raises(ValueError, match="no customer yet"):
            _ = account.customer_id
