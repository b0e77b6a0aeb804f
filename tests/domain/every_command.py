"""Every command that reaches Stripe, ready to be given, and what it brings about there, once."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from domain.charge_preview import ChangeTiming, Proration
from domain.commands.add_payment_method import AddPaymentMethod
from domain.commands.command import Command
from domain.commands.create_payment import CreatePayment
from domain.commands.delete_payment_method import DeletePaymentMethod
from domain.commands.disputes import AcceptDispute, SubmitDisputeEvidence
from domain.commands.payment_methods import StartPaymentMethodSetup, UpdatePaymentMethod
from domain.commands.payments import CancelPayment, CapturePayment, ConfirmPayment
from domain.commands.refunds import RefundPayment
from domain.commands.subscriptions.change_plan import ChangePlan
from domain.commands.subscriptions.create_subscription import CreateSubscription
from domain.commands.subscriptions.ending import CancelSubscription, KeepSubscription
from domain.commands.subscriptions.pausing import PauseSubscription, ResumeSubscription
from domain.commands.subscriptions.retry_renewal import RetryRenewal
from domain.commands.subscriptions.update_subscription import UpdateSubscription
from domain.dispute import Dispute
from domain.payment_status import CaptureMethod
from domain.refund import RefundReason
from domain.subscription import CancelTiming, Subscription
from sandbox import Sandbox
from tests.domain.shopping import COFFEE, Cardholder, Post, Shopper, captures
from tests.domain.subscriptions.subscribing import Subscriber, at_stripe, live_at_stripe

SUBSCRIPTION: Final = "/v1/subscriptions/sub_"
DISPUTE: Final = "/v1/disputes/"


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Everybody who plays a part."""

    user: Subscriber
    clerk: Subscriber
    sandbox: Sandbox
    post: Post
    cardholder: Cardholder

    async def subscribed(self) -> Subscription:
        await self.user.saves()
        return await self.user.subscribes(await self.user.plan())

    async def disputed(self) -> Dispute:
        await self.user.saves()
        payment = await self.user.pays()
        self.sandbox.dispute(payment.processor_payment_id or "")
        await self.post.deliver_all()
        [dispute] = await self.user.disputes(payment)
        return dispute

    def thing(self, kind: str, thing_id: str | None) -> dict[str, Any]:
        found = self.sandbox.objects.find(kind, thing_id or "")
        assert found is not None
        return found


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """
    A command whose requests that match `path` are spoilt; `effect` tells how things stand at Stripe, and `done` how
    they do once the command was carried out, once.
    """

    command: Command[Any, Any]
    by: Shopper
    path: str
    method: str = "POST"
    effect: Callable[[], object]
    done: object


async def create_payment(scene: Scene) -> Prepared:
    await scene.user.saves()
    return Prepared(
        command=CreatePayment(amount=COFFEE),
        by=scene.user,
        path="/v1/payment_intents$",
        effect=lambda: (captures(scene.sandbox), len(list(scene.sandbox.objects.all("payment_intent")))),
        done=(1, 1),
    )


async def confirm_payment(scene: Scene) -> Prepared:
    card = await scene.user.saves()
    payment = await scene.user.pays(is_confirmed=False)
    return Prepared(
        command=ConfirmPayment(payment_id=payment.id, payment_method_id=card),
        by=scene.user,
        path="/confirm$",
        effect=lambda: captures(scene.sandbox),
        done=1,
    )


async def capture_payment(scene: Scene) -> Prepared:
    await scene.user.saves()
    payment = await scene.user.pays(capture_method=CaptureMethod.MANUAL)
    return Prepared(
        command=CapturePayment(payment_id=payment.id),
        by=scene.clerk,
        path="/capture$",
        effect=lambda: captures(scene.sandbox),
        done=1,
    )


async def cancel_payment(scene: Scene) -> Prepared:
    payment = await scene.user.pays(is_confirmed=False)
    return Prepared(
        command=CancelPayment(payment_id=payment.id),
        by=scene.user,
        path="/cancel$",
        effect=lambda: scene.thing("payment_intent", payment.processor_payment_id)["status"],
        done="canceled",
    )


async def refund_payment(scene: Scene) -> Prepared:
    """All of it, and Stripe's own guard against a second time is off."""
    await scene.user.saves()
    payment = await scene.user.pays()
    scene.sandbox.guards.over_refunds = False
    return Prepared(
        command=RefundPayment(payment_id=payment.id, reason=RefundReason.CUSTOMER_REQUEST),
        by=scene.clerk,
        path="/v1/refunds$",
        effect=lambda: scene.sandbox.ledger()["totals"]["amount_refunded"],
        done={"eur": 450},
    )


