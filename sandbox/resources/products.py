"""Products (https://docs.stripe.com/api/products): what prices are prices of."""

from collections.abc import Mapping

from sandbox.api.endpoint import Call, Endpoint, Resource
from sandbox.api.errors import InvalidRequest
from sandbox.api.listing import DATED_PAGE, page
from sandbox.api.params import Flag, Kind, Link, ListOf, Metadata, Params, Text, merged_metadata
from sandbox.resources.common import changed
from sandbox.state.ids import new_id
from sandbox.state.objects import Query, StripeObject

PLAIN = ("active", "description", "images", "name", "shippable", "statement_descriptor", "unit_label", "url")
SETTINGS: Mapping[str, Kind] = {
    "active": Flag(),
    "images": ListOf(item=Link()),
    "name": Text(),
    "shippable": Flag(),
    "statement_descriptor": Text(longest=22),
}
ONLY_WHEN_MADE: Mapping[str, Kind] = {
    "id": Text(),
    "name": Text(required=True),
    "description": Text(),
    "metadata": Metadata(clears=False),
    "unit_label": Text(),
    "url": Link(),
}
CLEARABLE: Mapping[str, Kind] = {
    "default_price": Text(),
    "description": Text(clears=True),
    "metadata": Metadata(),
    "unit_label": Text(clears=True),
    "url": Link(clears=True),
}


def create(call: Call) -> StripeObject:
    return new(call, call.params)


def new(call: Call, params: Params) -> StripeObject:
    """Make a product by itself, or in passing with its first price."""
    if "id" in params and call.objects.find("product", params["id"]) is not None:
        raise InvalidRequest(
            f"There is a product {params['id']} already.", code="resource_already_exists", param="id"
        )
    product = changed(_blank(call), params, PLAIN)
    product["id"] = params.get("id") or new_id("prod")
    product["metadata"] = merged_metadata({}, params.get("metadata"))
    call.objects.insert(product)
    call.emit("product.created", product)
    return product


def retrieve(call: Call) -> StripeObject:
    return call.target("product")


def update(call: Call) -> StripeObject:
    product = call.target("product")
    updated = changed(product, call.params, PLAIN)
    if "default_price" in call.params:
        updated["default_price"] = _price_of(call, product, call.params["default_price"])
    if updated != product:
        updated["updated"] = call.clock.now()
        call.objects.save(updated)
        call.emit("product.updated", updated, before=product)
    return updated


def delete(call: Call) -> StripeObject:
    """Only a product that nothing was ever priced by can go."""
    product = call.target("product")
    priced = Query(kind="price", inside={"product": (product["id"],)})
    if call.objects.newest(priced, older_than=None, limit=1):
        raise InvalidRequest("This product has prices, so it cannot be deleted; make it inactive instead.")
    gone = {"id": product["id"], "object": "product", "deleted": True}
    call.objects.save(gone)
    call.emit("product.deleted", product)
    return gone


def list_(call: Call) -> StripeObject:
    inside: dict[str, tuple[object, ...]] = {}
    if "active" in call.params:
        inside["active"] = (call.params["active"],)
    if "ids" in call.params:
        inside["id"] = tuple(call.params["ids"])
    query = Query(kind="product", created=call.params.get("created", {}), inside=inside)
    return page(call, query, "/v1/products")


def _price_of(call: Call, product: StripeObject, id_: str) -> str:
    price = call.named("price", id_, param="default_price")
    if price["product"] != product["id"]:
        raise InvalidRequest(f"{id_} is a price of another product.", param="default_price")
    return id_


def _blank(call: Call) -> StripeObject:
    now = call.clock.now()
    return {
        "id": "",
        "object": "product",
        "active": True,
        "created": now,
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": {},
        "name": "",
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": "service",
        "unit_label": None,
        "updated": now,
        "url": None,
    }


RESOURCE = Resource(
    name="product",
    expandable={"default_price": "price"},
    endpoints=(
        Endpoint(
            method="POST",
            path="/v1/products",
            handler=create,
            answers="product",
            params={**SETTINGS, **ONLY_WHEN_MADE},
        ),
        Endpoint(method="GET", path="/v1/products/{id}", handler=retrieve, answers="product"),
        Endpoint(
            method="POST",
            path="/v1/products/{id}",
            handler=update,
            answers="product",
            params={**SETTINGS, **CLEARABLE},
        ),
        Endpoint(method="DELETE", path="/v1/products/{id}", handler=delete, answers="product"),
        Endpoint(
            method="GET",
            path="/v1/products",
            handler=list_,
            answers="product",
            is_list=True,
            params={**DATED_PAGE, "active": Flag(), "ids": ListOf(item=Text())},
        ),
    ),
)
