"""Grant access without a payment, and take such a grant back."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.access import AccessReason, AccessTarget, Entitlement, EntitlementSource
from domain.account import BillingAccount
from domain.actor import Role
from domain.arguments import UNKEPT
from domain.commands.command import LocalCommand, Step
from domain.customers import open_account
from domain.entitlements import record_entitlement
from domain.errors import InvalidInput, NotFound, StateConflict
from domain.identity import new_id
from domain.operation import ObjectKind
from domain.rules import Rules
from domain.text import checked_text


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantAccess(LocalCommand):
    """Let a user use something that they have not paid for; without an end, for good."""

    mutation: ClassVar = "grantAccess"
    object_kind: ClassVar = ObjectKind.ENTITLEMENT

    user_id: UUID
    media_item_id: str | None = None
    feature: str | None = None
    ends_at: datetime | None = None
    note: str = field(default="", metadata=UNKEPT)

    def check(self, rules: Rules) -> None:
        AccessTarget(media_item_id=self.media_item_id, feature=self.feature).check(path=("target",))
        check_note(self.note)

    async def intend(self, step: Step) -> tuple[UUID, None]:
        step.by.must_be({Role.ADMIN})
        if self.ends_at is not None and self.ends_at <= step.at:
            raise InvalidInput("This end is over already.", path=("ends_at",), constraint="future")
        account = BillingAccount(user_id=self.user_id, created_at=step.at, updated_at=step.at)
        await open_account(step.work, account, by=step.by)
        granted = Entitlement(
            id=new_id(),
            user_id=self.user_id,
            source=EntitlementSource.GRANT,
            reason=AccessReason.GRANTED,
            media_item_id=self.media_item_id,
            feature=self.feature,
            starts_at=step.at,
            ends_at=self.ends_at,
            granter_id=step.by.known_id,
            note=self.note,
            created_at=step.at,
            updated_at=step.at,
        )
        await record_entitlement(step.work, None, granted, at=step.at, by=step.by, note=self.note)
        return granted.id, None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeAccess(LocalCommand):
    """
    Take a grant back; once it was taken back, this changes nothing.

    What was paid for is not taken away like that: a refund or a cancellation does it, and gives the money its due.
    """

    mutation: ClassVar = "revokeAccess"
    object_kind: ClassVar = ObjectKind.ENTITLEMENT

    entitlement_id: UUID
    note: str = field(default="", metadata=UNKEPT)

    def check(self, rules: Rules) -> None:
        check_note(self.note)

    async def intend(self, step: Step) -> tuple[UUID, None]:
        step.by.must_be({Role.ADMIN})
        before = await step.work.entitlements.lock(self.entitlement_id)
        if before is None:
            raise NotFound("There is no such entitlement.", path=("entitlement_id",))
        if before.source is not EntitlementSource.GRANT:
            raise StateConflict(
                "This was paid for: refund the payment or cancel the subscription instead.",
                current=before.source,
                path=("entitlement_id",),
            )
        after = before.lost_for(AccessReason.NOT_PURCHASED, at=step.at)
        await record_entitlement(step.work, before, after, at=step.at, by=step.by, note=self.note)
        return before.id, None


def check_note(note: str) -> None:
    """Whoever gives something away says why. Raises InvalidInput."""
    if not note.strip():
        raise InvalidInput("Say why, for the audit trail.", path=("note",), constraint="required")
    checked_text(note, path=("note",))
