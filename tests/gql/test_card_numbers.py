"""A card number in any input of the schema is refused, and appears nowhere afterwards."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
import structlog
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLScalarType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_required_argument,
    is_required_input_field,
)

from gateway.wiring import Gateway
from persistence.schema import MIGRATIONS
from persistence.tables import metadata
from tests.api import Api
from tests.tables import contents_of

SCHEMA: Final[GraphQLSchema] = build_schema((MIGRATIONS.parent / "schema.graphql").read_text())
NUMBERS: Final = (
    "4242 4242 4242 4242",
    "paid with 5555-5555-5555-4444, thanks",
    "378282246310005",
    "3566002020360505".translate({48 + digit: 0xFF10 + digit for digit in range(10)}),
)
EXAMPLES: Final[dict[str, Any]] = {
    "Boolean": True,
    "CurrencyCode": "EUR",
    "DateTime": "2026-11-01T00:00:00Z",
    "Float": 1.5,
    "ID": f"pay_{1:032x}",
    "IdempotencyKey": "a-key-of-mine",
    "Int": 1,
    "JSONObject": {},
    "MinorUnits": 100,
    "String": "text",
    "URL": "https://example.com/",
}
PARSED: Final = frozenset({"CurrencyCode", "DateTime", "MinorUnits", "Int", "Float", "Boolean"})
"""Scalars that take no free text: one number is enough for each."""
Path = tuple[str, ...]


def example(kind: Any) -> Any:
    """A value that the input takes, with nothing in it that is not needed."""
    plain = get_nullable_type(kind)
    if isinstance(plain, GraphQLList):
        return [example(plain.of_type)]
    if isinstance(plain, GraphQLEnumType):
        return next(iter(plain.values))
    if isinstance(plain, GraphQLInputObjectType):
        chosen = list(plain.fields.items())[:1] if plain.is_one_of else plain.fields.items()
        wanted = [(n, f) for n, f in chosen if plain.is_one_of or is_required_input_field(f)]
        return {name: example(field.type) for name, field in wanted}
    return EXAMPLES[plain.name]


def spoilt(kind: Any, number: str) -> Iterator[tuple[Path, str, Any]]:
    """Each place of the input in turn: its path, what it takes, and the input with the number there."""
    plain = get_nullable_type(kind)
    if isinstance(plain, GraphQLList):
        for path, leaf, value in spoilt(plain.of_type, number):
            yield path, leaf, [value]
    elif isinstance(plain, GraphQLInputObjectType):
        around = {} if plain.is_one_of else example(plain)
        for name, field in plain.fields.items():
            for path, leaf, value in spoilt(field.type, number):
                yield (name, *path), leaf, {**around, name: value}
    else:
        yield (), plain.name, ({"a": [{"b": number}]} if plain.name == "JSONObject" else number)


def operation(kind: str, field: str) -> str:
    """With a variable per argument, and nothing selected of what it answers that can be left out."""
    of = {"query": SCHEMA.query_type, "mutation": SCHEMA.mutation_type}[kind]
    assert of is not None
    chosen = of.fields[field]
    variables = ", ".join(f"${name}: {argument.type}" for name, argument in chosen.args.items())
    given = ", ".join(f"{name}: ${name}" for name in chosen.args)
    errors = "{ errors { code path ... on SimpleError { constraint } } }"
    wanted = errors if kind == "mutation" else "{ __typename }"
    selection = wanted if is_composite_type(get_named_type(chosen.type)) else ""
    return f"{kind} O({variables}) {{ {field}({given}) {selection} }}"


def requests(kind: str) -> Iterator[tuple[str, Path, dict[str, Any], str]]:
    """Every place where the schema takes anything, each with one of the numbers."""
    of = {"query": SCHEMA.query_type, "mutation": SCHEMA.mutation_type}[kind]
    assert of is not None
    for name, field in of.fields.items():
        needed = {each: example(a.type) for each, a in field.args.items() if is_required_argument(a)}
        for argument, takes in field.args.items():
            for index, number in enumerate(NUMBERS):
                for path, leaf, value in spoilt(takes.type, number):
                    if index == 0 or leaf not in PARSED:
                        yield name, (argument, *path), {**needed, argument: value}, number


def codes_and_constraints(body: dict[str, Any], field: str) -> list[tuple[str, str | None]]:
    told = [error["extensions"] for error in body.get("errors", ())]
    told += ((body.get("data") or {}).get(field) or {}).get("errors", ()) if not told else ()
    return [(each["code"], each.get("constraint")) for each in told]


async def wherever(gateway: Gateway, logs: list[Any], *parts: str) -> list[str]:
    """Where in the database, or in the logs, any of them can be read."""
    tables = await contents_of(gateway.settings.database_url, metadata)
    everything = {**tables, "logs": [json.dumps(line, default=str, ensure_ascii=False) for line in logs]}
    return [name for name, rows in everything.items() for row in rows if any(part in row for part in parts)]


class TestEveryInput:
    @pytest.mark.parametrize("kind", ["mutation", "query"])
    async def test_refuses_a_card_number_and_neither_repeats_nor_keeps_it(
        self, admins: Api, gateway: Gateway, kind: str
    ) -> None:
        let_through, tried = [], 0
        with structlog.testing.capture_logs() as logs:
            for field, path, variables, number in requests(kind):
                body = {"query": operation(kind, field), "variables": variables}
                answer = await admins.http.post("/graphql", json=body, headers=admins.headers)
                told = codes_and_constraints(answer.json(), field)
                is_refused = told == [("INVALID_INPUT", "noCardNumber")]
                if not is_refused or number in json.dumps(answer.json(), ensure_ascii=False):
                    let_through.append((field, path, told))
                tried += 1

        assert let_through == []
        assert tried > 100
        assert await wherever(gateway, logs, *NUMBERS) == []


class TestKnownScalars:
    def test_have_an_example_each(self) -> None:
        scalars = {name for name, kind in SCHEMA.type_map.items() if isinstance(kind, GraphQLScalarType)}
        taken = {name for name in scalars if name in inputs_take()}

        assert taken <= set(EXAMPLES)


def inputs_take() -> set[str]:
    """The names of all that inputs and arguments are made of."""
    fields = [
        field
        for kind in SCHEMA.type_map.values()
        if isinstance(kind, GraphQLInputObjectType)
        for field in kind.fields.values()
    ]
    return {get_named_type(field.type).name for field in fields}


class TestMutation:
    async def test_names_the_field(self, admins: Api) -> None:
        given = {"userId": f"usr_{1:032x}", "target": {"feature": "hd"}, "note": "card 4242424242424242"}

        payload = await admins.mutate(
            "grantAccess", given, "errors { code path ... on SimpleError { constraint } }"
        )

        assert payload["errors"] == [
            {"code": "INVALID_INPUT", "path": ["input", "note"], "constraint": "noCardNumber"}
        ]

    async def test_refuses_one_that_comes_by_another_variable(self, api: Api) -> None:
        document = (
            'mutation M($d: String) { createPayment(input: {idempotencyKey: "a-key-of-mine", description: $d, '
            'charge: {amount: {minor: 100, currency: "EUR"}}}) { errors { code path } } }'
        )

        data = await api.run(document, {"d": NUMBERS[0]})

        [error] = data["createPayment"]["errors"]
        assert error == {"code": "INVALID_INPUT", "path": ["input", "description"]}


class TestDocument:
    @pytest.mark.parametrize(
        "document",
        [
            '{ payment(id: "4242 4242 4242 4242") { id } }',
            "{ payments(first: 4242424242424242) { nodes { id } } }",
            "# 4242 4242 4242 4242\n{ __typename }",
            "query Q4242424242424242 { __typename }",
            "{ field4242424242424242 }",
            "{ a4242424242424242: __typename }",
            "{ __typename ) 4242424242424242",
            "query($v4242424242424242: Int) { __typename }",
            'mutation { createPortalLink(input: {returnUrl: "https://a.example/4242424242424242"}) { url } }',
        ],
    )
    async def test_with_a_card_number_anywhere_is_refused_and_not_repeated(
        self, api: Api, gateway: Gateway, document: str
    ) -> None:
        with structlog.testing.capture_logs() as logs:
            answer = await api.http.post("/graphql", json={"query": document}, headers=api.headers)

        [error] = answer.json()["errors"]
        assert (error["extensions"]["code"], error["extensions"]["constraint"]) == (
            "INVALID_INPUT",
            "noCardNumber",
        )
        assert "4242" not in answer.text
        assert await wherever(gateway, logs, "42424242", NUMBERS[0]) == []

    async def test_is_refused_for_the_name_of_its_operation(self, api: Api) -> None:
        body = {"query": "{ __typename }", "operationName": "4242424242424242"}

        answer = await api.http.post("/graphql", json=body, headers=api.headers)

        assert answer.json()["errors"][0]["extensions"]["constraint"] == "noCardNumber"
        assert "4242" not in answer.text

    async def test_is_refused_for_the_name_of_a_variable(self, api: Api) -> None:
        body = {"query": "{ __typename }", "variables": {"4242424242424242": 1}}

        answer = await api.http.post("/graphql", json=body, headers=api.headers)

        assert answer.json()["errors"][0]["extensions"]["constraint"] == "noCardNumber"
        assert "4242" not in answer.text

    async def test_by_get_is_refused_and_not_repeated(self, api: Api, gateway: Gateway) -> None:
        with structlog.testing.capture_logs() as logs:
            answer = await api.http.get(
                "/graphql", params={"query": '{ node(id: "4242424242424242") { id } }'}, headers=api.headers
            )

        assert answer.json()["errors"][0]["extensions"]["constraint"] == "noCardNumber"
        assert "4242" not in answer.text
        assert await wherever(gateway, logs, "42424242") == []


class TestOtherPaths:
    async def test_with_a_card_number_are_not_repeated(self, api: Api) -> None:
        for path in ("/4242424242424242", "/graphql/4242424242424242", "/api/v1/payments/4242424242424242"):
            answer = await api.http.get(path, headers=api.headers)

            assert answer.status_code in {401, 404, 405}
            assert "4242" not in answer.text
