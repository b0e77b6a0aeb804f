"""The endpoints of setup intents, and the parameters each of them knows."""

from collections.abc import Mapping

from sandbox.api.endpoint import Endpoint, Handler, Resource
from sandbox.api.listing import DATED_PAGE
from sandbox.api.params import Choice, Flag, Hash, Kind, Link, Metadata, Text
from sandbox.billing.outcomes import settling
from sandbox.resources import setup_intents
from sandbox.resources.common import METHOD_CHOICE, WITHDRAWN

SETTINGS: Mapping[str, Kind] = {
    "customer": Text(),
    "description": Text(longest=1_000),
    "metadata": Metadata(),
    "payment_method": Text(),
    "payment_method_options": Hash(
        fields={"card": Hash(fields={"request_three_d_secure": Choice(of=("any", "automatic", "challenge"))})}
    ),
    "allowed_payment_method_types": METHOD_CHOICE["allowed_payment_method_types"],
    **WITHDRAWN,
}
CONFIRM: Mapping[str, Kind] = {
    "payment_method": Text(),
    "payment_method_options": SETTINGS["payment_method_options"],
    "return_url": Link(),
    "use_stripe_sdk": Flag(),
}
REASONS = Choice(of=("abandoned", "duplicate", "requested_by_customer"))


def _post(
    path: str, handler: Handler, params: Mapping[str, Kind], publishable: frozenset[str] | None = None
) -> Endpoint:
    return Endpoint(
        method="POST",
        path=f"/v1/setup_intents{path}",
        handler=handler,
        answers="setup_intent",
        params=params,
        publishable=publishable,
    )


RESOURCE = Resource(
    name="setup_intent",
    expandable={"customer": "customer", "payment_method": "payment_method"},
    endpoints=(
        _post(
            "",
            setup_intents.create,
            {
                **SETTINGS,
                **METHOD_CHOICE,
                "metadata": Metadata(clears=False),
                "confirm": Flag(),
                "return_url": Link(),
                "usage": Choice(of=("off_session", "on_session")),
                "use_stripe_sdk": Flag(),
            },
        ),
        Endpoint(
            method="GET",
            path="/v1/setup_intents/{id}",
            handler=setup_intents.retrieve,
            answers="setup_intent",
            params={"client_secret": Text()},
            publishable=frozenset(("expand",)),
        ),
        _post("/{id}", setup_intents.update, SETTINGS),
        _post(
            "/{id}/confirm",
            settling(setup_intents.confirm),
            CONFIRM,
            publishable=frozenset((*CONFIRM, "expand")),
        ),
        _post("/{id}/cancel", setup_intents.cancel, {"cancellation_reason": REASONS}),
        Endpoint(
            method="GET",
            path="/v1/setup_intents",
            handler=setup_intents.list_,
            answers="setup_intent",
            is_list=True,
            params={**DATED_PAGE, "customer": Text(), "payment_method": Text()},
        ),
    ),
)
