"""The rules of saved cards: which method may be charged for whom, attaching, setting up, and using up."""

from datetime import UTC, datetime

from sandbox.api.endpoint import Call
from sandbox.api.errors import InvalidRequest
from sandbox.cards import catalog, shapes
from sandbox.cards.catalog import Card
from sandbox.resources.common import NO_ADDRESS
from sandbox.state.ids import new_id
from sandbox.state.objects import StripeObject

EXPIRY = (12, 2034)


def usable(call: Call, id_: str, *, param: str) -> StripeObject:
    """The payment method with this id; a test id such as `pm_card_visa` makes a new one, as Stripe does."""
    card = catalog.by_method_id(id_)
    if card is None:
        return call.named("payment_method", id_, param=param)
    method = new_method(call, card, EXPIRY)
    call.objects.insert(method)
    return method


def owned_by(call: Call, id_: str, customer: str | None, *, param: str) -> StripeObject:
    """A method that may be charged for this customer: attached to them, or to nobody and not used up."""
    method = usable(call, id_, param=param)
    check_owner(method, customer)
    return method


def check_owner(method: StripeObject, customer: str | None) -> None:
    owner = method["customer"]
    if owner is not None and customer is None:
        raise InvalidRequest(
            f"The payment method {method['id']} belongs to a customer; name that customer in `customer`.",
            param="payment_method",
        )
    if owner is not None and owner != customer:
        raise InvalidRequest(
            f"The payment method {method['id']} does not belong to the customer {customer}.",
            param="payment_method",
        )
    check_unspent(method)


def check_unspent(method: StripeObject) -> None:
    if method.get("_is_spent"):
        raise InvalidRequest(
            "This payment method was used without being attached to a customer, or was detached from one;"
            " it cannot be used again."
        )


def attachable(call: Call, id_: str, *, param: str) -> StripeObject:
    """A method that nobody has yet and that its card's bank vouches for; else the error that says why not."""
    card = catalog.by_method_id(id_) or card_of(call.named("payment_method", id_, param=param))
    if card.decline and not card.attaches:
        raise card.decline.error()
    method = usable(call, id_, param=param)
    check_unspent(method)
    if method["customer"] is not None:
        raise InvalidRequest("The payment method is already attached to a customer.")
    return method


def save_for(call: Call, method: StripeObject, customer: str, *, is_set_up: bool = False) -> StripeObject:
    """Attach a method; `is_set_up` records that the cardholder agreed to later off-session payments."""
    attached = {**method, "customer": customer, "_is_set_up": is_set_up or method.get("_is_set_up", False)}
    call.objects.save(attached)
    if method["customer"] is None:
        call.emit("payment_method.attached", attached)
    return attached


def spend(call: Call, method: StripeObject) -> None:
    """Note that a method without a customer was charged; it cannot be used a second time."""
    if method["customer"] is None:
        call.objects.save({**method, "_is_spent": True})


def card_of(method: StripeObject) -> Card:
    return catalog.CARDS[method["_card"]]


def has_expired(call: Call, method: StripeObject) -> bool:
    return is_past(call, method["card"]["exp_month"], method["card"]["exp_year"])


def new_method(call: Call, card: Card, expiry: tuple[int, int]) -> StripeObject:
    return {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {
            "address": dict(NO_ADDRESS),
            "email": None,
            "name": None,
            "phone": None,
            "tax_id": None,
        },
        "card": shapes.in_method(card, exp_month=expiry[0], exp_year=expiry[1]),
        "created": call.clock.now(),
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
        "_card": card.name,
    }


def is_past(call: Call, month: int, year: int) -> bool:
    """A card is good until the end of its month, by the sandbox's clock."""
    today = datetime.fromtimestamp(call.clock.now(), UTC)
    return (year, month) < (today.year, today.month)
