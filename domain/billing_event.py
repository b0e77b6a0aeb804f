"""What happened to an object, told to whoever may see it: the audit trail in plain words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.actor import Actor, Role
from domain.audit import AuditRecord
from domain.dispute import DisputeStatus
from domain.events import EVENT
from domain.invoice import InvoiceStatus
from domain.json_value import JsonObject, JsonValue
from domain.payment_method import SetupStatus
from domain.payment_status import PaymentStatus, SyncSource
from domain.personal_values import NOTE
from domain.refund import RefundStatus

SUMMARIES: Final[Mapping[str, str]] = {
    "billing_account.customer_linked": "The account got its customer at the payment provider.",
    "billing_account.forgotten": "The person was forgotten; the books stay.",
    "billing_account.opened": "The billing account was opened.",
    "entitlement.changed": "How long access lasts changed.",
    "entitlement.made": "Access was given.",
    "entitlement.restored": "Access was given back.",
    "entitlement.revoked": "Access was taken away.",
    "invoice.created": "An invoice was written.",
    "invoice.draft": "The invoice is being prepared.",
    "invoice.open": "The invoice waits to be paid.",
    "invoice.paid": "The invoice was paid.",
    "invoice.uncollectible": "The invoice is not expected to be paid any more.",
    "invoice.void": "The invoice was withdrawn: nothing is owed for it.",
    "dispute.closed": "The inquiry of the payer's bank has ended.",
    "dispute.drafted": "Evidence against the dispute was written.",
    "dispute.inquiry": "The payer's bank has asked about the payment.",
    "dispute.lost": "The dispute was lost: the payer keeps the money.",
    "dispute.needs_response": "The payer disputes the payment; evidence is needed.",
    "dispute.prevented": "A dispute was prevented.",
    "dispute.under_review": "The payer's bank is looking at the evidence.",
    "dispute.won": "The dispute was won.",
    "payment.attempted": "The payment was tried again.",
    "payment.authorized": "The bank agreed to the payment, which can be collected now.",
    "payment.cancelled": "The payment was cancelled.",
    "payment.cancelling": "The cancellation of the payment was asked for.",
    "payment.completed": "The money was collected.",
    "payment.disputed": "The payer's bank holds money of the payment.",
    "payment.partially_refunded": "Part of the money was given back.",
    "payment.refunded": "All of the money was given back.",
    "payment.refunds_counted": "What is being given back has changed.",
    "payment.undisputed": "The payer's bank holds no money of the payment any more.",
    "payment.confirming": "Another attempt at the payment was started.",
    "payment.created": "The payment was asked for.",
    "payment.failed": "The payment failed.",
    "payment.pending": "The payment waits for the app to confirm it.",
    "payment.processing": "The bank is working on the payment.",
    "payment.requires_action": "The customer must confirm the payment with their bank.",
    "payment_method.added": "The payment method was saved.",
    "payment_method.detached": "The payment method was removed.",
    "payment_method.made_default": "The payment method became the default one.",
    "payment_method.no_longer_default": "Another payment method became the default one.",
    "payment_method.updated": "Details of the payment method changed.",
    "payment_method_setup.cancelled": "Saving the payment method was given up.",
    "payment_method_setup.processing": "The bank is checking the payment method.",
    "payment_method_setup.requires_action": "The customer must confirm the payment method with their bank.",
    "payment_method_setup.requires_method": "The payment method has not been given yet.",
    "payment_method_setup.started": "Saving a payment method was started.",
    "payment_method_setup.succeeded": "The payment method was checked and saved.",
    "plan.added": "The plan was added.",
    "plan.updated": "Details of the plan changed.",
    "reconciliation_run.requested": "A comparison with the payment provider was asked for.",
    "refund.cancelled": "The refund was cancelled.",
    "refund.failed": "The refund failed: its amount can be refunded again.",
    "refund.found": "A refund was made at the payment provider.",
    "refund.pending": "The refund waits for the bank.",
    "refund.requested": "The refund was asked for.",
    "refund.succeeded": "The money was given back.",
    "subscription.active": "The subscription is active.",
    "subscription.cancelled": "The subscription was cancelled and has ended.",
    "subscription.cancelling": "The cancellation of the subscription was asked for.",
    "subscription.created": "The subscription was asked for.",
    "subscription.ending_planned": "The subscription is going to end.",
    "subscription.expired": "The subscription ended because it was not paid.",
    "subscription.incomplete": "The subscription waits for its first payment.",
    "subscription.kept": "The subscription goes on: its planned end was taken back.",
    "subscription.paid": "The current period was paid for.",
    "subscription.past_due": "A payment for the subscription failed; it is tried again.",
    "subscription.paused": "The subscription was paused: nothing is collected.",
    "subscription.plan_changed": "The plan of the subscription changed.",
    "subscription.renewed": "A new period of the subscription began.",
    "subscription.surplus": "The user had a subscription to the plan already: this is one too many.",
    "subscription.trialing": "The trial of the subscription began.",
    "subscription.unpaid": "The subscription was not paid for, and this is not tried again.",
    "subscription.updated": "Details of the subscription changed.",
    "webhook_event.replayed": "The event was applied once more, on command.",
}
"""One sentence per action. An action that is not here is told by its own words."""
RECONCILED: Final = "reconciliation-"
"""How the request id begins of what a run of the reconciliation has settled; the run's id follows."""
MORE_IS_KNOWN: Final = "More became known about it."
STATES: Final = frozenset(
    {f"payment.{status.lower()}" for status in PaymentStatus}
    | {f"payment_method_setup.{status.lower()}" for status in SetupStatus}
    | {f"refund.{status.lower()}" for status in RefundStatus}
    | {f"dispute.{status.lower()}" for status in DisputeStatus}
    | {f"invoice.{status.lower()}" for status in InvoiceStatus}
)

