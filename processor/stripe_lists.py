"""
All that Stripe has, page by page, for reconciliation: https://docs.stripe.com/api/pagination

One call gives a hundred objects where a single reading gives one, so lists are the cheap way to compare many.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from stripe import Event, ListObject, StripeObject

from domain.dispute import DisputeFacts
from domain.errors import InvalidInput, ProcessorRefused
from domain.events import InboxEvent
from domain.invoice import InvoiceTerms
from domain.outcome import Outcome
from domain.payment_method import MethodFacts
from domain.payment_status import SyncSource
from domain.plan import PlanFacts
from domain.ports.reconciliation import EventBatch, Listed
from domain.refund import RefundFacts
from domain.subscription import SubscriptionFacts
from processor.stripe_calls import call, every_one
from processor.stripe_client import UNKNOWN, StripeConnection, shape
from processor.stripe_events import inbox_event
from processor.stripe_invoice_shapes import instant, invoice_facts
from processor.stripe_payments import LARGEST_PAGE, WITH_CHARGE
from processor.stripe_refund_shapes import dispute_facts, is_release, refund_facts
from processor.stripe_shapes import Shape, identity, method_facts, our_id, outcome_of_intent
from processor.stripe_subscription_shapes import plan_facts, subscription_facts
from processor.stripe_subscriptions import WITH_PRODUCTS, WITH_SCHEDULE, existing

if TYPE_CHECKING:
    from stripe import params as asked

S = TypeVar("S", bound=StripeObject)
F = TypeVar("F")

MOST_EVENTS: Final = 1000
"""Held at a time, unless more have happened within one second."""
SHORTEST_SPAN: Final = timedelta(seconds=1)
"""The resolution of Stripe's time stamps."""


