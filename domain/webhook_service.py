"""The processor's news: stored by the route, applied by the worker, in any order and any number of times."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Protocol, TypeAlias, TypeVar, assert_never
from uuid import UUID

from domain.actor import Actor
from domain.errors import NotFound
from domain.events import (
    Hint,
    InboxEvent,
    InboxStatus,
    MethodDetached,
    MethodReported,
    PaymentReported,
    ProcessorEvent,
    RefundReported,
    SetupReported,
    Unhandled,
)
from domain.intake import Intake
from domain.method_settlement import detach, settle_method, settle_setup
from domain.occasion import Occasion
from domain.payment_method import MethodFacts, SetupStatus
from domain.ports import Clock, Database, PaymentProcessor, ProcessorNews, Work
from domain.refund_settlement import settle_refund

LONGEST_ERROR: Final = 500

T = TypeVar("T")
H = TypeVar("H", bound=Hint | PaymentReported, contravariant=True)


Close: TypeAlias = Callable[[Work], Awaitable[None]]
"""Marks the event as handled, in the transaction that applies it."""


class Rereader(Protocol[H]):
    """Follows news of one kind of object. Raises NotFound where it is none of ours."""

    async def follow(self, hint: H, event: InboxEvent, close: Close) -> None: ...


class PaidInvoices(Protocol):
    async def learn(self, processor_payment_id: str, occasion: Occasion) -> None:
        """Read the invoice that a payment pays, where we do not know the payment."""
        ...

    async def covers(self, news: PaymentReported, *, by: Actor) -> bool:
        """Read the invoice that a payment pays, if it pays one; whether that has overtaken the news."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookService:
    """
    `wall_clock` is real time, by which signatures are judged, also where `clock` is a sandbox's.

    `rereaders` go by the kind of news that they follow.
    """

    database: Database
    intake: Intake
    processor: PaymentProcessor
    news: ProcessorNews
    clock: Clock
    wall_clock: Clock
    rereaders: Mapping[type[Hint | PaymentReported], Rereader[Any]] = field(default_factory=dict)

    async def receive(self, body: bytes, signature: str) -> InboxEvent:
        """Verify and keep an event, once, and have the worker handle it. Raises InvalidInput."""
        event = self.news.receive(body, signature, at=self.wall_clock())
        await self.intake.keep(event)
        return event

    async def handle(self, event_id: UUID) -> None:
        """Apply a stored event. A failure is written down beside it and raised, so that it is tried again."""
        failure = await self.attempt(event_id)
        if failure is not None:
            raise failure

    async def attempt(self, event_id: UUID) -> Exception | None:
        """Apply a stored event, if that was not done yet. A failure is written down beside it, and answered."""
        async with self.database.reads() as reads:
            event = await reads.inbox.get(event_id)
        if event is None or event.handled_at is not None:
            return None
        try:
            await self._handle(event)
        except Exception as failure:  # noqa: BLE001 - Whatever it is, it is kept beside the event.
            await self._keep_failure(event, failure)
            return failure
        return None

    async def _handle(self, event: InboxEvent) -> None:
        news = self.news.read(event) if event.livemode is self.processor.is_live else Unhandled()
        try:
            if isinstance(news, Hint | PaymentReported):
                close = partial(self._close, event=event, news=news)
                await self.rereaders[type(news)].follow(news, event, close)
                return
            method = await self._method_of(news)
            async with self.database.work() as work:
                await self._apply(work, news, method, event)
                await self._close(work, event, news)
        except NotFound:
            async with self.database.work() as work:
                await self._close(work, event, Unhandled())

    async def _method_of(self, news: ProcessorEvent) -> MethodFacts | None:
        """The method that this is about. Raises NotFound where it is not, or no more, one of our customers'."""
        match news:
            case MethodReported():
                return await self._reported_method(news)
            case SetupReported() if news.facts.status is SetupStatus.SUCCEEDED:
                return await self._method_of_setup(news)
            case _:
                return None

    async def _reported_method(self, news: MethodReported) -> MethodFacts:
        """As it is now: the news may be late, and its card renewed or detached meanwhile."""
        async with self.database.reads() as reads:
            found(await reads.accounts.of_customer(news.customer_id))
        return found(await self.processor.attached_method(news.facts.processor_method_id, news.customer_id))

    async def _method_of_setup(self, news: SetupReported) -> MethodFacts | None:
        """A finished set-up names its method by id only; None where that was detached meanwhile."""
        async with self.database.reads() as reads:
            setup_id = news.setup_id or await reads.setups.known_as(news.processor_setup_id)
            setup = found(await reads.setups.get(found(setup_id)))
        method_id, customer_id = news.facts.processor_method_id, setup.processor_customer_id
        return await self.processor.attached_method(method_id, customer_id) if method_id else None

    async def _apply(
        self, work: Work, news: ProcessorEvent, method: MethodFacts | None, event: InboxEvent
    ) -> None:
        now, by = self.clock(), event.actor
        match news:
            case RefundReported():
                payment_id = await work.payments.known_as(news.facts.processor_payment_id) or news.payment_id
                await settle_refund(work, payment_id, news.facts, at=now, by=by)
            case SetupReported():
                setup_id = news.setup_id or await work.setups.known_as(news.processor_setup_id)
                await settle_setup(
                    work, found(setup_id), news.facts, method, at=now, by=by, told_at=event.occurred_at
                )
            case MethodReported():
                account = await work.accounts.of_customer(news.customer_id)
                await settle_method(work, found(account).user_id, found(method), at=now, by=by)
            case MethodDetached():
                known = await work.payment_methods.lock_known(news.processor_method_id)
                await detach(work, found(known), at=now, by=by)
            case Hint() | PaymentReported():
                raise ValueError(f"This is followed by a rereader: {news}")
            case Unhandled():
                pass  # It is kept, and there is nothing to do.
            case _:
                assert_never(news)

    async def _close(self, work: Work, event: InboxEvent, news: ProcessorEvent) -> None:
        status = InboxStatus.IGNORED if isinstance(news, Unhandled) else InboxStatus.HANDLED
        await work.inbox.save(event.closed(status, at=self.clock()))

    async def _keep_failure(self, event: InboxEvent, failure: Exception) -> None:
        """Where somebody else has applied the event meanwhile, nothing has failed."""
        why = f"{type(failure).__name__}: {failure}"[:LONGEST_ERROR]
        async with self.database.work() as work:
            current = await work.inbox.lock(event.id)
            if current is not None and current.handled_at is None:
                await work.inbox.save(current.failed(why))


def found(thing: T | None) -> T:
    """The thing itself; news about an object that is not ours raises NotFound."""
    if thing is None:
        raise NotFound("This is not about an object of ours.")
    return thing
