"""Subscriptions: subscribing, changing, ending, and pages of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Self
from uuid import UUID

from pydantic import ConfigDict, Field

from domain.commands.command import Command
from domain.commands.subscriptions.amendment import BeginAmendment
from domain.commands.subscriptions.change_plan import ChangePlan
from domain.commands.subscriptions.create_subscription import CreateSubscription
from domain.commands.subscriptions.ending import CancelSubscription, KeepFromEnding
from domain.commands.subscriptions.update_subscription import UpdateSubscription
from domain.errors import Busy, DomainError, ErrorCode, StateConflict
from domain.legacy_status import LEGACY_SUBSCRIPTION, LegacySubscriptionStatus, subscription_statuses
from domain.outcome import NextAction
from domain.paging import Direction
from domain.payment_status import PaymentStatus
from domain.subscription import CancelTiming, Subscription
from domain.subscription_list import OLDEST_SUBSCRIPTIONS, SUBSCRIPTIONS, SubscriptionFilter
from domain.subscription_status import SubscriptionStatus
from gql.node import existing
from web.rest.call import Answer, Call, Refused
from web.rest.commands import ACCEPTED, ChangesMeta, CommandMeta, Show, Shown, concluded
from web.rest.entity_tags import entity_tag
from web.rest.fields import Body, Flag, Metadata, MethodId, Model, NoQuery, PlanId, Query, UserId, says_one_of
from web.rest.metadata import ShownMetadata, shown_metadata
from web.rest.paging import PageMeta, PageQuery, cursor_meta, numbered_meta
from web.rest.payments import NextActionBody, next_action
from web.rest.problems import REPLAYED
from web.rest.route import Envelope, Reply, RestRoute

NAMES: Final = {"details": "metadata", "subscription_id": "id", "uses_trial": "use_trial"}


class SubscriptionSort(StrEnum):
    CREATED_AT = "created_at"


class SubscriptionsQuery(PageQuery):
    sort: Annotated[SubscriptionSort, Field(description="What to order by.")] = SubscriptionSort.CREATED_AT
    status: Annotated[LegacySubscriptionStatus | None, Field(description="In this state.")] = None
    user_id: Annotated[
        UserId | None, Field(description="Of this user. Another user's is for support and admins.")
    ] = None

    def wanted(self) -> SubscriptionFilter:
        statuses = None if self.status is None else tuple(subscription_statuses(self.status))
        return SubscriptionFilter(owner=self.user_id, statuses=statuses)


class CreateSubscriptionBody(Body):
    plan_id: Annotated[PlanId, Field(description="The plan.")]
    payment_method_id: Annotated[
        MethodId | None,
        Field(
            description="The method that pays, also later. Where none is named, whichever is the default one then."
        ),
    ] = None
    use_trial: Annotated[
        bool, Field(description="Begin with the plan's trial, if it has one; one per person and card.")
    ] = True


class UpdateSubscriptionBody(Body):
    """
    What is given is changed, in this order: the method and the metadata, a planned end that is taken back, the plan,
    an end that is planned. What is so already stays so.
    """

    model_config = ConfigDict(
        json_schema_extra=says_one_of(
            plan_id="string", payment_method_id="string", cancel_at_period_end="boolean", metadata="object"
        )
    )

    plan_id: Annotated[PlanId | None, Field(description="Changes to this plan now.")] = None
    payment_method_id: Annotated[MethodId | None, Field(description="Pays from now on.")] = None
    cancel_at_period_end: Annotated[
        bool | None, Field(description="True ends it with the period that is paid; false takes that back.")
    ] = None
    metadata: Annotated[Metadata | None, Field(description="Instead of what it is.")] = None

    def amendment(self, identity: UUID) -> BeginAmendment:
        return BeginAmendment(
            subscription_id=identity,
            plan_id=self.plan_id,
            payment_method_id=self.payment_method_id,
            cancel_at_period_end=self.cancel_at_period_end,
            details=self.metadata,
        )

    def changes(self, identity: UUID) -> Iterator["Change"]:
        """Nothing at all is an update, too: that there must be something to change is its own rule."""
        if (
            self.payment_method_id is not None
            or self.metadata is not None
            or self == UpdateSubscriptionBody()
        ):
            update = UpdateSubscription(
                subscription_id=identity, payment_method_id=self.payment_method_id, details=self.metadata
            )
            given = {"payment_method_id": self.payment_method_id, "metadata": self.metadata}
            yield Change(fields=[name for name, value in given.items() if value is not None], command=update)
        if self.cancel_at_period_end is False:
            yield Change(
                fields=["cancel_at_period_end"],
                command=KeepFromEnding(subscription_id=identity),
                is_so=lambda now: not now.is_last_period and not now.has_ended,
            )
        if self.plan_id is not None:
            command = ChangePlan(subscription_id=identity, plan_id=self.plan_id)
            yield Change(
                fields=["plan_id"],
                command=command,
                show=charged_subscription,
                is_so=lambda now: now.plan_ids == (command.plan_id,) and not now.has_ended,
            )
        if self.cancel_at_period_end:
            yield Change(
                fields=["cancel_at_period_end"],
                command=CancelSubscription(subscription_id=identity, timing=CancelTiming.PERIOD_END),
                is_so=lambda now: now.cancel_at_period_end and not now.has_ended,
            )


class CancelSubscriptionQuery(Query):
    at_period_end: Annotated[
        Flag, Field(description="Whether it ends with the period that is paid, rather than now.")
    ] = False


class SubscriptionBody(Model):
    """A plan that is paid for period after period."""

    id: UUID
    user_id: UUID
    plan_id: UUID
    pending_plan_id: Annotated[UUID | None, Field(description="What it changes to next.")]
    payment_method_id: Annotated[UUID | None, Field(description="Null where the default method pays.")]
    status: Annotated[
        LegacySubscriptionStatus, Field(description="`active` is said only of what gives access.")
    ]
    status_detail: Annotated[SubscriptionStatus, Field(description="The same, as GraphQL tells it.")]
    current_period_start: datetime
    current_period_end: datetime
    paid_through: datetime | None
    cancel_at_period_end: bool
    cancel_at: datetime | None
    cancelled_at: datetime | None
    ended_at: datetime | None
    trial_ends_at: datetime | None
    paused_until: datetime | None
    will_charge_again: bool
    metadata: ShownMetadata
    next_action: Annotated[
        NextActionBody | None,
        Field(description="What the customer must do so that the latest invoice gets paid. Null in lists."),
    ] = None
    livemode: bool
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, subscription: Subscription, *, next_action: NextAction | None = None) -> Self:
        return cls(
            id=subscription.id,
            user_id=subscription.user_id,
            plan_id=subscription.plan_id,
            pending_plan_id=subscription.pending_plan_id,
            payment_method_id=subscription.payment_method_id,
            status=LEGACY_SUBSCRIPTION[subscription.status],
            status_detail=subscription.status,
            current_period_start=subscription.current_period_start,
            current_period_end=subscription.current_period_end,
            paid_through=subscription.paid_through,
            cancel_at_period_end=subscription.cancel_at_period_end,
            cancel_at=subscription.cancel_at,
            cancelled_at=subscription.cancelled_at,
            ended_at=subscription.ended_at,
            trial_ends_at=subscription.trial_ends_at,
            paused_until=subscription.paused_until,
            will_charge_again=subscription.will_charge_again,
            metadata=shown_metadata(subscription.details, of=subscription.id),
            next_action=NextActionBody.of(next_action),
            livemode=subscription.livemode,
            version=subscription.version,
            created_at=subscription.created_at,
            updated_at=subscription.updated_at,
        )


async def listed(call: Call[SubscriptionsQuery, None]) -> Answer:
    query, subscriptions = call.query, call.services.subscriptions
    wanted, order = (
        query.wanted(),
        OLDEST_SUBSCRIPTIONS if query.direction is Direction.ASC else SUBSCRIPTIONS,
    )
    if part := query.after_cursor(order):
        page = await subscriptions.page(call.actor, wanted, part, order)
        return Answer(data=_bodies(page.items), meta=cursor_meta(part, page, order))
    found = await subscriptions.numbered(call.actor, wanted, query.numbered, order)
    return Answer(data=_bodies(found.items), meta=numbered_meta(query.numbered, found, order))


async def create(call: Call[NoQuery, CreateSubscriptionBody]) -> Answer:
    command = CreateSubscription(
        plan_id=call.body.plan_id,
        payment_method_id=call.body.payment_method_id,
        uses_trial=call.body.use_trial,
    )
    return await concluded(call, await call.execute(command), charged_subscription, created=True)


async def cancel(call: Call[CancelSubscriptionQuery, None]) -> Answer:
    timing = CancelTiming.PERIOD_END if call.query.at_period_end else CancelTiming.NOW
    command = CancelSubscription(subscription_id=call.id, timing=timing)
    return await concluded(call, await call.execute(command), shown_subscription)


async def update(call: Call[NoQuery, UpdateSubscriptionBody]) -> Answer:
    """
    One command after the other, until one of them is refused, waits for the customer, or is not known.

    All are carried out under the caller's key, which is remembered first for the body as a whole.
    """
    if call.key is not None:
        await call.execute(call.body.amendment(call.id))
    applied: list[str] = []
    answer = None
    for change in call.body.changes(call.id):
        answer = await brought_about(call, change, applied)
        if answer is not None and answer.status == ACCEPTED:
            return answer
        applied += change.fields
    shown = answer or await unchanged(call)
    return replace(shown, meta=ChangesMeta(replayed=was_replayed(answer), applied=applied))


async def brought_about(call: Call[Any, Any], change: "Change", applied: Sequence[str]) -> Answer | None:
    """None where it is so already, and nothing is under way that may undo it. Raises Refused."""
    try:
        done = await call.execute(change.command)
    except StateConflict as conflict:
        if not isinstance(conflict, Busy) and change.is_so(await seen(call)):
            return None
        raise Refused(conflict, applied=applied) from conflict
    except DomainError as refused:
        raise Refused(refused, applied=applied) from refused
    return await concluded(call, done, change.show, applied=applied)


async def seen(call: Call[Any, Any]) -> Subscription:
    return existing(await call.loaders.subscriptions.load(call.id), "subscription")


async def unchanged(call: Call[Any, Any]) -> Answer:
    shown = await shown_subscription(call, call.id)
    return Answer(data=shown.body, headers=shown.headers)


def was_replayed(answer: Answer | None) -> bool:
    return answer is not None and REPLAYED.items() <= answer.headers.items()


async def shown_subscription(call: Call[Any, Any], subscription_id: UUID) -> Shown:
    """Whatever its latest payment waits for is told, but is not what this was about."""
    return replace(await charged_subscription(call, subscription_id), awaits_action=False)


async def charged_subscription(call: Call[Any, Any], subscription_id: UUID) -> Shown:
    """After a command that collects: the customer must act where its payment waits for that."""
    loaders = call.loaders
    subscription = existing(await loaders.subscriptions.load(subscription_id), "subscription")
    payment = await loaders.latest_payment(subscription)
    action, later = (None, {}) if payment is None else await next_action(call, payment)
    return Shown(
        body=SubscriptionBody.of(subscription, next_action=action),
        awaits_action=payment is not None and payment.status is PaymentStatus.REQUIRES_ACTION,
        headers=later or {"ETag": entity_tag(subscription.version)},
    )


def _is_not_so(_: Subscription) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One command of several; `is_so` tells whether a conflict only says that there is nothing to do."""

    fields: Sequence[str]
    command: Command[Any, Any]
    show: Show = shown_subscription
    is_so: Callable[[Subscription], bool] = _is_not_so


