"""Create payments."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final
from uuid import UUID

from domain.access import check_media_item_id
from domain.actor import Actor
from domain.arguments import UNKEPT
from domain.commands.command import Step
from domain.commands.payment_command import PaymentCommand
from domain.commands.usable_methods import method_or_default
from domain.decline import Decline
from domain.errors import PAID_UNDER_ANOTHER_KEY, InvalidInput, LikelyDuplicate
from domain.identity import new_id
from domain.json_value import JsonValue
from domain.money import Money
from domain.outcome import Outcome
from domain.payment import Payment
from domain.payment_method import PaymentMethod
from domain.payment_status import CaptureMethod, PaymentStatus, PaymentTrigger
from domain.ports import PaymentProcessor
from domain.rules import Rules
from domain.settlement import record_payment
from domain.text import checked_metadata, checked_text, checked_url

REFUSED: Final = "processor_refused"
PAID_WITHOUT_KEY: Final = (
    "The same was paid for a moment ago, or may have been. Send an idempotency key, by which a repetition is known, "
    "or say that a duplicate is allowed."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePayment(PaymentCommand):
    """
    Collect an amount; without a method the default one pays. `owner` is set when an admin acts for a user.

    `media_item_id` is what is bought, by the Media Service's id: once it is paid for, the payer owns it.
    """

    mutation: ClassVar = "createPayment"
    needs_customer: ClassVar = True

    amount: Money
    payment_method_id: UUID | None = None
    is_confirmed: bool = True
    capture_method: CaptureMethod = CaptureMethod.AUTOMATIC
    saves_method: bool = False
    is_off_session: bool = False
    return_url: str | None = None
    description: str | None = field(default=None, metadata=UNKEPT)
    details: Mapping[str, JsonValue] = field(default_factory=dict, metadata=UNKEPT)
    media_item_id: str | None = None
    allows_duplicate: bool = False
    owner: UUID | None = None

    def check(self, rules: Rules) -> None:
        rules.must_allow_client_amounts()
        rules.must_accept(self.amount, path=("charge", "amount"))
        if self.description is not None:
            checked_text(self.description, path=("description",))
        if self.return_url is not None:
            checked_url(self.return_url, path=("return_url",))
        checked_metadata(self.details, path=("metadata",))
        if self.media_item_id is not None:
            check_media_item_id(self.media_item_id, path=("media_item_id",))
        if self.is_off_session and not self.is_confirmed:
            raise InvalidInput("An off-session payment must be confirmed at once.", path=("off_session",))

    def payer(self, actor: Actor) -> UUID:
        return actor.payer(self.owner)

    async def intend(self, step: Step) -> tuple[UUID, Payment]:
        payment = self._fresh(step)
        await self._must_be_meant(step, payment)
        method = await self._method(step, payment.user_id)
        if method is not None:
            payment = replace(
                payment, payment_method_id=method.id, processor_method_id=method.processor_method_id
            )
        await record_payment(step.work, None, payment, action="payment.created", at=step.at, by=step.by)
        return payment.id, payment

    async def call(self, processor: PaymentProcessor, intent: Payment, *, key: str) -> Outcome:
        return await processor.charge(
            intent,
            is_confirmed=self.is_confirmed,
            is_off_session=self.is_off_session,
            saves_method=self.saves_method,
            return_url=self.return_url,
            key=key,
        )

    def is_seen_in(self, payment: Payment) -> bool:
        return True

    def unchanged(self, intent: Payment) -> Outcome:
        """The processor made nothing, so the payment has failed for a reason of ours."""
        return Outcome(status=PaymentStatus.FAILED, decline=Decline(code=REFUSED))

    def _fresh(self, step: Step) -> Payment:
        account = step.account
        return Payment(
            id=new_id(),
            user_id=account.user_id,
            status=PaymentStatus.PENDING,
            trigger=PaymentTrigger.PURCHASE if self.owner is None else PaymentTrigger.ADMIN,
            livemode=step.is_live,
            amount=self.amount.minor,
            currency=self.amount.currency,
            capture_method=self.capture_method,
            description=self.description,
            details=self.details,
            media_item_id=self.media_item_id,
            processor_customer_id=account.customer_id,
            created_at=step.at,
            updated_at=step.at,
        )

    async def _must_be_meant(self, step: Step, payment: Payment) -> None:
        """
        Raises LikelyDuplicate where the same was paid for a moment ago, and the caller does not allow it once more;
        without a key also as long as it is not known what became of an earlier one.

        Who comes second at the same moment waits for the first, since the payer's account is held.
        """
        window = step.rules.in_the_way_for(is_keyed=step.is_keyed)
        if self.allows_duplicate or not window:
            return
        since = step.at - window
        for earlier in await step.work.payments.of_amount(payment.user_id, self.amount, since=since):
            is_recent = earlier.created_at > since or not step.is_keyed
            if is_recent and payment.is_likely_duplicate_of(earlier):
                raise LikelyDuplicate(
                    earlier.id,
                    current=earlier.status,
                    path=("allow_duplicate",),
                    message=PAID_UNDER_ANOTHER_KEY if step.is_keyed else PAID_WITHOUT_KEY,
                )

    async def _method(self, step: Step, payer: UUID) -> PaymentMethod | None:
        """None where the app names one when it confirms."""
        if self.payment_method_id is None and not self.is_confirmed:
            return None
        return await method_or_default(step, self.payment_method_id, payer)
