"""What the processor is told to do with subscriptions, and what it says that would cost."""

from datetime import datetime
from typing import Protocol

from domain.charge_preview import PreviewTerms, Proration
from domain.plan import Plan
from domain.portal_link import PortalLink
from domain.subscription import CancelReason, Subscription, SubscriptionFacts
from domain.subscription_outcome import SubscriptionOutcome


class SubscriptionPreviews(Protocol):
    """What would be charged, to the minor unit. Nothing is changed by asking."""

    async def preview_start(
        self, customer_id: str, plan: Plan, *, trial_days: int, at: datetime
    ) -> PreviewTerms: ...
    async def preview_plan_change(
        self, subscription: Subscription, plan: Plan, *, proration: Proration, at: datetime
    ) -> PreviewTerms:
        """The change as if it were made at that instant, which lies in the current period."""
        ...

    async def preview_next_plan(
        self, subscription: Subscription, plan: Plan, *, at: datetime
    ) -> PreviewTerms:
        """The first period of the plan, where it follows the current period."""
        ...

    async def preview_renewal(self, subscription: Subscription) -> PreviewTerms | None:
        """The next renewal as things are now; None where there will be none."""
        ...


class SubscriptionCommands(Protocol):
    """
    Those without a key only bring about a state, and look first whether it is there: doing it again does no harm.
    """

    async def start_subscription(
        self,
        subscription: Subscription,
        plan: Plan,
        *,
        processor_method_id: str | None,
        trial_days: int,
        key: str,
    ) -> SubscriptionFacts:
        """Without a method, its customer's default one pays. A declined first charge leaves it INCOMPLETE."""
        ...

    async def change_plan(
        self,
        subscription: Subscription,
        plan: Plan,
        *,
        proration: Proration,
        reverts: bool,
        prorated_at: datetime | None,
        key: str,
    ) -> SubscriptionOutcome:
        """`reverts`: where the change's own charge is declined, the former plan stands and the invoice is void."""
        ...

    async def find_plan_change(
        self, subscription: Subscription, plan: Plan, *, reverts: bool
    ) -> SubscriptionOutcome | None:
        """The outcome of a change that was carried out, or is under way; None where the former plan stands."""
        ...

    async def schedule_plan(self, subscription: Subscription, plan: Plan) -> SubscriptionFacts:
        """From the end of the current period on; what was scheduled before is replaced."""
        ...

    async def end_subscription(
        self, subscription: Subscription, *, reason: CancelReason | None
    ) -> SubscriptionFacts:
        """Now. What is open of its invoices becomes void, so that nothing is collected any more."""
        ...

    async def end_with_period(
        self, subscription: Subscription, *, reason: CancelReason | None
    ) -> SubscriptionFacts: ...
    async def keep_subscription(self, subscription: Subscription) -> SubscriptionFacts:
        """Neither an end nor another plan is scheduled any more, and no change waits to be paid."""
        ...

    async def pause_subscription(
        self, subscription: Subscription, *, until: datetime | None
    ) -> SubscriptionFacts:
        """Nothing is collected meanwhile: invoices that fall due become void."""
        ...

    async def resume_subscription(self, subscription: Subscription, *, key: str) -> SubscriptionFacts:
        """Where nobody pays for the current period any more, a new one begins, and is charged in full and at once."""
        ...

    async def begin_period(self, subscription: Subscription) -> None:
        """In the place of a lapsed one, charged in full and at once, once however often this is asked."""
        ...

    async def pay_with(self, subscription: Subscription, processor_method_id: str) -> SubscriptionFacts:
        """Let this method pay for the subscription from now on. One that has ended stays as it is."""
        ...

    async def pay_invoice(
        self, subscription: Subscription, processor_invoice_id: str, *, key: str
    ) -> SubscriptionOutcome: ...
    async def make_default_method(self, customer_id: str, processor_method_id: str) -> None:
        """The method that pays for subscriptions which name none."""
        ...

    async def open_portal(self, customer_id: str, *, return_url: str) -> PortalLink: ...
