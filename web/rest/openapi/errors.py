"""Every error that the table names: what it means, and what it looks like."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel

from domain.actor import Actor, Role
from domain.currency import CURRENCIES
from domain.decline import Decline
from domain.errors import (
    AlreadySubscribed,
    AmountOutOfRange,
    CurrencyRuleBroken,
    DatabaseUnavailable,
    Declined,
    Disputed,
    DomainError,
    ErrorCode,
    Forbidden,
    InvalidInput,
    KeyInProgress,
    KeyReused,
    LikelyDuplicate,
    MethodInUse,
    NotFound,
    ProcessorRefused,
    ProcessorUnavailable,
    StateConflict,
    TrialUsed,
    Unauthenticated,
)
from domain.operation import KEPT_FOR, ObjectKind, Operation
from web.errors import CARD_NUMBER, HTTP_ERRORS, Detail, UnfitFields, domain_envelope, envelope
from web.rest.openapi.samples import IDS, REFUSED
from web.rest.problems import more_about
from web.rest.route import RestRoute

REQUEST: Final = "checkout-01942f4e7b1c"
_THEN: Final = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
_FIRST: Final = Operation(
    id=UUID(IDS["operation"]),
    caller_id=UUID(IDS["user"]),
    mutation="createPayment",
    key="order-2026-000217",
    object_kind=ObjectKind.PAYMENT,
    leased_until=_THEN + timedelta(seconds=30),
    started_at=_THEN,
    expires_at=_THEN + KEPT_FOR,
)
_ASKING: Final = Actor(role=Role.USER, user_id=UUID(IDS["user"]))

SAMPLES: Final[Mapping[str, DomainError]] = MappingProxyType(
    {
        ErrorCode.AMOUNT_OUT_OF_RANGE: AmountOutOfRange(
            "The amount is less than can be charged in EUR, or more.",
            path=("amount",),
            currency=CURRENCIES["EUR"],
        ),
        ErrorCode.CURRENCY_RULE: CurrencyRuleBroken.by_step(CURRENCIES["KWD"], path=("amount",)),
        ErrorCode.UNAUTHENTICATED: Unauthenticated(HTTP_ERRORS[401].message),
        ErrorCode.FORBIDDEN: Forbidden("Your role may not do this."),
        ErrorCode.NOT_FOUND: NotFound("There is no object with this id, or it is not yours."),
        ErrorCode.STATE_CONFLICT: StateConflict(
            "The object's state does not allow this.", current="CANCELLED", path=("id",)
        ),
        ErrorCode.DISPUTED: Disputed(path=("id",)),
        ErrorCode.ALREADY_SUBSCRIBED: AlreadySubscribed(
            UUID(IDS["subscription"]), current="ACTIVE", path=("plan_id",)
        ),
        ErrorCode.DUPLICATE_SUSPECTED: LikelyDuplicate(UUID(IDS["payment"]), current="COMPLETED"),
        ErrorCode.TRIAL_USED: TrialUsed(path=("use_trial",)),
        ErrorCode.METHOD_IN_USE: MethodInUse([UUID(IDS["subscription"])], path=("id",)),
        ErrorCode.KEY_REUSED: KeyReused(_FIRST, ["amount"]),
        ErrorCode.KEY_IN_PROGRESS: KeyInProgress(_FIRST),
        ErrorCode.UNAVAILABLE: DatabaseUnavailable("away"),
        ErrorCode.DECLINED: Declined(Decline(code="insufficient_funds")),
        ErrorCode.PROVIDER_REFUSED: ProcessorRefused(
            "Stripe refused this, and nothing was charged.", reason="parameter_invalid"
        ),
        ErrorCode.PROVIDER_UNAVAILABLE: ProcessorUnavailable(),
    }
)
HOLDS_CARD: Final = "A card number was sent, or what looks like one."
UNFIT: Final = "A field does not have the form, or breaks the rule, that it must keep."


def described(code: str, status: int) -> str:
    """What the code means on an answer of this status."""
    if code == ErrorCode.INVALID_INPUT:
        return HOLDS_CARD if status == 400 else UNFIT
    sample = SAMPLES.get(code)
    return HTTP_ERRORS[status].message if sample is None else sample.message


def example(code: str, status: int, route: RestRoute | None) -> Mapping[str, Any]:
    """The whole envelope; `route` is None for what answers before any endpoint is asked."""
    if code == ErrorCode.INVALID_INPUT and route is not None:
        return domain_envelope(_unfit(route, status), under=REQUEST)
    error = SAMPLES.get(code)
    if error is None:
        return envelope(HTTP_ERRORS[status], under=REQUEST)
    names = {} if route is None else route.names
    return domain_envelope(
        error, under=REQUEST, names=names, more={**more_about(error, _ASKING), **_left(code, route)}
    )


def _left(code: str, route: RestRoute | None) -> Mapping[str, object]:
    """What a decline leaves behind, such as the failed payment."""
    if route is None or code != ErrorCode.DECLINED:
        return {}
    models = (reply.model for reply in route.replies.values() if reply.model is not None)
    shown: BaseModel | None = next(
        (REFUSED[kind] for model in models if (kind := data_of(model)) in REFUSED), None
    )
    return {} if shown is None else {"resource": shown.model_dump(mode="json")}


def data_of(model: type[BaseModel]) -> Any:
    return model.model_fields["data"].annotation


def meta_of(model: type[BaseModel]) -> Any:
    return model.model_fields["meta"].annotation


def _unfit(route: RestRoute, status: int) -> InvalidInput:
    """A fault that a request to this endpoint can have: a card number, a wrong type, or an unknown name."""
    fields = [*(route.body.model_fields if route.body else ()), *route.query.model_fields]
    if status == 400:
        message = "This looks like a card number. Never send one to this API."
        where = "idempotency_key" if route.body is None else fields[0]
        return InvalidInput(message, path=(where,), constraint=CARD_NUMBER)
    return UnfitFields(
        [Detail(field=fields[0], code="type") if fields else Detail(field="colour", code="unknown")]
    )