_FACTS_OF_THEIR_OWN: Final = """
    amount amount_due amount_paid authorized_amount brand cancel_at cancel_at_period_end
    cancel_reason cancelled_at capture_method captured_amount completed_at currency
    current_period_end current_period_start detached_at disputed_amount ended_at evidence_due_by
    evidence_submitted_at exp_month exp_year is_default last4 makes_default method_brand
    method_exp_month method_exp_year method_last4 method_type method_wallet origin paid_through
    paused_until pending_plan_id plan_id reason refund_pending_amount refunded_amount
    revokes_access status total trial_ends_at trigger type wallet
"""
SHOWN_TO_OWNERS: Final = frozenset(_FACTS_OF_THEIR_OWN.split())
"""Attributes whose changes tell a customer nothing that is kept from them elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingEvent:
    """
    One record of the trail as its reader may see it; `id` and `sequence` are the record's.

    `changes` maps each attribute to its value before and after.
    """

    id: UUID
    sequence: int
    type: str
    summary: str
    source: SyncSource
    actor_role: Role
    actor_id: UUID | None
    occurred_at: datetime
    recorded_at: datetime
    changes: JsonObject


def billing_event(record: AuditRecord, *, seen_by: Actor) -> BillingEvent:
    """Who does not see everybody learns neither who of the staff acted nor what is concealed from a payer."""
    knows_actor = seen_by.sees_everybody or record.actor_id == seen_by.user_id
    return BillingEvent(
        id=record.id,
        sequence=record.sequence,
        type=record.action,
        summary=summary(record),
        source=source(record),
        actor_role=record.actor_role,
        actor_id=record.actor_id if knows_actor else None,
        occurred_at=record.occurred_at or record.at,
        recorded_at=record.at,
        changes=_all(record) if seen_by.sees_everybody else _shown(record),
    )


def summary(record: AuditRecord) -> str:
    """An action that names a state was repeated where the state did not change: the processor told more of it."""
    if record.action in STATES and "status" not in record.changes:
        return MORE_IS_KNOWN
    words = record.action.replace(".", " ").replace("_", " ")
    return SUMMARIES.get(record.action) or f"{words.capitalize()}."


def source(record: AuditRecord) -> SyncSource:
    """
    How we came to know it.

    What was done for no request, or for an event, comes of the processor's news, or of our asking.
    """
    if record.actor_role is Role.SYSTEM and record.request_id.startswith(RECONCILED):
        return SyncSource.RECONCILIATION
    told = record.after.get("synced_by")
    if isinstance(told, str):
        return SyncSource(told)
    is_news = record.actor_role is Role.SYSTEM and (record.request_id or EVENT).startswith(EVENT)
    return SyncSource.WEBHOOK if is_news else SyncSource.API_CALL


def _all(record: AuditRecord) -> JsonObject:
    changes = {name: _told(change) for name, change in record.told.items() if isinstance(change, list)}
    return changes if record.note is None else {**changes, NOTE: record.note}


def _shown(record: AuditRecord) -> JsonObject:
    return {
        name: _told(change)
        for name, change in record.changes.items()
        if name in SHOWN_TO_OWNERS and isinstance(change, list)
    }


def _told(change: list[JsonValue]) -> JsonValue:
    return dict(zip(("before", "after"), change, strict=True))
