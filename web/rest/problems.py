"""What the envelope of an error holds beside that of any other: whatever helps to go on."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from domain.actor import Actor
from domain.decline import Decline, DeclineCategory, FixableBy
from domain.errors import (
    AlreadySubscribed,
    AmountOutOfRange,
    Declined,
    DomainError,
    LikelyDuplicate,
    MethodInUse,
    Retry,
    StateConflict,
)
from web.errors import domain_response
from web.rest.call import Refused
from web.rest.fields import Model
from web.rest.route import RestRoute

REPLAYED: Final = {"Idempotent-Replayed": "true"}


class DeclineBody(Model):
    """A bank's or a card network's no. Customers never hear of loss, theft or suspicion."""

    code: str
    category: DeclineCategory
    fixable_by: FixableBy
    customer_message: str
    retryable: bool
    network_advice: str | None

    @classmethod
    def of(cls, decline: Decline, seen_by: Actor) -> "DeclineBody":
        shown = decline if seen_by.sees_everybody else decline.for_customer()
        return cls(
            code=shown.code,
            category=shown.category,
            fixable_by=shown.fixable_by,
            customer_message=shown.customer_message,
            retryable=shown.retryable,
            network_advice=shown.network_advice,
        )


class DetailBody(Model):
    """One field that is at fault."""

    model_config = ConfigDict(extra="forbid")

    field: Annotated[str, Field(description="Its path, joined by dots.")]
    code: Annotated[str, Field(description="What is wrong with it, for programs.")]


class ErrorBody(Model):
    """What went wrong. Members that do not apply are left out."""

    model_config = ConfigDict(extra="forbid")

    code: Annotated[str, Field(description="For programs. Codes are stable; new ones may come.")]
    message: Annotated[str, Field(description="For developers; may change.")]
    details: Annotated[Sequence[DetailBody], Field(description="The fields that are at fault.")]
    retry: Annotated[Retry, Field(description="What may help.")]
    request_id: Annotated[str, Field(description="Quote it when you ask about this.")]
    decline: Annotated[DeclineBody | None, Field(description="Why a bank said no.")] = None
    resource: Annotated[
        dict[str, Any] | None,
        Field(description="What was made or changed nevertheless, such as a failed payment."),
    ] = None
    applied: Annotated[
        Sequence[str] | None,
        Field(description="The fields of the body that took effect before the one that did not."),
    ] = None
    current: Annotated[str | None, Field(description="The state that stands in the way.")] = None
    allowed: Annotated[Sequence[str] | None, Field(description="What may be done instead.")] = None
    existing_id: Annotated[str | None, Field(description="The object that stands in the way.")] = None
    subscription_ids: Annotated[Sequence[str] | None, Field(description="The subscriptions in the way.")] = (
        None
    )
    minimum: Annotated[int | None, Field(description="The least amount, in minor units.")] = None
    maximum: Annotated[int | None, Field(description="The greatest amount, in minor units.")] = None


class ErrorEnvelope(Model):
    """What every error looks like."""

    model_config = ConfigDict(extra="forbid")

    error: ErrorBody


def problem(error: DomainError, request: Request, route: RestRoute, actor: Actor) -> Response:
    return _response(error, request, route, more_about(error, actor))


def refusal(refused: Refused, request: Request, route: RestRoute, actor: Actor) -> Response:
    more = dict(more_about(refused.error, actor))
    if refused.resource is not None:
        more["resource"] = refused.resource.model_dump(mode="json")
    if refused.applied is not None:
        more["applied"] = list(refused.applied)
    response = _response(refused.error, request, route, more)
    response.headers.update(REPLAYED if refused.is_replayed else {})
    return response


def _response(error: DomainError, request: Request, route: RestRoute, more: Mapping[str, object]) -> Response:
    response = domain_response(error, request, names=route.names, more=more)
    response.status_code = route.statuses.get(error.code, response.status_code)
    return response


def more_about(error: DomainError, actor: Actor) -> Mapping[str, object]:
    match error:
        case Declined():
            return {"decline": DeclineBody.of(error.decline, actor).model_dump(mode="json")}
        case AmountOutOfRange():
            return {"minimum": error.minimum, "maximum": error.maximum}
        case AlreadySubscribed() | LikelyDuplicate():
            return {"current": error.current, "existing_id": str(error.existing_id)}
        case MethodInUse():
            return {"subscription_ids": [str(each) for each in error.subscription_ids]}
        case StateConflict():
            return {"current": error.current, "allowed": list(error.allowed)}
        case _:
            return {}
