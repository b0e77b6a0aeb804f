"""The JSON Schemas of all models, under the names by which the document refers to them."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue, models_json_schema

from web.rest.fields import Query
from web.rest.problems import ErrorEnvelope

Model = type[BaseModel]

BOUNDS: Final = {"ge": "minimum", "le": "maximum"}
"""What pydantic calls the bounds of a value that a function of ours has read."""
TEMPLATE: Final = "#/components/schemas/{model}"


class Untitled(GenerateJsonSchema):
    """Without the titles that only repeat the fields' names."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


class Schemas:
    """`asked` are the models of what callers send, `answered` those of what they get."""

    def __init__(self, asked: Iterable[Model], answered: Iterable[Model]) -> None:
        modes: list[tuple[Model, JsonSchemaMode]] = [
            (ErrorEnvelope, "validation"),  # What does not apply is left out of it.
            *((model, "validation") for model in dict.fromkeys(asked)),
            *((model, "serialization") for model in dict.fromkeys(answered)),
        ]
        found, definitions = models_json_schema(modes, ref_template=TEMPLATE, schema_generator=Untitled)
        self._all: dict[str, JsonSchemaValue] = definitions["$defs"]
        for (model, _), reference in found.items():
            self._all[model.__name__] = self._all.pop(_name(reference))

    def components(self, but: Iterable[Model]) -> Mapping[str, JsonSchemaValue]:
        """Without those models, such as query strings, whose parameters stand beside each operation."""
        left_out = {model.__name__ for model in but}
        return {name: schema for name, schema in sorted(self._all.items()) if name not in left_out}

    def reference(self, model: Model) -> JsonSchemaValue:
        return {"$ref": TEMPLATE.format(model=model.__name__)}

    def parameters(self, model: type[Query]) -> Mapping[str, JsonSchemaValue]:
        """Of a query string, by name. None is what a parameter is that nobody sends, so its null goes."""
        schema = self._all[model.__name__]
        return {name: _without_null(part) for name, part in schema.get("properties", {}).items()}


def _name(reference: JsonSchemaValue) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def _without_null(schema: JsonSchemaValue) -> JsonSchemaValue:
    rest = {name: value for name, value in schema.items() if (name, value) != ("default", None)}
    choices = [choice for choice in rest.pop("anyOf", ()) if choice != {"type": "null"}]
    merged = {"anyOf": choices, **rest} if len(choices) > 1 else {**dict(*choices), **rest}
    return {BOUNDS.get(name, name): value for name, value in merged.items()}
