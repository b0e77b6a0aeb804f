"""What became of a command, as an answer."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import BaseModel, Field

from domain.command_service import Executed
from domain.errors import ProcessorUnavailable
from web.errors import retry_after
from web.rest.call import Answer, Call, Refused
from web.rest.fields import Model
from web.rest.problems import REPLAYED

ACCEPTED: Final = 202


class CommandMeta(Model):
    """How the request was carried out."""

    replayed: Annotated[
        bool, Field(description="Whether an earlier request with the same Idempotency-Key did the work.")
    ] = False
    outcome_known: Annotated[
        bool,
        Field(
            description="False: nobody knows yet. We find out by ourselves; never ask anew without the same key."
        ),
    ] = True


class ChangesMeta(CommandMeta):
    """Of a request that may change several things, one after the other."""

    applied: Annotated[
        Sequence[str], Field(description="The fields of the body that have taken effect.")
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An object as a caller sees it, and whether its customer has to act now."""

    body: BaseModel
    awaits_action: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


Show = Callable[[Call[Any, Any], UUID], Awaitable[Shown]]


async def concluded(
    call: Call[Any, Any],
    done: Executed,
    show: Show,
    *,
    created: bool = False,
    applied: Sequence[str] | None = None,
) -> Answer:
    """
    201 for what was made and 200 for what was changed or is a replay; 202 while the customer must act, or while
    nobody knows the outcome, of which the object as it is now tells all there is.

    Raises Refused for an outcome that is no success, and for one that is not known and has no object to show.
    """
    operation = done.operation
    shown = None if operation.object_id is None else await show(call, operation.object_id)
    if shown is not None and isinstance(operation.verdict, ProcessorUnavailable):
        return Answer(
            status=ACCEPTED,
            data=shown.body,
            meta=_meta(applied, replayed=done.is_replayed, outcome_known=False),
            headers={**shown.headers, **retry_after(operation.verdict), **_replayed(done)},
        )
    if operation.verdict is not None or shown is None:
        raise Refused(
            operation.verdict or ProcessorUnavailable(),
            resource=shown.body if shown else None,
            applied=applied,
            is_replayed=done.is_replayed,
        )
    status = 201 if created and not done.is_replayed else 200
    return Answer(
        status=ACCEPTED if shown.awaits_action else status,
        data=shown.body,
        meta=_meta(applied, replayed=done.is_replayed),
        headers={**shown.headers, **_replayed(done)},
    )


def _meta(applied: Sequence[str] | None, **said: bool) -> CommandMeta:
    return CommandMeta(**said) if applied is None else ChangesMeta(applied=applied, **said)


def _replayed(done: Executed) -> Mapping[str, str]:
    return REPLAYED if done.is_replayed else {}
