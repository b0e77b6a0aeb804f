"""Demo data: a few people, four cards and a handful of payments, made through the gateway's own commands."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain.actor import Actor, Role
from domain.commands.add_payment_method import AddPaymentMethod
from domain.commands.create_payment import CreatePayment
from domain.money import Money
from domain.payment import Payment
from domain.payment_method import PaymentMethod
from domain.payment_status import CaptureMethod
from gateway.settings import DEMO_USER
from gateway.wiring import Gateway
from gql.explorer.page import DEMO_USER as DEMO_USER_NAME
from gql.ids import global_id

USER: Final = Actor(role=Role.USER, user_id=DEMO_USER)
ADMIN: Final = Actor(role=Role.ADMIN, user_id=UUID("0195d1c5-0000-7000-8000-00000000000a"))

MEDIA_SERVICE: Final = Actor(role=Role.SERVICE, user_id=UUID("0195d1c5-0000-7000-8000-00000000000b"))
PEOPLE: Final = {DEMO_USER_NAME: USER, "admin": ADMIN, "media service": MEDIA_SERVICE}
"""Whom one may be signed in as in GraphiQL."""

CARDS: Final = {
    "card:everyday": "pm_card_visa",
    "card:authentication-required": "pm_card_authenticationRequired",
    "card:declined": "pm_card_chargeCustomerFail",
    "card:disputed": "pm_card_createDispute",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    amount: Money
    description: str
    card: str = "card:everyday"
    capture_method: CaptureMethod = CaptureMethod.AUTOMATIC
    name: str | None = None
    """By which stories ask for it."""


PURCHASES: Final = (
    Purchase(
        amount=Money(minor=1299, currency="EUR"), description="Film: The Quiet Harbour", name="payment:film"
    ),
    Purchase(amount=Money(minor=499, currency="USD"), description="Episode pass"),
    Purchase(amount=Money(minor=1800, currency="JPY"), description="Concert recording"),
    Purchase(amount=Money(minor=2500, currency="GBP"), description="Season ticket", card="card:declined"),
    Purchase(
        amount=Money(minor=8900, currency="EUR"),
        description="Festival pass, collected when it ships",
        capture_method=CaptureMethod.MANUAL,
    ),
    Purchase(amount=Money(minor=350, currency="EUR"), description="Short film"),
    Purchase(amount=Money(minor=1500, currency="EUR"), description="Gift card", card="card:disputed"),
)


async def load_demo(gateway: Gateway) -> dict[str, str]:
    """
    What the stories ask for by their placeholders, as the API's ids: the demo user's cards, and a payment.

    Every command carries a fixed idempotency key, so that a second run finds what the first one made.
    """
    commands = gateway.services.commands
    cards: dict[str, UUID] = {}
    payments: dict[str, UUID] = {}
    for name, stripe_id in CARDS.items():
        command = AddPaymentMethod(processor_method_id=stripe_id, makes_default=name == "card:everyday")
        added = await commands.execute(USER, command, key=f"demo-{name}")
        cards[name] = added.operation.subject
    for number, purchase in enumerate(PURCHASES):
        payment = CreatePayment(
            amount=purchase.amount,
            payment_method_id=cards[purchase.card],
            description=purchase.description,
            capture_method=purchase.capture_method,
        )
        paid = await commands.execute(USER, payment, key=f"demo-purchase-{number}")
        if purchase.name:
            payments[purchase.name] = paid.operation.subject
    return {
        **{name: global_id(PaymentMethod, method_id) for name, method_id in cards.items()},
        **{name: global_id(Payment, payment_id) for name, payment_id in payments.items()},
    }