async def draft_evidence(scene: Scene) -> Prepared:
    dispute = await scene.disputed()
    return Prepared(
        command=SubmitDisputeEvidence(dispute_id=dispute.id, evidence={"customer_name": "Ada"}),
        by=scene.clerk,
        path=DISPUTE,
        effect=lambda: scene.thing("dispute", dispute.processor_dispute_id)["evidence"]["customer_name"],
        done="Ada",
    )


async def submit_evidence(scene: Scene) -> Prepared:
    dispute = await scene.disputed()

    def submissions() -> int:
        details = scene.thing("dispute", dispute.processor_dispute_id)["evidence_details"]
        return int(details["submission_count"])

    command = SubmitDisputeEvidence(dispute_id=dispute.id, evidence={"customer_name": "Ada"}, is_final=True)
    return Prepared(command=command, by=scene.clerk, path=DISPUTE, effect=submissions, done=1)


async def accept_dispute(scene: Scene) -> Prepared:
    dispute = await scene.disputed()
    return Prepared(
        command=AcceptDispute(dispute_id=dispute.id),
        by=scene.clerk,
        path="/close$",
        effect=lambda: scene.thing("dispute", dispute.processor_dispute_id)["status"],
        done="lost",
    )


async def start_setup(scene: Scene) -> Prepared:
    """One that nobody completes is harmless, so that only the absence of any counts."""
    await scene.user.saves()
    return Prepared(
        command=StartPaymentMethodSetup(),
        by=scene.user,
        path="/v1/setup_intents$",
        effect=lambda: bool(list(scene.sandbox.objects.all("setup_intent"))),
        done=True,
    )


async def add_method(scene: Scene) -> Prepared:
    await scene.user.pays(is_confirmed=False)
    card = await scene.cardholder.enters_card()
    return Prepared(
        command=AddPaymentMethod(processor_method_id=card),
        by=scene.user,
        path="/attach$",
        effect=lambda: scene.thing("payment_method", card)["customer"] is not None,
        done=True,
    )


async def update_method(scene: Scene) -> Prepared:
    card = await scene.user.method(await scene.user.saves())
    return Prepared(
        command=UpdatePaymentMethod(method_id=card.id, billing_name="Ada", exp_month=1, exp_year=2031),
        by=scene.user,
        path="/v1/payment_methods/",
        effect=lambda: scene.thing("payment_method", card.processor_method_id)["billing_details"]["name"],
        done="Ada",
    )


async def make_default(scene: Scene) -> Prepared:
    await scene.user.saves()
    card = await scene.user.method(await scene.user.saves("pm_card_mastercard"))

    def default() -> object:
        [customer] = scene.sandbox.objects.all("customer")
        return customer["invoice_settings"]["default_payment_method"]

    return Prepared(
        command=UpdatePaymentMethod(method_id=card.id, makes_default=True),
        by=scene.user,
        path="/v1/customers/",
        effect=default,
        done=card.processor_method_id,
    )


async def delete_method(scene: Scene) -> Prepared:
    """With a successor, by which what it paid for is paid from then on."""
    subscription = await scene.subscribed()
    [card] = await scene.user.methods()
    heir = await scene.user.method(await scene.user.saves("pm_card_mastercard"))
    naming = UpdateSubscription(subscription_id=subscription.id, payment_method_id=card.id)
    await scene.user.does(naming)

    def holder_and_payer() -> object:
        holder = scene.thing("payment_method", card.processor_method_id)["customer"]
        return holder, at_stripe(scene.sandbox, subscription)["default_payment_method"]

    return Prepared(
        command=DeletePaymentMethod(method_id=card.id, successor_id=heir.id),
        by=scene.user,
        path=f"(/v1/customers/|{SUBSCRIPTION}|/detach$)",
        effect=holder_and_payer,
        done=(None, heir.processor_method_id),
    )


async def create_subscription(scene: Scene) -> Prepared:
    await scene.user.saves()
    return Prepared(
        command=CreateSubscription(plan_id=await scene.user.plan()),
        by=scene.user,
        path="/v1/subscriptions$",
        effect=lambda: (len(live_at_stripe(scene.sandbox)), captures(scene.sandbox)),
        done=(1, 1),
    )


async def change_plan(scene: Scene) -> Prepared:
    subscription = await scene.subscribed()
    scene.user.dashboard.passes(10)
    dearer = await scene.user.plan(3000)
    return Prepared(
        command=ChangePlan(subscription_id=subscription.id, plan_id=dearer, proration=Proration.INVOICE_NOW),
        by=scene.user,
        path=SUBSCRIPTION,
        effect=lambda: captures(scene.sandbox),
        done=2,
    )


async def plan_change(scene: Scene) -> Prepared:
    subscription = await scene.subscribed()
    dearer = await scene.user.plan(3000)

    def is_planned() -> bool:
        return any(len(each["phases"]) == 2 for each in scene.sandbox.objects.all("subscription_schedule"))

    return Prepared(
        command=ChangePlan(subscription_id=subscription.id, plan_id=dearer, timing=ChangeTiming.PERIOD_END),
        by=scene.user,
        path="/v1/subscription_schedules/",
        effect=is_planned,
        done=True,
    )


