"""Webhook endpoints (https://docs.stripe.com/api/webhook_endpoints)."""

import hashlib
from collections.abc import Mapping

from sandbox.api.endpoint import Call, Endpoint, Resource
from sandbox.api.errors import InvalidRequest
from sandbox.api.listing import PAGE, listed
from sandbox.api.params import Choice, Flag, Kind, Link, ListOf, Metadata, Text, merged_metadata
from sandbox.resources.common import changed
from sandbox.settings import API_VERSION, WebhookTarget, new_webhook_secret
from sandbox.state.clock import Clock
from sandbox.state.ids import new_id
from sandbox.state.objects import Objects, StripeObject
from sandbox.webhooks.types import EVENT_TYPES, EVERY_TYPE

EVENT_TYPE = Choice(of=(EVERY_TYPE, *EVENT_TYPES))

SETTINGS: Mapping[str, Kind] = {
    "description": Text(clears=True),
    "enabled_events": ListOf(item=EVENT_TYPE),
    "metadata": Metadata(),
    "url": Link(),
}


def create(call: Call) -> StripeObject:
    """The answer to the creation is the only one that shows the signing secret."""
    target = WebhookTarget(
        url=_http(call.params["url"]),
        secret=new_webhook_secret(),
        enabled_events=tuple(call.params["enabled_events"]),
    )
    endpoint = {
        **_endpoint(new_id("we"), target, call.clock.now()),
        "description": call.params.get("description"),
        "metadata": merged_metadata({}, call.params.get("metadata")),
    }
    call.objects.insert(endpoint)
    return {**endpoint, "secret": target.secret}


def retrieve(call: Call) -> StripeObject:
    return call.target("webhook_endpoint")


def update(call: Call) -> StripeObject:
    endpoint = call.target("webhook_endpoint")
    updated = changed(endpoint, call.params, ("description", "enabled_events"))
    if "url" in call.params:
        updated["url"] = _http(call.params["url"])
    if "disabled" in call.params:
        updated["status"] = "disabled" if call.params["disabled"] else "enabled"
    call.objects.save(updated)
    return updated


def delete(call: Call) -> StripeObject:
    endpoint = call.target("webhook_endpoint")
    gone = {"id": endpoint["id"], "object": "webhook_endpoint", "deleted": True}
    call.objects.save(gone)
    return gone


def list_(call: Call) -> StripeObject:
    return listed(call, "webhook_endpoint", "/v1/webhook_endpoints")


def install(objects: Objects, clock: Clock, target: WebhookTarget) -> None:
    """Make or refresh an endpoint from the settings; its id follows from its address, so it stays the same."""
    id_ = f"we_{hashlib.sha256(target.url.encode()).hexdigest()[:24]}"
    endpoint = _endpoint(id_, target, clock.now())
    if objects.find("webhook_endpoint", id_) is None:
        objects.insert(endpoint)
    else:
        objects.save(endpoint)


def _http(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise InvalidRequest(f"Not an http address: {url}", code="url_invalid", param="url")
    return url


def _endpoint(id_: str, target: WebhookTarget, created: int) -> StripeObject:
    return {
        "id": id_,
        "object": "webhook_endpoint",
        "api_version": API_VERSION,
        "application": None,
        "created": created,
        "description": None,
        "enabled_events": list(target.enabled_events),
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": target.url,
        "_secret": target.secret,
    }


RESOURCE = Resource(
    name="webhook_endpoint",
    endpoints=(
        Endpoint(
            method="POST",
            path="/v1/webhook_endpoints",
            handler=create,
            answers="webhook_endpoint",
            params={
                **SETTINGS,
                "enabled_events": ListOf(item=EVENT_TYPE, required=True),
                "url": Link(required=True),
            },
        ),
        Endpoint(
            method="GET", path="/v1/webhook_endpoints/{id}", handler=retrieve, answers="webhook_endpoint"
        ),
        Endpoint(
            method="POST",
            path="/v1/webhook_endpoints/{id}",
            handler=update,
            answers="webhook_endpoint",
            params={**SETTINGS, "disabled": Flag()},
        ),
        Endpoint(
            method="DELETE", path="/v1/webhook_endpoints/{id}", handler=delete, answers="webhook_endpoint"
        ),
        Endpoint(
            method="GET",
            path="/v1/webhook_endpoints",
            handler=list_,
            answers="webhook_endpoint",
            is_list=True,
            params=PAGE,
        ),
    ),
)
