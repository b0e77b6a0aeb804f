from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    build_schema,
    is_introspection_type,
    is_non_null_type,
    is_specified_scalar_type,
    parse,
    validate,
)

from gql.explorer.page import Story, stories
from gql.payload import KEY, OPTIONAL_KEY
from gql.schema import printed

SCHEMA_FILE = Path(__file__).parents[2] / "schema.graphql"
SCHEMA = build_schema(printed())
ROOTS = "schema {\n  query: Query\n  mutation: Mutation\n}\n"

Described = GraphQLNamedType | GraphQLField | GraphQLArgument | GraphQLInputField


def own_types() -> list[GraphQLNamedType]:
    types = SCHEMA.type_map.values()
    return [
        type_ for type_ in types if not is_introspection_type(type_) and not is_specified_scalar_type(type_)
    ]


def described() -> Iterator[tuple[str, Described]]:
    """All that an app developer meets, by its coordinate."""
    for type_ in own_types():
        yield type_.name, type_
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for name, field in type_.fields.items():
                yield f"{type_.name}.{name}", field
                for argument, definition in getattr(field, "args", {}).items():
                    yield f"{type_.name}.{name}({argument}:)", definition


class TestPrinted:
    def test_is_what_the_committed_file_holds(self) -> None:
        assert SCHEMA_FILE.read_text(encoding="utf-8") == printed()

    def test_begins_with_its_roots_since_subscription_is_going_to_be_no_root(self) -> None:
        assert printed().startswith(ROOTS)
        assert SCHEMA.subscription_type is None


class TestDescriptions:
    def test_say_which_idempotency_keys_are_optional(self) -> None:
        keys = {
            coordinate: thing
            for coordinate, thing in described()
            if coordinate.endswith("Input.idempotencyKey") and isinstance(thing, GraphQLInputField)
        }

        wrong = [
            coordinate
            for coordinate, key in keys.items()
            if key.description != (KEY if is_non_null_type(key.type) else OPTIONAL_KEY)
        ]

        assert keys
        assert wrong == []

    def test_stand_at_every_type_field_argument_and_input(self) -> None:
        missing = [coordinate for coordinate, thing in described() if not (thing.description or "").strip()]

        assert missing == []

    def test_are_sentences(self) -> None:
        unfinished = [
            name for name, thing in described() if not (thing.description or ".").endswith((".", ")"))
        ]

        assert unfinished == []


class TestConventions:
    def test_every_mutation_takes_one_input_and_answers_with_a_payload_that_cannot_be_null(self) -> None:
        assert SCHEMA.mutation_type is not None
        for name, field in SCHEMA.mutation_type.fields.items():
            assert list(field.args) == ["input"], name
            assert str(field.args["input"].type).endswith("Input!"), name
            assert str(field.type).endswith("Payload!"), name

    def test_enum_values_are_in_capitals(self) -> None:
        enums = [type_ for type_ in own_types() if isinstance(type_, GraphQLEnumType)]

        assert enums
        assert all(value == value.upper() for enum in enums for value in enum.values)


@pytest.mark.parametrize("story", stories(), ids=lambda story: story.title)
def test_story_is_valid(story: Story) -> None:
    assert validate(SCHEMA, parse(story.query)) == []
