"""The endpoints of subscriptions, and the parameters each of them knows."""

from collections.abc import Mapping

from sandbox.api.endpoint import EXPAND, Endpoint, Resource
from sandbox.api.listing import DATED_PAGE
from sandbox.api.params import Choice, Flag, Hash, Integer, Kind, ListOf, Metadata, Moment, Text
from sandbox.resources import subscriptions
from sandbox.resources.payment_intent_api import OPTIONS

FEEDBACK = Choice(
    of=(
        "customer_service",
        "low_quality",
        "missing_features",
        "other",
        "switched_service",
        "too_complex",
        "too_expensive",
        "unused",
    ),
    clears=True,
)
CANCELLATION_DETAILS = Hash(fields={"comment": Text(clears=True), "feedback": FEEDBACK})
ONLY_AUTOMATIC = Choice(of=("charge_automatically",))
PRORATION = Choice(of=("always_invoice", "create_prorations", "none"))
ANCHOR = Hash(fields={"type": Choice(of=("now", "unchanged"), required=True)})
STARTING = ("allow_incomplete", "default_incomplete", "error_if_incomplete")
TRIAL_END = Moment(words=("now",))
ITEM: Mapping[str, Kind] = {"price": Text(), "quantity": Integer(least=1)}
SETTINGS: Mapping[str, Kind] = {
    "cancel_at_period_end": Flag(),
    "collection_method": ONLY_AUTOMATIC,
    "default_payment_method": Text(),
    "metadata": Metadata(),
    "off_session": Flag(),
    "payment_settings": Hash(
        fields={
            "payment_method_options": OPTIONS,
            "save_default_payment_method": Choice(of=("off", "on_subscription")),
        },
    ),
    "proration_behavior": PRORATION,
    "trial_end": TRIAL_END,
    "trial_settings": Hash(
        fields={
            "end_behavior": Hash(
                fields={"missing_payment_method": Choice(of=("cancel", "create_invoice", "pause"))},
                required=True,
            )
        }
    ),
}

RESOURCE = Resource(
    name="subscription",
    expandable={
        "customer": "customer",
        "default_payment_method": "payment_method",
        "items": "subscription_item",
        "latest_invoice": "invoice",
        "pending_setup_intent": "setup_intent",
        "schedule": "subscription_schedule",
    },
    endpoints=(
        Endpoint(
            method="POST",
            path="/v1/subscriptions",
            handler=subscriptions.create,
            answers="subscription",
            params={
                **SETTINGS,
                "billing_cycle_anchor": Integer(least=0),
                "cancel_at": Moment(words=("max_period_end", "min_period_end")),
                "customer": Text(),
                "description": Text(longest=500),
                "items": ListOf(item=Hash(fields=ITEM)),
                "payment_behavior": Choice(of=STARTING),
                "trial_from_plan": Flag(),
                "trial_period_days": Integer(least=1, most=730),
            },
        ),
        Endpoint(
            method="GET",
            path="/v1/subscriptions/{id}",
            handler=subscriptions.retrieve,
            answers="subscription",
        ),
        Endpoint(
            method="POST",
            path="/v1/subscriptions/{id}",
            handler=subscriptions.update,
            answers="subscription",
            params={
                **SETTINGS,
                "billing_cycle_anchor": ANCHOR,
                "cancel_at": Moment(words=("max_period_end", "min_period_end"), clears=True),
                "cancellation_details": CANCELLATION_DETAILS,
                "description": Text(longest=500, clears=True),
                "items": ListOf(item=Hash(fields={**ITEM, "id": Text(), "deleted": Flag()})),
                "pause_collection": Hash(
                    fields={
                        "behavior": Choice(of=("keep_as_draft", "mark_uncollectible", "void"), required=True),
                        "resumes_at": Integer(least=0),
                    },
                    clears=True,
                ),
                "payment_behavior": Choice(of=(*STARTING, "pending_if_incomplete")),
                "proration_date": Integer(least=0),
            },
        ),
        Endpoint(
            method="DELETE",
            path="/v1/subscriptions/{id}",
            handler=subscriptions.cancel,
            answers="subscription",
            params={
                **EXPAND,
                "cancellation_details": CANCELLATION_DETAILS,
                "invoice_now": Flag(),
                "prorate": Flag(),
            },
        ),
        Endpoint(
            method="POST",
            path="/v1/subscriptions/{id}/resume",
            handler=subscriptions.resume,
            answers="subscription",
            params={
                "billing_cycle_anchor": Hash(fields={"type": Choice(of=("now",), required=True)}),
                "payment_behavior": Choice(of=("resume_on_payment_attempt", "resume_on_payment_success")),
            },
        ),
        Endpoint(
            method="GET",
            path="/v1/subscriptions",
            handler=subscriptions.list_,
            answers="subscription",
            is_list=True,
            params={
                **DATED_PAGE,
                "customer": Text(),
                "price": Text(),
                "status": Choice(
                    of=(
                        "active",
                        "all",
                        "canceled",
                        "ended",
                        "incomplete",
                        "incomplete_expired",
                        "past_due",
                        "paused",
                        "trialing",
                        "unpaid",
                    )
                ),
            },
        ),
    ),
)
ITEMS = Resource(name="subscription_item", expandable={"price": "price"}, endpoints=())
