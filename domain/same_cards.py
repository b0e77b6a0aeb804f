"""A card that was saved once more, by a set-up or with a payment, is one saved method in the end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.actor import Actor, Role
from domain.command_service import CommandService
from domain.commands.delete_payment_method import DeletePaymentMethod
from domain.payment_method import PaymentMethod
from domain.ports import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class SameCards:
    """
    The job that follows the saving of a card which was saved already: `addPaymentMethod` sees that before it attaches
    a method, but what the processor's own library confirms is attached by the time that we hear of it.
    """

    database: Database
    commands: CommandService

    async def keep_newest(self, user_id: UUID) -> None:
        """
        Of each card the newest method stays, since the bank's consent (SCA) was given for that. It takes the place of
        the others, for subscriptions and as the default, as the successor does in a deletion.

        Raises Busy where one of them is being changed.
        """
        by = Actor(role=Role.SYSTEM, user_id=user_id)
        async with self.database.reads() as reads:
            of_users = await reads.payment_methods.of_users([user_id], owner=None, with_detached=False)
        for former, newest in replaced(of_users.get(user_id, ())):
            await self.commands.execute(by, DeletePaymentMethod(method_id=former.id, successor_id=newest.id))


def replaced(methods: Sequence[PaymentMethod]) -> Iterator[tuple[PaymentMethod, PaymentMethod]]:
    """Each method of a card that was saved again, with the newest one of that card."""
    newest: dict[str, PaymentMethod] = {}
    for method in sorted(methods, key=lambda each: (each.created_at, each.id), reverse=True):
        if method.fingerprint is None:
            continue
        if newest.setdefault(method.fingerprint, method) is not method:
            yield method, newest[method.fingerprint]