class StripeLists(StripeConnection):
    async def events_between(
        self, since: datetime, until: datetime, *, at: datetime
    ) -> AsyncIterator[EventBatch]:
        """
        https://docs.stripe.com/api/events/list

        Stripe lists the newest first. So that the oldest come first and few are held, the time is cut into spans,
        each half as long as one that held too many, and twice as long as one that did not.
        """
        start, span = _whole_seconds(since), until - since
        while start < until:
            end = min(_whole_seconds(start + max(span, SHORTEST_SPAN)), until)
            found = await self._events_of_span(start, end, at=at)
            yield found or EventBatch()
            if found is None:
                span = (end - start) / 2
                continue
            start, span = end, 2 * (end - start)

    async def _events_of_span(self, start: datetime, end: datetime, *, at: datetime) -> EventBatch | None:
        """None where there are too many, and a shorter span is possible."""
        params: asked.EventListParams = {
            "created": {"gte": int(start.timestamp()), "lt": _first_second_not_before(end)},
            "limit": LARGEST_PAGE,
        }
        may_be_cut = end - start > SHORTEST_SPAN
        found: list[Event] = []
        async for event in every_one(lambda: self._stripe.events.list_async(params)):
            if may_be_cut and len(found) == MOST_EVENTS:
                return None
            found.append(event)
        return _batch(reversed(found), at)

    async def payments_since(self, since: datetime) -> AsyncIterator[Sequence[Listed[Outcome]]]:
        """https://docs.stripe.com/api/payment_intents/list"""
        params: asked.PaymentIntentListParams = {
            "created": {"gte": int(since.timestamp())},
            "limit": LARGEST_PAGE,
        }
        async for page in _pages(lambda: self._stripe.payment_intents.list_async(params)):
            yield _each(page, _payment)

    async def refunds_since(self, since: datetime) -> AsyncIterator[Sequence[Listed[RefundFacts]]]:
        """https://docs.stripe.com/api/refunds/list, without those that only released an authorisation."""
        params: asked.RefundListParams = {
            "created": {"gte": int(since.timestamp())},
            "limit": LARGEST_PAGE,
            "expand": ["data.charge"],
        }
        async for page in _pages(lambda: self._stripe.refunds.list_async(params)):
            returned = [each for each in page if not is_release(each) and each.get("payment_intent")]
            yield _each(returned, _refund)

    async def disputes_since(self, since: datetime) -> AsyncIterator[Sequence[Listed[DisputeFacts]]]:
        """https://docs.stripe.com/api/disputes/list; one of a charge without a payment intent is none of ours."""
        params: asked.DisputeListParams = {
            "created": {"gte": int(since.timestamp())},
            "limit": LARGEST_PAGE,
        }
        async for page in _pages(lambda: self._stripe.disputes.list_async(params)):
            yield _each([dispute for dispute in page if dispute.get("payment_intent")], _dispute)

    async def subscriptions_since(
        self, since: datetime
    ) -> AsyncIterator[Sequence[Listed[SubscriptionFacts]]]:
        """https://docs.stripe.com/api/subscriptions/list"""
        params: asked.SubscriptionListParams = {
            "created": {"gte": int(since.timestamp())},
            "status": "all",
        }
        async for page in self._subscriptions(params):
            yield page

    async def live_subscriptions(self) -> AsyncIterator[Sequence[Listed[SubscriptionFacts]]]:
        """Without a status Stripe lists all that were not canceled."""
        async for page in self._subscriptions({}):
            yield page

    async def _subscriptions(
        self, params: "asked.SubscriptionListParams"
    ) -> AsyncIterator[Sequence[Listed[SubscriptionFacts]]]:
        asked_for: asked.SubscriptionListParams = {
            **params,
            "limit": LARGEST_PAGE,
            "expand": ["data.schedule"],
        }
        async for page in _pages(lambda: self._stripe.subscriptions.list_async(asked_for)):
            yield _each(page, _subscription)

    async def invoices_since(self, since: datetime) -> AsyncIterator[Sequence[Listed[InvoiceTerms]]]:
        """https://docs.stripe.com/api/invoices/list"""
        async for page in self._invoices({"created": {"gte": int(since.timestamp())}}):
            yield page

    async def open_invoices(self) -> AsyncIterator[Sequence[Listed[InvoiceTerms]]]:
        async for page in self._invoices({"status": "open"}):
            yield page

    async def _invoices(
        self, params: "asked.InvoiceListParams"
    ) -> AsyncIterator[Sequence[Listed[InvoiceTerms]]]:
        asked_for: asked.InvoiceListParams = {**params, "limit": LARGEST_PAGE}
        async for page in _pages(lambda: self._stripe.invoices.list_async(asked_for)):
            yield _each(page, _invoice)

    async def plans(self) -> AsyncIterator[Sequence[Listed[PlanFacts]]]:
        """https://docs.stripe.com/api/prices/list"""
        params: asked.PriceListParams = {
            "type": "recurring",
            "limit": LARGEST_PAGE,
            "expand": WITH_PRODUCTS,
        }
        async for page in _pages(lambda: self._stripe.prices.list_async(params)):
            yield _each(page, _plan)

    async def methods_of(self, customer_id: str) -> AsyncIterator[Sequence[Listed[MethodFacts]]]:
        """https://docs.stripe.com/api/payment_methods/customer_list; Stripe has no list of a deleted customer's."""
        params: asked.CustomerPaymentMethodListParams = {"limit": LARGEST_PAGE}
        methods = self._stripe.customers.payment_methods
        try:
            async for page in _pages(lambda: methods.list_async(customer_id, params)):
                yield _each(page, _method)
        except ProcessorRefused as refused:
            if refused.reason != UNKNOWN:
                raise

    async def one_payment(self, processor_id: str) -> Listed[Outcome] | None:
        params: asked.PaymentIntentRetrieveParams = {"expand": WITH_CHARGE}
        found = await existing(lambda: self._stripe.payment_intents.retrieve_async(processor_id, params))
        return None if found is None else _payment(found)

    async def one_refund(self, processor_id: str) -> Listed[RefundFacts] | None:
        params: asked.RefundRetrieveParams = {"expand": ["charge"]}
        found = await existing(lambda: self._stripe.refunds.retrieve_async(processor_id, params))
        return None if found is None else _refund(found)

    async def one_dispute(self, processor_id: str) -> Listed[DisputeFacts] | None:
        found = await existing(lambda: self._stripe.disputes.retrieve_async(processor_id))
        return None if found is None else _dispute(found)

    async def one_subscription(self, processor_id: str) -> Listed[SubscriptionFacts] | None:
        params: asked.SubscriptionRetrieveParams = {"expand": WITH_SCHEDULE}
        found = await existing(lambda: self._stripe.subscriptions.retrieve_async(processor_id, params))
        return None if found is None else _subscription(found)

    async def one_invoice(self, processor_id: str) -> Listed[InvoiceTerms] | None:
        found = await existing(lambda: self._stripe.invoices.retrieve_async(processor_id))
        return None if found is None else _invoice(found)

    async def one_method(self, processor_id: str) -> Listed[MethodFacts] | None:
        found = await existing(lambda: self._stripe.payment_methods.retrieve_async(processor_id))
        return None if found is None else _method(found)