def _bodies(subscriptions: Sequence[Subscription]) -> list[SubscriptionBody]:
    return [SubscriptionBody.of(each) for each in subscriptions]


SUBSCRIPTION: Final = Envelope[SubscriptionBody, CommandMeta]
CHANGED_SUBSCRIPTION: Final = Envelope[SubscriptionBody, ChangesMeta]
SUBSCRIPTIONS_PAGE: Final = Envelope[list[SubscriptionBody], PageMeta]

SUBSCRIPTION_ROUTES: Final = (
    RestRoute(
        name="list-subscriptions",
        method="GET",
        path="/subscriptions",
        summary="Subscriptions, page by page",
        description="Users see their own; support and admins see everybody's.",
        graphql=("subscriptions",),
        query=SubscriptionsQuery,
        replies={200: Reply(description="A page.", model=SUBSCRIPTIONS_PAGE)},
        errors=(ErrorCode.INVALID_INPUT, ErrorCode.FORBIDDEN),
        handle=listed,
    ),
    RestRoute(
        name="create-subscription",
        method="POST",
        path="/subscriptions",
        summary="Subscribe to a plan",
        description=(
            "A declined first charge leaves a subscription that is `past_due` (INCOMPLETE), which GraphQL's "
            "retryRenewal pays with another card."
        ),
        graphql=("createSubscription",),
        body=CreateSubscriptionBody,
        takes_key=True,
        replies={
            201: Reply(description="Subscribed.", model=SUBSCRIPTION, headers=("ETag",)),
            200: Reply(
                description="An earlier request with this key subscribed.",
                model=SUBSCRIPTION,
                headers=("ETag", "Idempotent-Replayed"),
            ),
            202: Reply(
                description=(
                    "The customer must act (`next_action`), or the outcome is not known yet (`meta.outcome_known`)."
                ),
                model=SUBSCRIPTION,
                headers=("ETag", "Retry-After"),
            ),
        },
        errors=(
            ErrorCode.NOT_FOUND,
            ErrorCode.STATE_CONFLICT,
            ErrorCode.ALREADY_SUBSCRIBED,
            ErrorCode.TRIAL_USED,
            ErrorCode.DECLINED,
        ),
        names=NAMES,
        handle=create,
    ),
    RestRoute(
        name="update-subscription",
        method="PUT",
        path="/subscriptions/{id}",
        summary="Change the plan, what pays, when it ends, or your own data",
        description=(
            "Several changes are made one after the other; an error tells in `applied` which had taken effect, and "
            "the same key goes on from there."
        ),
        graphql=("updateSubscription", "keepSubscription", "changePlan", "cancelSubscription"),
        identified=Subscription,
        body=UpdateSubscriptionBody,
        takes_key=True,
        replies={
            200: Reply(
                description="Changed.", model=CHANGED_SUBSCRIPTION, headers=("ETag", "Idempotent-Replayed")
            ),
            202: Reply(
                description=(
                    "The customer must act before the new plan is theirs (`next_action`), or the outcome is not known "
                    "yet (`meta.outcome_known`)."
                ),
                model=CHANGED_SUBSCRIPTION,
                headers=("ETag", "Retry-After"),
            ),
        },
        errors=(
            ErrorCode.NOT_FOUND,
            ErrorCode.STATE_CONFLICT,
            ErrorCode.ALREADY_SUBSCRIBED,
            ErrorCode.DECLINED,
        ),
        names=NAMES,
        handle=update,
    ),
    RestRoute(
        name="cancel-subscription",
        method="DELETE",
        path="/subscriptions/{id}",
        summary="End a subscription, now or with the period that is paid",
        graphql=("cancelSubscription",),
        identified=Subscription,
        query=CancelSubscriptionQuery,
        takes_key=True,
        replies={
            200: Reply(
                description="As it is now.", model=SUBSCRIPTION, headers=("ETag", "Idempotent-Replayed")
            ),
            202: Reply(
                description="The outcome is not known yet.",
                model=SUBSCRIPTION,
                headers=("ETag", "Retry-After"),
            ),
        },
        errors=(ErrorCode.NOT_FOUND, ErrorCode.STATE_CONFLICT),
        names=NAMES,
        handle=cancel,
    ),
)
