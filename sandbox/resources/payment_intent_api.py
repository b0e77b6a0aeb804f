"""The endpoints of payment intents, and the parameters each of them knows."""

from collections.abc import Mapping

from sandbox.api.endpoint import Endpoint, Handler, Resource
from sandbox.api.listing import DATED_PAGE
from sandbox.api.params import Choice, Either, Email, Flag, Hash, Integer, Kind, Link, Metadata, Text, settled
from sandbox.billing.collection import following
from sandbox.resources import payment_intents
from sandbox.resources.common import METHOD_CHOICE, SHIPPING, WITHDRAWN

CAPTURE_METHOD = Choice(of=("automatic", "automatic_async", "manual"))
FUTURE_USAGE = Choice(of=("off_session", "on_session"), clears=True)
OPTIONS = Hash(
    fields={"card": Hash(fields={"request_three_d_secure": Choice(of=("any", "automatic", "challenge"))})}
)

SETTINGS: Mapping[str, Kind] = {
    "amount": Integer(least=1),
    "currency": Text(),
    "capture_method": CAPTURE_METHOD,
    "customer": Text(),
    "description": Text(longest=1_000),
    "metadata": Metadata(),
    "payment_method": Text(),
    "payment_method_options": OPTIONS,
    "allowed_payment_method_types": METHOD_CHOICE["allowed_payment_method_types"],
    **WITHDRAWN,
    "receipt_email": Email(clears=True),
    "setup_future_usage": FUTURE_USAGE,
    "shipping": SHIPPING,
    "statement_descriptor": Text(longest=22),
    "statement_descriptor_suffix": Text(longest=22),
    "transfer_group": Text(),
}
CONFIRMING: Mapping[str, Kind] = {
    "error_on_requires_action": Flag(),
    "off_session": Either(words=("one_off", "recurring")),
    "return_url": Link(),
    "use_stripe_sdk": Flag(),
}
CONFIRM: Mapping[str, Kind] = {
    **CONFIRMING,
    **WITHDRAWN,
    **{
        name: SETTINGS[name]
        for name in (
            "capture_method",
            "payment_method",
            "payment_method_options",
            "receipt_email",
            "setup_future_usage",
            "shipping",
        )
    },
}
FROM_A_BROWSER = frozenset(
    (
        "payment_method",
        "receipt_email",
        "return_url",
        "setup_future_usage",
        "shipping",
        "use_stripe_sdk",
        "expand",
    )
)
REASONS = Choice(of=("abandoned", "duplicate", "fraudulent", "requested_by_customer"))


def _post(
    path: str, handler: Handler, params: Mapping[str, Kind], publishable: frozenset[str] | None = None
) -> Endpoint:
    return Endpoint(
        method="POST",
        path=f"/v1/payment_intents{path}",
        handler=handler,
        answers="payment_intent",
        params=params,
        publishable=publishable,
    )


RESOURCE = Resource(
    name="payment_intent",
    expandable={"customer": "customer", "latest_charge": "charge", "payment_method": "payment_method"},
    endpoints=(
        _post(
            "",
            payment_intents.create,
            {
                **SETTINGS,
                **CONFIRMING,
                "amount": Integer(least=1, required=True),
                **METHOD_CHOICE,
                "confirm": Flag(),
                "confirmation_method": Choice(of=("automatic", "manual")),
                "currency": Text(required=True),
                "metadata": Metadata(clears=False),
                "setup_future_usage": settled(FUTURE_USAGE),
                "shipping": settled(SHIPPING),
            },
        ),
        Endpoint(
            method="GET",
            path="/v1/payment_intents/{id}",
            handler=payment_intents.retrieve,
            answers="payment_intent",
            params={"client_secret": Text()},
            publishable=frozenset(("expand",)),
        ),
        _post("/{id}", payment_intents.update, SETTINGS),
        _post("/{id}/confirm", following(payment_intents.confirm), CONFIRM, publishable=FROM_A_BROWSER),
        _post(
            "/{id}/capture",
            payment_intents.capture,
            {
                "amount_to_capture": Integer(least=1),
                "final_capture": Flag(),
                "metadata": Metadata(),
                "statement_descriptor": Text(longest=22),
                "statement_descriptor_suffix": Text(longest=22),
            },
        ),
        _post("/{id}/cancel", following(payment_intents.cancel), {"cancellation_reason": REASONS}),
        Endpoint(
            method="GET",
            path="/v1/payment_intents",
            handler=payment_intents.list_,
            answers="payment_intent",
            is_list=True,
            params={**DATED_PAGE, "customer": Text()},
        ),
    ),
)
