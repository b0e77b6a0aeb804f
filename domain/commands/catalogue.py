"""Every command by the name of its mutation, so that an operation can be resumed from its row."""

from collections.abc import Mapping
from typing import Any, Final

from domain.commands.access import GrantAccess, RevokeAccess
from domain.commands.command import Command
from domain.commands.create_payment import CreatePayment
from domain.commands.payment_methods import (
    AddPaymentMethod,
    DeletePaymentMethod,
    StartPaymentMethodSetup,
    UpdatePaymentMethod,
)
from domain.commands.payments import CancelPayment, CapturePayment, ConfirmPayment

COMMANDS: Final[Mapping[str, type[Command[Any, Any]]]] = {
    command.mutation: command
    for command in (
        CreatePayment,
        ConfirmPayment,
        CapturePayment,
        CancelPayment,
        StartPaymentMethodSetup,
        AddPaymentMethod,
        UpdatePaymentMethod,
        DeletePaymentMethod,
        GrantAccess,
        RevokeAccess,
    )
}
