"""Every command by the name of its mutation, so that an operation can be resumed from its row."""

from collections.abc import Mapping
from typing import Any, Final

from domain.commands.access import GrantAccess, RevokeAccess
from domain.commands.add_payment_method import AddPaymentMethod
from domain.commands.command import Command
from domain.commands.create_payment import CreatePayment
from domain.commands.delete_payment_method import DeletePaymentMethod
from domain.commands.disputes import AcceptDispute, SubmitDisputeEvidence
from domain.commands.payment_methods import StartPaymentMethodSetup, UpdatePaymentMethod
from domain.commands.payments import CancelPayment, CapturePayment, ConfirmPayment
from domain.commands.reconciliation import Reconcile, Resync
from domain.commands.refunds import RefundPayment
from domain.commands.subscriptions.change_plan import ChangePlan
from domain.commands.subscriptions.create_subscription import CreateSubscription
from domain.commands.subscriptions.ending import CancelSubscription, KeepSubscription
from domain.commands.subscriptions.pausing import PauseSubscription, ResumeSubscription
from domain.commands.subscriptions.retry_renewal import RetryRenewal
from domain.commands.subscriptions.update_subscription import UpdateSubscription
from domain.commands.webhooks import ReplayWebhookEvent

COMMANDS: Final[Mapping[str, type[Command[Any, Any]]]] = {
    command.mutation: command
    for command in (
        CreatePayment,
        ConfirmPayment,
        CapturePayment,
        CancelPayment,
        RefundPayment,
        SubmitDisputeEvidence,
        AcceptDispute,
        StartPaymentMethodSetup,
        AddPaymentMethod,
        UpdatePaymentMethod,
        DeletePaymentMethod,
        GrantAccess,
        RevokeAccess,
        CreateSubscription,
        UpdateSubscription,
        ChangePlan,
        CancelSubscription,
        KeepSubscription,
        PauseSubscription,
        ResumeSubscription,
        RetryRenewal,
        ReplayWebhookEvent,
        Reconcile,
        Resync,
    )
}
