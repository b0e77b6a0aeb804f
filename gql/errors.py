"""
One of the two translators of domain errors; the other is web/errors.py.

Business outcomes become `UserError`s in a mutation's payload. The rest, such as a missing token or a bug, goes
into the response's own `errors`, with a code among their extensions (see gql/execution.py).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

import strawberry

from domain.actor import Actor
from domain.command_service import Executed
from domain.errors import (
    AlreadySubscribed,
    AmountOutOfRange,
    CurrencyRuleBroken,
    Declined,
    DomainError,
    ErrorCode,
    InvalidInput,
    KeyInProgress,
    KeyReused,
    LikelyDuplicate,
    MethodInUse,
    PreviewStale,
    ProcessorRefused,
    ProcessorUnavailable,
    Retry,
    StateConflict,
)
from domain.payment import Payment
from domain.payment_status import PaymentAction
from domain.subscription import Subscription
from domain.subscription_status import SubscriptionAction
from gql.context import Info
from gql.decline import DeclineView, decline_view
from gql.lazy import LazyOperation, LazyPreview, LazySubscription
from gql.money import CurrencyRuleView, MoneyView, money
from gql.needs import needs
from gql.node import Node, optional_view, view

if TYPE_CHECKING:
    from gql.charge_preview import ChargePreviewView
    from gql.subscription import SubscriptionView

strawberry.enum(ErrorCode, description="What is wrong, for programs. Codes are stable; new ones may come.")
strawberry.enum(Retry, name="RetryAdvice", description="What you may do to succeed after all.")
strawberry.enum(PaymentAction, description="What may be done with a payment.")
strawberry.enum(SubscriptionAction, description="What may be done with a subscription.")

INPUT_NAMES: Final = {
    ("capturePayment", "amount"): "amount",
    ("grantAccess", "feature"): "target",
    ("grantAccess", "media_item_id"): "target",
    ("refundPayment", "amount"): "amount",
    ("acceptDispute", "dispute_id"): "id",
    ("resync", "kind"): "id",
    ("resync", "object_id"): "id",
    ("changePlan", "subscription_id"): "subscriptionId",
    "allows_duplicate": "allowDuplicate",
    "amount": "charge",
    "details": "metadata",
    "event_id": "id",
    "is_confirmed": "confirm",
    "is_dry_run": "dryRun",
    "is_final": "final",
    "is_off_session": "offSession",
    "makes_default": "makeDefault",
    "method_id": "id",
    "owner": "onBehalfOfUserId",
    "processor_method_id": "stripePaymentMethodId",
    "revokes_access": "revokeAccess",
    "saves_method": "savePaymentMethod",
    "subscription_id": "id",
    "successor_id": "replaceWithId",
    "uses_trial": "useTrial",
}
"""Where a command's field has another name in the mutation's input."""


@strawberry.interface(description="A business outcome that is no success. New kinds of it may be added.")
class UserError:
    code: ErrorCode = strawberry.field(description="What is wrong, for programs.")
    message: str = strawberry.field(description="What is wrong, for developers; may change.")
    path: list[str] = strawberry.field(description="The input field that is to blame; empty if none is.")
    retry: Retry = strawberry.field(description="What you may do to succeed after all.")


@strawberry.type(description="An error with nothing to add but the rule that was broken.")
class SimpleError(UserError):
    constraint: str | None = strawberry.field(default=None, description="The rule, such as a range.")


@strawberry.type(description="The object's state does not allow this.")
class StateConflictError(UserError):
    current: str = strawberry.field(description="The state that stands in the way.")
    allowed: list[PaymentAction] = strawberry.field(description="What may be done with the payment instead.")
    allowed_subscription_actions: list[SubscriptionAction] = strawberry.field(
        description="What may be done with the subscription instead."
    )


@strawberry.type(description="There is such an object already.")
class DuplicateError(UserError):
    existing_id: strawberry.Private[UUID]
    kind: strawberry.Private[type] = Subscription
    override: str | None = strawberry.field(
        default=None, description="The input field that allows a second one; null where none does."
    )

    @strawberry.field(description="The object that stands in the way.")
    @needs()
    async def existing(self, info: Info) -> Node | None:
        return optional_view(Node, await info.context.loaders.of(self.kind).load(self.existing_id))


@strawberry.type(description="Live subscriptions need this method: name another one to replace it.")
class MethodInUseError(UserError):
    subscription_ids: strawberry.Private[Sequence[UUID]]

    @strawberry.field(description="The subscriptions that would be left without a method.")
    @needs()
    async def subscriptions(self, info: Info) -> list[LazySubscription]:
        found = await info.context.loaders.subscriptions.load_many(self.subscription_ids)
        return cast("list[SubscriptionView]", [each for each in found if each is not None])


@strawberry.type(description="It would not cost what the preview showed. Nothing was changed or charged.")
class PreviewStaleError(UserError):
    preview_id: strawberry.Private[UUID]

    @strawberry.field(description="What it would cost now; null where there is nothing to preview any more.")
    async def fresh(self, info: Info) -> LazyPreview | None:
        context = info.context
        fresh = await context.services.previews.afresh(context.actor, self.preview_id)
        return cast("ChargePreviewView | None", fresh)


@strawberry.type(description="The idempotency key belongs to another input, or its first use has not ended.")
class IdempotencyError(UserError):
    first: LazyOperation | None = strawberry.field(description="The first use of the key.")
    differing_fields: list[str] = strawberry.field(description="The input fields that differ from it.")


@strawberry.type(description="The bank or the card network said no. The payment is there, and FAILED.")
class DeclinedError(UserError):
    decline: DeclineView = strawberry.field(description="Why, and who can fix it.")


@strawberry.type(description="The amount breaks a rule of its currency, or is more than there is.")
class AmountError(UserError):
    minimum: MoneyView | None = strawberry.field(description="The least that may be asked for.")
    maximum: MoneyView | None = strawberry.field(
        description="The most that may be: what was authorised, for a capture; what is left, for a refund."
    )
    rule: CurrencyRuleView | None = strawberry.field(description="The rule; null for an unknown currency.")


@strawberry.type(description="The payment provider refused, or cannot be reached.")
class ProviderError(UserError):
    outcome_known: bool = strawberry.field(
        description="False: nobody knows yet what became of it. Ask again with the same key, never a new one."
    )
    retry_after_seconds: int | None = strawberry.field(description="When to ask again.")


def user_error(error: DomainError, actor: Actor) -> UserError:
    """The error as a payload shows it."""
    common: dict[str, Any] = {
        "code": error.code,
        "message": error.message,
        "path": input_path(error),
        "retry": error.retry,
    }
    match error:
        case Declined():
            return DeclinedError(**common, decline=view(DeclineView, decline_view(error.decline, actor)))
        case AmountOutOfRange() | CurrencyRuleBroken():
            return _amount_error(error, common)
        case InvalidInput():
            return SimpleError(**common, constraint=error.constraint)
        case AlreadySubscribed():
            return DuplicateError(**common, existing_id=error.existing_id)
        case LikelyDuplicate():
            return DuplicateError(
                **common, existing_id=error.existing_id, kind=Payment, override="allowDuplicate"
            )
        case MethodInUse():
            return MethodInUseError(**common, subscription_ids=error.subscription_ids)
        case PreviewStale():
            return PreviewStaleError(**common, preview_id=UUID(error.preview_id))
        case StateConflict():
            return _conflict_error(common, error)
        case KeyReused():
            return _key_error(common, error, error.differing_fields)
        case KeyInProgress():
            return _key_error(common, error)
        case ProcessorRefused():
            return ProviderError(**common, outcome_known=True, retry_after_seconds=None)
        case ProcessorUnavailable():
            return ProviderError(**common, outcome_known=False, retry_after_seconds=error.retry_after_seconds)
        case _:
            return SimpleError(**common)


def input_path(error: DomainError) -> list[str]:
    """The domain's names as the input spells them."""
    return ["input", *map(camel_case, error.path)] if error.path else []


def camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def _amount_error(error: AmountOutOfRange | CurrencyRuleBroken, common: dict[str, Any]) -> AmountError:
    rule = error.currency
    if rule is None:
        return AmountError(**common, minimum=None, maximum=None, rule=None)
    limits = error if isinstance(error, AmountOutOfRange) else rule
    return AmountError(
        **common,
        minimum=money(limits.minimum, rule.code),
        maximum=money(limits.maximum, rule.code),
        rule=view(CurrencyRuleView, rule),
    )


def _conflict_error(common: dict[str, Any], error: StateConflict) -> StateConflictError:
    """CANCEL is the one word for both, so it is the enum that tells them apart."""
    return StateConflictError(
        **common,
        current=error.current,
        allowed=[action for action in error.allowed if isinstance(action, PaymentAction)],
        allowed_subscription_actions=[
            action for action in error.allowed if isinstance(action, SubscriptionAction)
        ],
    )


def _key_error(
    common: dict[str, Any], error: KeyReused | KeyInProgress, differing: tuple[str, ...] = ()
) -> IdempotencyError:
    first: Any = Executed(operation=error.first)
    fields = dict.fromkeys(input_name(error.first.mutation, name) for name in differing)
    return IdempotencyError(**common, first=first, differing_fields=list(fields))


def input_name(mutation: str, name: str) -> str:
    """The input's name of a command's field."""
    return INPUT_NAMES.get((mutation, name)) or INPUT_NAMES.get(name) or camel_case(name)
