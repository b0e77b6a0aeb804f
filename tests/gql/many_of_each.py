"""Twenty objects of every type that has an id, each with something behind every field that leads elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from domain.access import AccessReason, Entitlement, EntitlementSource
from domain.account import BillingAccount
from domain.actor import Actor, Role
from domain.audit import KINDS, Audited, AuditRecord, audit_record
from domain.dispute import Dispute, DisputeStatus
from domain.events import InboxEvent
from domain.identity import new_id
from domain.invoice import BillingReason, ChargeLine, Invoice, InvoiceStatus
from domain.operation import ObjectKind, Operation, OperationState
from domain.payment import Payment
from domain.payment_method import PaymentMethod, PaymentMethodSetup, SetupStatus
from domain.plan import BillingInterval, Plan
from domain.ports import Database
from domain.reconciliation.run import Drift, DriftCause, ReconciliationRun, RunKind, RunState
from domain.refund import Refund, RefundOrigin, RefundReason, RefundStatus
from domain.subscription import Subscription
from domain.subscription_status import SubscriptionStatus
from gql.ids import global_id
from tests.gql.many_payments import START, method_of, payment_of, stored

MANY: Final = 20


async def many_of_each(database: Database) -> Mapping[str, Sequence[str]]:
    """The API's ids by the name of the type. Each object belongs to a user of its own."""
    households = [await household(database, number) for number in range(MANY)]
    return {name: [each[name] for each in households] for name in households[0]}


async def household(database: Database, number: int) -> Mapping[str, str]:
    owner = Actor(role=Role.USER, user_id=new_id())
    method = method_of(owner, name=f"pm_{number}", is_default=True)
    payments = [
        payment_of(owner, at=START + timedelta(minutes=at), amount=900, number=number, method=method)
        for at in range(2)
    ]
    payments[0] = replace(payments[0], media_item_id="film-17")
    setup, operation = setup_of(method), operation_on(payments[0])
    plan, other = plan_of(f"price_{number}"), plan_of(f"price_{number}_other")
    subscription = subscription_to(plan, other, method)
    invoice = invoice_for(subscription, f"in_{number}")
    entitlement = entitlement_to(payments[0])
    refund, dispute = refund_of(payments[0]), dispute_of(payments[0])
    run = run_by(owner)
    told = (payments[0], method, subscription, refund, dispute)
    event = event_of(payments[0])
    records = [recorded(thing, owner) for thing in told]
    records += [recorded(thing, event.actor) for thing in (invoice, setup)]
    await stored(database, owner, [], [method])
    async with database.work() as work:
        await work.setups.add(setup)
        await work.operations.add(operation)
        for each in (plan, other):
            await work.plans.add(each)
        await work.subscriptions.add(replace(subscription, latest_invoice_id=invoice.id))
        await work.invoices.add(invoice)
        for payment in payments:
            for_it = replace(payment, subscription_id=subscription.id, invoice_id=invoice.id)
            await work.payments.add(for_it)
        await work.entitlements.add(entitlement)
        await work.inbox.add_all([event])
        for record in records:
            await work.audit.add(record)
        await work.refunds.add(refund)
        await work.disputes.add(dispute)
        await work.reconciliation_runs.add(run)
        await work.drifts.add_all([drift_of(run, payments[0])])
    return {
        "AuditEntry": global_id(AuditRecord, records[number % 2].id),
        "BillingAccount": global_id(BillingAccount, owner.known_id),
        "Invoice": global_id(Invoice, invoice.id),
        "Entitlement": global_id(Entitlement, entitlement.id),
        "Dispute": global_id(Dispute, dispute.id),
        "Operation": global_id(Operation, operation.id),
        "Payment": global_id(Payment, payments[0].id),
        "PaymentMethod": global_id(PaymentMethod, method.id),
        "PaymentMethodSetup": global_id(PaymentMethodSetup, setup.id),
        "ReconciliationRun": global_id(ReconciliationRun, run.id),
        "Refund": global_id(Refund, refund.id),
        "Plan": global_id(Plan, plan.id),
        "Subscription": global_id(Subscription, subscription.id),
        "WebhookEvent": global_id(InboxEvent, event.id),
    }


def run_by(asker: Actor) -> ReconciliationRun:
    return ReconciliationRun(
        id=new_id(),
        kind=RunKind.ALL,
        state=RunState.FINISHED,
        livemode=False,
        is_dry_run=True,
        since=START,
        until=START,
        drifts_found=1,
        requested_by=asker.known_id,
        started_at=START,
        finished_at=START,
    )


