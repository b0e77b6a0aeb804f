"""What a bank does to a card that was saved long ago: refuse it, accept it again, or replace it."""

from sandbox.api.endpoint import Call
from sandbox.cards import declines
from sandbox.state.objects import StripeObject


def spoil(call: Call, id_: str, decline_code: str) -> StripeObject:
    """Let every charge of this card be declined from now on; LookupError for an unknown reason."""
    if decline_code not in declines.BY_DECLINE_CODE:
        raise LookupError(f"{decline_code} is none of {', '.join(declines.BY_DECLINE_CODE)}")
    return _noted(call, id_, decline_code)


def mend(call: Call, id_: str) -> StripeObject:
    return _noted(call, id_, None)


def replace(call: Call, id_: str, *, last4: str, exp_month: int, exp_year: int) -> StripeObject:
    """A new card in the place of the old one, of which the network tells everybody who has it saved."""
    method = call.named("payment_method", id_, param="payment_method")
    card = {**method["card"], "last4": last4, "exp_month": exp_month, "exp_year": exp_year}
    replaced = {**method, "card": card, "_declines_with": None}
    call.objects.save(replaced)
    call.emit("payment_method.automatically_updated", replaced, before=method)
    return replaced


def _noted(call: Call, id_: str, decline_code: str | None) -> StripeObject:
    noted = {
        **call.named("payment_method", id_, param="payment_method"),
        "_declines_with": decline_code,
    }
    call.objects.save(noted)
    return noted
