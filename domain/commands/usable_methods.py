"""Which saved methods a command may use: its user's own, still attached, and not about to be deleted."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from domain.commands.command import Step
from domain.errors import Busy, InvalidInput, NotFound
from domain.payment_method import PaymentMethod

DELETION: Final = "deletePaymentMethod"
PATH: Final = ("payment_method_id",)


async def usable_method(
    step: Step, method_id: UUID, owner: UUID, *, path: Sequence[str] = PATH
) -> PaymentMethod:
    """
    The owner's method, which nobody removes before this transaction ends; another's and a removed one look like none.

    Raises NotFound, or Busy while a deletion of it has not ended: it may be gone at the processor by now, and
    whatever relied on it would be left without a method.
    """
    method = await step.work.payment_methods.lock_shared(method_id)
    if method is None or method.user_id != owner or not method.is_attached:
        raise NotFound("There is no such payment method.", path=path)
    await _must_stay(step, method, path)
    return method


async def usable_default(step: Step, owner: UUID) -> PaymentMethod | None:
    """The owner's default method, if they have one. Raises Busy as `usable_method` does."""
    default = await step.work.payment_methods.lock_default(owner)
    if default is not None:
        await _must_stay(step, default, PATH)
    return default


async def method_or_default(
    step: Step, method_id: UUID | None, owner: UUID, *, is_needed: bool = True
) -> PaymentMethod | None:
    """The named method, or else the default one. Raises InvalidInput where one is needed and there is none."""
    if method_id is not None:
        return await usable_method(step, method_id, owner)
    default = await usable_default(step, owner)
    if default is None and is_needed:
        raise InvalidInput("There is no default payment method: name one.", path=PATH, constraint="required")
    return default


async def _must_stay(step: Step, method: PaymentMethod, path: Sequence[str]) -> None:
    if await step.work.operations.is_open(DELETION, method.id):
        raise Busy("This payment method is being deleted.", current="BUSY", path=path)
