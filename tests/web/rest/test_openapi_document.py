"""The OpenAPI document: true to the route table, valid, and with an example of everything."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx2
import orjson
import pytest
from jsonschema_rs import Draft202012Validator
from openapi_pydantic import OpenAPI

from web.openapi import OPENAPI
from web.rest.openapi.document import document, served
from web.rest.openapi.names import NOUNS, operation_id
from web.rest.openapi.replies import ANYWHERE
from web.rest.openapi.samples import REQUESTS
from web.rest.openapi.webhook import PATH
from web.rest.route import BASE, RestRoute
from web.rest.table import ROUTES

DOCUMENT: Final[Mapping[str, Any]] = orjson.loads(served())
COMMITTED: Final = Path(__file__).parents[3] / "docs" / "openapi.json"


class Example(NamedTuple):
    where: str
    schema: Mapping[str, Any]
    value: Any


def operations() -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def resolved(part: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in part:
        return part
    found: Any = DOCUMENT
    for step in part["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return found  # type: ignore[no-any-return]  # JSON.


def examples_of(content: Mapping[str, Any], where: str) -> Iterator[Example]:
    for media_type, media in content.items():
        named = media.get("examples", {"": {"value": media["example"]}} if "example" in media else {})
        assert named, f"{where} {media_type} has no example"
        for name, example in named.items():
            yield Example(f"{where} {name}", media["schema"], example["value"])


def all_examples() -> Iterator[Example]:
    for name, operation in operations():
        if "requestBody" in operation:
            yield from examples_of(operation["requestBody"]["content"], f"{name} body")
        for status, reply in operation["responses"].items():
            yield from examples_of(resolved(reply).get("content", {}), f"{name} {status}")
        for parameter in map(resolved, operation.get("parameters", ())):
            for value in parameter["schema"].get("examples", ()):
                yield Example(f"{name} {parameter['name']}", parameter["schema"], value)
    for name, header in DOCUMENT["components"]["headers"].items():
        yield Example(name, header["schema"], header["example"])


def operation_of(route: RestRoute) -> Mapping[str, Any]:
    operation: Mapping[str, Any] = DOCUMENT["paths"][f"{BASE}{route.path}"][route.method.lower()]
    return operation


def codes_of(reply: Mapping[str, Any]) -> set[str]:
    """The codes of which an error shows an example, each told in its description and allowed by its schema."""
    media = resolved(reply)["content"]["application/json"]
    shown = {each["value"]["error"]["code"] for each in media["examples"].values()}
    assert shown == set(re.findall(r"^- `([A-Z_]+)`: .", resolved(reply)["description"], re.MULTILINE))
    assert shown == set(media["schema"]["allOf"][1]["properties"]["error"]["properties"]["code"]["enum"])
    return shown


def fault_of(example: Example) -> str | None:
    schema = {**example.schema, "components": DOCUMENT["components"]}
    faults = Draft202012Validator(schema, validate_formats=True).iter_errors(example.value)
    return next((str(fault) for fault in faults), None)


class TestDocument:
    def test_is_openapi_3_1(self) -> None:
        read = OpenAPI.model_validate(DOCUMENT)

        assert read.openapi.startswith("3.1")
        assert read.paths is not None
        assert set(read.paths) == {f"{BASE}{route.path}" for route in ROUTES} | {PATH}

    def test_is_the_committed_one(self) -> None:
        assert orjson.loads(COMMITTED.read_bytes()) == DOCUMENT, "Run make schema."

    def test_has_every_route_once_under_its_noun(self) -> None:
        assert [route for noun in NOUNS for route in noun.routes] == sorted(
            ROUTES, key=[route for noun in NOUNS for route in noun.routes].index
        )
        names = [operation["operationId"] for _, operation in operations()]
        assert len(names) == len(set(names)) == len(ROUTES) + 1

    @pytest.mark.parametrize("route", ROUTES, ids=operation_id)
    def test_says_of_a_route_what_the_table_says(self, route: RestRoute) -> None:
        told = operation_of(route)

        parameters = {(each["in"], each["name"]) for each in map(resolved, told["parameters"])}
        assert told["deprecated"] is True
        assert told["x-graphql"] == list(route.graphql)
        assert {name for place, name in parameters if place == "query"} == set(route.query.model_fields)
        assert (("path", "id") in parameters) == (route.identified is not None)
        assert (("header", "Idempotency-Key") in parameters) == route.takes_key
        assert ("requestBody" in told) == (route.body is not None)
        assert set(told["responses"]) == {
            str(status) for status in (*route.replies, *route.error_statuses, *ANYWHERE)
        }

    @pytest.mark.parametrize("route", ROUTES, ids=operation_id)
    def test_has_an_example_of_each_error(self, route: RestRoute) -> None:
        told = operation_of(route)["responses"]

        for status, codes in route.error_statuses.items():
            assert codes_of(told[str(status)]) == set(codes)

    @pytest.mark.parametrize("route", ROUTES, ids=operation_id)
    def test_names_the_headers_of_each_answer(self, route: RestRoute) -> None:
        told = operation_of(route)["responses"]

        for status, reply in route.replies.items():
            assert {*reply.headers, "X-Request-ID", "Link", "Deprecation"} <= set(
                told[str(status)]["headers"]
            )
        assert "WWW-Authenticate" in resolved(told["401"])["headers"]

    def test_links_lead_to_operations(self) -> None:
        names = {operation["operationId"] for _, operation in operations()}
        links = {
            (operation["operationId"], name)
            for _, operation in operations()
            for reply in operation["responses"].values()
            for name, link in resolved(reply).get("links", {}).items()
            if link["operationId"] in names
        }

        assert links >= {
            ("createPayment", "getPayment"),
            ("createPayment", "refundPayment"),
            ("refundPayment", "getPayment"),
            ("createSubscription", "cancelSubscription"),
            ("addPaymentMethod", "deletePaymentMethod"),
            ("listPayments", "getPayment"),
        }

    def test_refers_to_nothing_that_is_not_there(self) -> None:
        for reference in set(re.findall(rb'"\$ref":"([^"]+)"', served())):
            resolved({"$ref": reference.decode()})

    def test_is_the_same_each_time(self) -> None:
        assert document() == document()


class TestExamples:
    def test_fit_their_schemas(self) -> None:
        examples = list(all_examples())

        assert len(examples) > 250
        assert {each.where: fault for each in examples if (fault := fault_of(each))} == {}

    @pytest.mark.parametrize(
        ("model", "body"),
        [(model, body) for model, bodies in REQUESTS.items() for body in bodies.values()],
        ids=str,
    )
    def test_of_bodies_are_what_the_models_read(self, model: Any, body: Mapping[str, Any]) -> None:
        read = model.model_validate_json(orjson.dumps(body))

        assert set(read.model_fields_set) == set(body)

    def test_hold_no_secret(self) -> None:
        assert not re.findall(rb"_secret_|sk_(?:live|test)|whsec_|eyJ[A-Za-z0-9_-]{10}", served())


class TestServing:
    async def test_answers_everybody_with_the_document(self, http: httpx2.AsyncClient) -> None:
        answer = await http.get(OPENAPI)

        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.content == served()

    async def test_tells_who_has_it_that_nothing_changed(self, http: httpx2.AsyncClient) -> None:
        first = await http.get(OPENAPI)

        again = await http.get(OPENAPI, headers={"If-None-Match": first.headers["etag"]})
        other = await http.get(OPENAPI, headers={"If-None-Match": '"of-another-release"'})

        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert other.status_code == 200
