"""The endpoints of subscription schedules, and the parameters each of them knows."""

from collections.abc import Mapping

from sandbox.api.endpoint import Endpoint, Handler, Resource
from sandbox.api.listing import DATED_PAGE
from sandbox.api.params import Choice, Flag, Hash, Integer, Kind, ListOf, Metadata, Moment, Text
from sandbox.resources import subscription_schedules
from sandbox.resources.prices import INTERVAL
from sandbox.resources.subscription_api import ITEM, PRORATION

END_BEHAVIOR = Choice(of=("release",))
PHASE: Mapping[str, Kind] = {
    "default_payment_method": Text(),
    "duration": Hash(
        fields={"interval": Choice(of=INTERVAL.of, required=True), "interval_count": Integer(least=1)}
    ),
    "end_date": Moment(words=("now",)),
    "items": ListOf(item=Hash(fields=ITEM), required=True),
    "proration_behavior": PRORATION,
    "start_date": Moment(words=("now",)),
}


def _post(path: str, handler: Handler, params: Mapping[str, Kind]) -> Endpoint:
    return Endpoint(
        method="POST",
        path=f"/v1/subscription_schedules{path}",
        handler=handler,
        answers="subscription_schedule",
        params=params,
    )


RESOURCE = Resource(
    name="subscription_schedule",
    expandable={"customer": "customer", "subscription": "subscription"},
    endpoints=(
        _post("", subscription_schedules.create, {"from_subscription": Text(), "metadata": Metadata()}),
        Endpoint(
            method="GET",
            path="/v1/subscription_schedules/{id}",
            handler=subscription_schedules.retrieve,
            answers="subscription_schedule",
        ),
        _post(
            "/{id}",
            subscription_schedules.update,
            {
                "end_behavior": END_BEHAVIOR,
                "metadata": Metadata(),
                "phases": ListOf(item=Hash(fields=PHASE)),
                "proration_behavior": PRORATION,
            },
        ),
        _post("/{id}/release", subscription_schedules.release, {"preserve_cancel_date": Flag()}),
        _post("/{id}/cancel", subscription_schedules.cancel, {"invoice_now": Flag(), "prorate": Flag()}),
        Endpoint(
            method="GET",
            path="/v1/subscription_schedules",
            handler=subscription_schedules.list_,
            answers="subscription_schedule",
            is_list=True,
            params={**DATED_PAGE, "customer": Text()},
        ),
    ),
)