async def _pages(send: Callable[[], Awaitable[ListObject[S]]]) -> AsyncIterator[Sequence[Shape]]:
    page = await call(send)
    yield [shape(thing) for thing in page.data]
    while page.has_more:
        page = await call(page.next_page_async)
        yield [shape(thing) for thing in page.data]


def _listed(thing: Shape, facts: F, ours: str | None = None, *, parent: str | None = None) -> Listed[F]:
    return Listed(
        processor_id=thing["id"],
        customer_id=identity(thing.get("customer")),
        our_id=None if ours is None else our_id(thing, ours),
        parent_id=None if parent is None else identity(thing.get(parent)),
        created_at=instant(thing["created"]),
        facts=facts,
    )


def _batch(events: Iterable[Event], at: datetime) -> EventBatch:
    """An operator is told of what cannot even be kept; whoever waits for it would wait for ever."""
    readable, unreadable = [], []
    for event in events:
        try:
            readable.append(_heard(event, at))
        except InvalidInput:
            unreadable.append(str(shape(event).get("id")))
    return EventBatch(events=readable, unreadable=unreadable)


def _heard(event: Event, at: datetime) -> InboxEvent:
    """The library makes numbers of some texts, which go back to what they were."""
    return inbox_event(event.to_dict(for_json=True), at=at, via=SyncSource.RECONCILIATION)


def _each(page: Sequence[Shape], read: Callable[[Shape], Listed[F]]) -> Sequence[Listed[F]]:
    """Raises ValueError, which names the first that cannot be read."""
    return [_named(thing, read) for thing in page]


def _named(thing: Shape, read: Callable[[Shape], Listed[F]]) -> Listed[F]:
    try:
        return read(thing)
    except (LookupError, TypeError, ValueError, AttributeError) as odd:
        raise ValueError(f"{thing['id']} cannot be read: {odd!r}") from odd


def _plan(price: Shape) -> Listed[PlanFacts]:
    return Listed(processor_id=price["id"], facts=plan_facts(price))


def _payment(intent: Shape) -> Listed[Outcome]:
    return _listed(intent, outcome_of_intent(intent), "payment_id")


def _refund(refund: Shape) -> Listed[RefundFacts]:
    return _listed(refund, refund_facts(refund), "refund_id", parent="payment_intent")


def _dispute(dispute: Shape) -> Listed[DisputeFacts]:
    return _listed(dispute, dispute_facts(dispute), parent="payment_intent")


def _subscription(subscription: Shape) -> Listed[SubscriptionFacts]:
    facts = subscription_facts({**subscription, "latest_invoice": None})
    return _listed(subscription, facts, "subscription_id")


def _invoice(invoice: Shape) -> Listed[InvoiceTerms]:
    return _listed(invoice, invoice_facts(invoice).terms)


def _method(method: Shape) -> Listed[MethodFacts]:
    return _listed(method, method_facts(method))


def _whole_seconds(moment: datetime) -> datetime:
    return datetime.fromtimestamp(int(moment.timestamp()), UTC)


def _first_second_not_before(moment: datetime) -> int:
    return -int(-moment.timestamp() // 1)
