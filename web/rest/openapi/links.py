"""What can be done with what an operation has answered (OpenAPI 3.1.1, section 4.8.20)."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from web.rest.openapi.errors import data_of
from web.rest.openapi.names import operation_id
from web.rest.refunds import RefundBody
from web.rest.route import RestRoute
from web.rest.table import ROUTES


def links(route: RestRoute, status: int) -> Mapping[str, Any]:
    """From an object to all operations on one of its kind, and from a refund to its payment."""
    return {
        operation_id(target): {
            "operationId": operation_id(target),
            "parameters": {"id": f"$response.body#{where}"},
        }
        for where, collection in _objects(route, status)
        for target in ROUTES
        if target.path in {f"{collection}/{{id}}", f"{collection}/{{id}}/refund"}
    }


def _objects(route: RestRoute, status: int) -> Iterator[tuple[str, str]]:
    """Pointers to ids in the answer, each with the collection that the object is in."""
    model = route.replies[status].model
    data = None if model is None else data_of(model)
    if data is RefundBody:
        yield "/data/payment_id", ""
        return
    is_list = bool(get_args(data))
    if data is not None and "id" in (get_args(data) or (data,))[0].model_fields:
        yield f"/data{'/0' if is_list else ''}/id", route.path.partition("/{id}")[0]