async def end_subscription(scene: Scene) -> Prepared:
    subscription = await scene.subscribed()
    return Prepared(
        command=CancelSubscription(subscription_id=subscription.id, timing=CancelTiming.NOW),
        by=scene.user,
        path=SUBSCRIPTION,
        method="DELETE",
        effect=lambda: at_stripe(scene.sandbox, subscription)["status"],
        done="canceled",
    )


async def end_with_period(scene: Scene) -> Prepared:
    subscription = await scene.subscribed()
    return Prepared(
        command=CancelSubscription(subscription_id=subscription.id),
        by=scene.user,
        path=SUBSCRIPTION,
        effect=lambda: at_stripe(scene.sandbox, subscription)["cancel_at_period_end"],
        done=True,
    )


async def keep_subscription(scene: Scene) -> Prepared:
    subscription = await scene.subscribed()
    await scene.user.does(CancelSubscription(subscription_id=subscription.id))
    return Prepared(
        command=KeepSubscription(subscription_id=subscription.id),
        by=scene.user,
        path=SUBSCRIPTION,
        effect=lambda: at_stripe(scene.sandbox, subscription)["cancel_at_period_end"],
        done=False,
    )


async def pause_subscription(scene: Scene) -> Prepared:
    subscription = await scene.subscribed()
    return Prepared(
        command=PauseSubscription(subscription_id=subscription.id),
        by=scene.user,
        path=SUBSCRIPTION,
        effect=lambda: at_stripe(scene.sandbox, subscription)["pause_collection"] is not None,
        done=True,
    )


async def resume_subscription(scene: Scene) -> Prepared:
    """In a period that nobody has paid for, so that a new one is charged."""
    subscription = await scene.subscribed()
    await scene.user.does(PauseSubscription(subscription_id=subscription.id))
    scene.user.dashboard.passes(45)
    return Prepared(
        command=ResumeSubscription(subscription_id=subscription.id),
        by=scene.user,
        path=SUBSCRIPTION,
        effect=lambda: captures(scene.sandbox),
        done=2,
    )


async def update_subscription(scene: Scene) -> Prepared:
    subscription = await scene.subscribed()
    card = await scene.user.method(await scene.user.saves("pm_card_mastercard"))
    return Prepared(
        command=UpdateSubscription(subscription_id=subscription.id, payment_method_id=card.id),
        by=scene.user,
        path=SUBSCRIPTION,
        effect=lambda: at_stripe(scene.sandbox, subscription)["default_payment_method"],
        done=card.processor_method_id,
    )


async def retry_renewal(scene: Scene) -> Prepared:
    await scene.user.saves("pm_card_chargeCustomerFail")
    owed = await scene.user.subscribes(await scene.user.plan())
    return Prepared(
        command=RetryRenewal(subscription_id=owed.id, payment_method_id=await scene.user.saves()),
        by=scene.user,
        path="/v1/invoices/.*/pay$",
        effect=lambda: captures(scene.sandbox),
        done=1,
    )


@dataclass(frozen=True, kw_only=True)
class Scenario:
    mutation: str
    prepare: Callable[[Scene], Awaitable[Prepared]]


def scenario(of: type[Command[Any, Any]], prepare: Callable[[Scene], Awaitable[Prepared]]) -> Scenario:
    return Scenario(mutation=of.mutation, prepare=prepare)


SCENARIOS: Final[Mapping[str, Scenario]] = {
    each.prepare.__name__: each
    for each in (
        scenario(CreatePayment, create_payment),
        scenario(ConfirmPayment, confirm_payment),
        scenario(CapturePayment, capture_payment),
        scenario(CancelPayment, cancel_payment),
        scenario(RefundPayment, refund_payment),
        scenario(SubmitDisputeEvidence, draft_evidence),
        scenario(SubmitDisputeEvidence, submit_evidence),
        scenario(AcceptDispute, accept_dispute),
        scenario(StartPaymentMethodSetup, start_setup),
        scenario(AddPaymentMethod, add_method),
        scenario(UpdatePaymentMethod, update_method),
        scenario(UpdatePaymentMethod, make_default),
        scenario(DeletePaymentMethod, delete_method),
        scenario(CreateSubscription, create_subscription),
        scenario(ChangePlan, change_plan),
        scenario(ChangePlan, plan_change),
        scenario(CancelSubscription, end_subscription),
        scenario(CancelSubscription, end_with_period),
        scenario(KeepSubscription, keep_subscription),
        scenario(PauseSubscription, pause_subscription),
        scenario(ResumeSubscription, resume_subscription),
        scenario(UpdateSubscription, update_subscription),
        scenario(RetryRenewal, retry_renewal),
    )
}