def drift_of(run: ReconciliationRun, payment: Payment) -> Drift:
    return Drift(
        id=new_id(),
        run_id=run.id,
        object_kind=ObjectKind.PAYMENT,
        object_id=payment.id,
        processor_object_id="pi_1",
        field="status",
        cause=DriftCause.STALE_WRITE,
        found_at=START,
    )


def plan_of(price: str) -> Plan:
    return Plan(
        id=new_id(),
        processor_price_id=price,
        processor_product_id="prod_1",
        code=price,
        name="Films",
        amount=900,
        currency="USD",
        interval=BillingInterval.MONTH,
        interval_count=1,
        active=True,
        livemode=False,
        created_at=START,
        updated_at=START,
    )


def entitlement_to(payment: Payment) -> Entitlement:
    return Entitlement(
        id=new_id(),
        user_id=payment.user_id,
        source=EntitlementSource.PURCHASE,
        reason=AccessReason.OWNED,
        payment_id=payment.id,
        media_item_id=payment.media_item_id,
        starts_at=START,
        created_at=START,
        updated_at=START,
    )


def subscription_to(plan: Plan, next_one: Plan, method: PaymentMethod) -> Subscription:
    """Its renewal was tried in vain."""
    return Subscription(
        id=new_id(),
        user_id=method.user_id,
        plan_id=plan.id,
        pending_plan_id=next_one.id,
        payment_method_id=method.id,
        status=SubscriptionStatus.PAST_DUE,
        livemode=False,
        current_period_start=START,
        current_period_end=START + timedelta(days=31),
        past_due_since=START,
        processor_customer_id="cus_1",
        created_at=START,
        updated_at=START,
    )


def invoice_for(subscription: Subscription, known_there_as: str) -> Invoice:
    return Invoice(
        id=new_id(),
        user_id=subscription.user_id,
        subscription_id=subscription.id,
        livemode=False,
        processor_invoice_id=known_there_as,
        status=InvoiceStatus.OPEN,
        reason=BillingReason.RENEWAL,
        currency="USD",
        subtotal=900,
        tax=0,
        total=900,
        amount_due=900,
        amount_paid=0,
        lines=[
            ChargeLine(label="Films", amount=900, is_proration=False, starts_at=START, ends_at=START).record()
        ],
        attempt_count=1,
        period_start=START,
        period_end=START + timedelta(days=31),
        created_at=START,
        updated_at=START,
    )


def recorded(thing: Audited, owner: Actor) -> AuditRecord:
    return audit_record(f"{KINDS[type(thing)].lower()}.created", None, thing, at=START, by=owner)


def setup_of(method: PaymentMethod) -> PaymentMethodSetup:
    return PaymentMethodSetup(
        id=new_id(),
        user_id=method.user_id,
        status=SetupStatus.SUCCEEDED,
        makes_default=False,
        processor_customer_id="cus_1",
        payment_method_id=method.id,
        created_at=START,
        updated_at=START,
    )


def refund_of(payment: Payment) -> Refund:
    return Refund(
        id=new_id(),
        user_id=payment.user_id,
        payment_id=payment.id,
        status=RefundStatus.PENDING,
        amount=100,
        currency=payment.currency,
        reason=RefundReason.OTHER,
        origin=RefundOrigin.API,
        revokes_access=True,
        created_by=payment.user_id,
        created_at=START,
        updated_at=START,
    )


def dispute_of(payment: Payment) -> Dispute:
    return Dispute(
        id=new_id(),
        user_id=payment.user_id,
        payment_id=payment.id,
        status=DisputeStatus.WON,
        amount=100,
        currency=payment.currency,
        reason="fraudulent",
        processor_dispute_id=f"du_{payment.id}",
        created_at=START,
        updated_at=START,
    )


def event_of(payment: Payment) -> InboxEvent:
    return InboxEvent(
        id=new_id(),
        processor_event_id=f"evt_{payment.id.hex}",
        type="payment_intent.succeeded",
        livemode=False,
        api_version="2026-01-01",
        payload="{}",
        processor_object_id=payment.processor_payment_id,
        occurred_at=START,
        received_at=START,
    )


def operation_on(payment: Payment) -> Operation:
    return Operation(
        id=new_id(),
        caller_id=payment.user_id,
        mutation="createPayment",
        key=f"key-{payment.id}",
        state=OperationState.SUCCEEDED,
        fingerprint={},
        arguments={},
        object_kind=ObjectKind.PAYMENT,
        object_id=payment.id,
        request_id="test-request",
        leased_until=None,
        started_at=START,
        finished_at=START,
        expires_at=START,
    )
