"""Cursor pagination, newest first (https://docs.stripe.com/api/pagination)."""

from collections.abc import Mapping

from sandbox.api.endpoint import Call
from sandbox.api.errors import ResourceMissing
from sandbox.api.params import Integer, Kind, Span, Text
from sandbox.state.objects import Query, StripeObject

PAGE: Mapping[str, Kind] = {
    "limit": Integer(least=1, most=100),
    "starting_after": Text(),
    "ending_before": Text(),
}
DATED_PAGE: Mapping[str, Kind] = {**PAGE, "created": Span()}
USUAL_LIMIT = 10


def listed(call: Call, kind: str, url: str, *filters: str) -> StripeObject:
    """A page of one kind, narrowed by those of the named parameters that were given."""
    where = {name: call.params[name] for name in filters if name in call.params}
    return page(call, Query(kind=kind, where=where, created=call.params.get("created", {})), url)


def page(call: Call, query: Query, url: str) -> StripeObject:
    limit = call.params.get("limit", USUAL_LIMIT)
    if "ending_before" in call.params:
        found = call.objects.newer(query, than=_cursor(call, query.kind, "ending_before"), limit=limit + 1)
        shown = found[-limit:]
    else:
        older_than = _cursor(call, query.kind, "starting_after") if "starting_after" in call.params else None
        found = call.objects.newest(query, older_than=older_than, limit=limit + 1)
        shown = found[:limit]
    return {"object": "list", "url": url, "has_more": len(found) > limit, "data": shown}


def _cursor(call: Call, kind: str, param: str) -> int:
    id_ = call.params[param]
    position = call.objects.position(kind, id_)
    if position is None:
        raise ResourceMissing(kind, id_, param=param)
    return position
