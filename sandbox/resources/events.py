"""Events (https://docs.stripe.com/api/events): the log that webhooks are sent from, and catch-up reads."""

from sandbox.api.endpoint import Call, Endpoint, Resource
from sandbox.api.errors import InvalidRequest
from sandbox.api.listing import DATED_PAGE, page
from sandbox.api.params import ListOf, Text
from sandbox.state.objects import Query, StripeObject


def retrieve(call: Call) -> StripeObject:
    return _today(call, call.target("event"))


def list_(call: Call) -> StripeObject:
    if "type" in call.params and "types" in call.params:
        raise InvalidRequest("Give either type or types, not both.", param="types")
    types = call.params.get("types", [call.params["type"]] if "type" in call.params else [])
    query = Query(kind="event", types=tuple(types), created=call.params.get("created", {}))
    answer = page(call, query, "/v1/events")
    return {**answer, "data": [_today(call, event) for event in answer["data"]]}


def _today(call: Call, event: StripeObject) -> StripeObject:
    return {**event, "pending_webhooks": call.events.outstanding(event["id"])}


RESOURCE = Resource(
    name="event",
    endpoints=(
        Endpoint(method="GET", path="/v1/events/{id}", handler=retrieve, answers="event"),
        Endpoint(
            method="GET",
            path="/v1/events",
            handler=list_,
            answers="event",
            is_list=True,
            params={**DATED_PAGE, "type": Text(), "types": ListOf(item=Text())},
        ),
    ),
)
