"""What a publishable key may do: confirm or read one intent whose client secret it knows."""

import hmac

from sandbox.api.endpoint import Endpoint
from sandbox.api.errors import Forbidden, InvalidRequest, MissingParameter, ResourceMissing
from sandbox.api.forms import Raw
from sandbox.state.objects import Objects, StripeObject

SHARED = frozenset(
    (
        "id",
        "object",
        "automatic_payment_methods",
        "cancellation_reason",
        "client_secret",
        "created",
        "description",
        "livemode",
        "next_action",
        "payment_method",
        "payment_method_types",
        "status",
    )
)
SHOWN = {
    "payment_intent": SHARED
    | {
        "amount",
        "canceled_at",
        "capture_method",
        "confirmation_method",
        "currency",
        "last_payment_error",
        "processing",
        "receipt_email",
        "setup_future_usage",
        "shipping",
        "source",
    },
    "setup_intent": SHARED | {"last_setup_error", "usage"},
}


def admit(
    endpoint: Endpoint, id_: tuple[str, ...], fields: dict[str, Raw], objects: Objects
) -> dict[str, Raw]:
    """The parameters without the client secret, which has to be that of the intent in the path."""
    if endpoint.publishable is None:
        raise Forbidden("This API call cannot be made with a publishable API key; use a secret one.")
    secret = fields.get("client_secret")
    if not isinstance(secret, str):
        raise MissingParameter("client_secret")
    intent = objects.find(endpoint.answers, id_[0])
    if intent is None:
        raise ResourceMissing(endpoint.answers, id_[0], param="id")
    if not hmac.compare_digest(intent["client_secret"].encode(), secret.encode()):
        raise InvalidRequest("The client secret is not that of this intent.", param="client_secret")
    if forbidden := fields.keys() - endpoint.publishable - {"client_secret"}:
        raise InvalidRequest(
            f"{min(forbidden)} may only be given with a secret API key.", param=min(forbidden)
        )
    return {name: value for name, value in fields.items() if name != "client_secret"}


def shown(thing: StripeObject) -> StripeObject:
    names = SHOWN[thing["object"]]
    return {name: value for name, value in thing.items() if name in names}
