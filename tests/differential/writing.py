"""Random documents: whatever the schema lets a caller ask, in all the ways in which it can be written."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_enum_type,
    is_input_object_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
    is_required_input_field,
)

DEEPEST: Final = 6
MOST_FIELDS: Final = 60
"""Of a document, more or less."""
LEFT_OUT: Final = frozenset(
    {
        "AccessDecision.evaluatedAt",
        "AccessDecision.token",
        "PaymentMethodSetup.clientSecret",
        "Query.moneyInvariants",
        "Query.previewCancellation",
        "Query.previewPlanChange",
        "Query.previewSubscription",
        "Query.stats",
        "Subscription.nextCharge",
    }
)
"""What is never the same twice, asks Stripe, or takes too long to be asked thousands of times."""

FIT: Final[Mapping[str, Sequence[Any]]] = {
    "Int": [1, 2, 3, 5, 50],
    "String": ["en", "de", "film-17"],
    "Boolean": [True, False],
    "DateTime": ["2026-01-01T00:00:00Z", "2026-06-01T12:00:00+02:00"],
    "MinorUnits": [0, 900, 1250, "900"],
    "CurrencyCode": ["USD", "EUR"],
    "IdempotencyKey": ["key-12345678"],
}
UNFIT: Final[Mapping[str, Sequence[Any]]] = {
    "Int": [0, -1, 101],
    "String": ["", "not a cursor"],
    "DateTime": ["soon"],
    "CurrencyCode": ["usd"],
}
ONE_OF: Final = frozenset({"AccessTarget"})
CURSORS: Final = frozenset({"after", "before", "last"})
"""Arguments that are fit only for what was told before, or without others."""


@dataclass(frozen=True, slots=True)
class Written:
    text: str
    variables: Mapping[str, Any]


@dataclass(slots=True)
class Writer:
    """
    One document's. `ids` are some of the objects by their types' names, `users` some of the User Service's ids.

    A careful one asks for nothing that is refused, except for want of a role.
    """

    schema: GraphQLSchema
    dice: random.Random
    ids: Mapping[str, Sequence[str]]
    users: Sequence[str]
    is_careful: bool
    fields: int = 0
    of: str = ""
    """The field whose arguments are being written."""
    declared: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    fragments: list[str] = field(default_factory=list)

    def document(self) -> Written:
        query = self.schema.query_type
        assert query is not None
        body = self._selections(query, depth=1)
        declared = ", ".join(f"${name}: {kind}" for name, kind in self.declared.items())
        head = f"query Asked({declared})" if declared else "query Asked"
        return Written("\n".join([f"{head} {body}", *self.fragments]), self.values)

    def selections(self, kind: Any) -> str:
        """Of a payload: what a mutation answers."""
        return self._selections(kind, depth=2)

    def _selections(self, kind: Any, *, depth: int) -> str:
        parts = ["__typename"] if self._chance(0.2) else []
        if is_abstract_type(kind):
            parts += [
                f"... on {each.name} {self._selections(each, depth=depth + 1)}" for each in self._some(kind)
            ]
            if kind.name == "Node":
                parts.append("id")
        else:
            parts += self._fields(kind, depth=depth)
        self.dice.shuffle(parts)
        return f"{{ {' '.join(parts or ['__typename'])} }}"

    def _some(self, kind: Any) -> Sequence[Any]:
        possible = list(self.schema.get_possible_types(kind))
        return self.dice.sample(possible, min(len(possible), self.dice.randint(1, 3)))

    def _fields(self, kind: Any, *, depth: int) -> list[str]:
        candidates = [
            (name, each)
            for name, each in kind.fields.items()
            if f"{kind.name}.{name}" not in LEFT_OUT and self._fits(each, depth)
        ]
        chosen = self.dice.sample(
            candidates, min(len(candidates), self.dice.randint(1, 3 if depth == 1 else 5))
        )
        written = [self._field(name, each, depth=depth) for name, each in chosen]
        if len(written) > 1 and self._chance(0.2):
            written = [*written[1:], self._wrapped(kind, written[0])]
        return written

    def _fits(self, each: GraphQLField, depth: int) -> bool:
        is_leaf = is_leaf_type(get_named_type(each.type))
        return is_leaf or (depth < DEEPEST and self.fields < MOST_FIELDS)

    def _wrapped(self, kind: GraphQLNamedType, selection: str) -> str:
        """In a fragment, named or not."""
        if self._chance(0.5):
            return f"... on {kind.name} {{ {selection} }}" if self._chance(0.7) else f"... {{ {selection} }}"
        name = f"Part{len(self.fragments)}"
        self.fragments.append(f"fragment {name} on {kind.name} {{ {selection} }}")
        return f"...{name}"

    def _field(self, name: str, each: GraphQLField, *, depth: int) -> str:
        self.fields += 1
        self.of = name
        alias = f"a{self.fields}: " if each.args or self._chance(0.3) else ""
        given = ", ".join(
            f"{argument}: {self._argument(argument, part.type)}"
            for argument, part in each.args.items()
            if is_required_argument(part) or (self._is_wanted(argument) and self._chance(0.3))
        )
        kind = get_named_type(each.type)
        inside = "" if is_leaf_type(kind) else f" {self._selections(kind, depth=depth + 1)}"
        return f"{alias}{name}{f'({given})' if given else ''}{self._directive()}{inside}"

    def _is_wanted(self, argument: str) -> bool:
        return not (self.is_careful and argument in CURSORS)

    def _directive(self) -> str:
        if not self._chance(0.08):
            return ""
        value = self._variable("Boolean!", self._chance(0.5)) if self._chance(0.7) else "true"
        return f" @{self.dice.choice(['include', 'skip'])}(if: {value})"

    def _argument(self, name: str, kind: Any) -> str:
        value = self._value(name, kind)
        return self._variable(str(kind), value) if self._chance(0.4) else literal(kind, value)

    def _variable(self, kind: str, value: Any) -> str:
        name = f"v{len(self.declared)}"
        self.declared[name], self.values[name] = kind, value
        return f"${name}"

    def _value(self, name: str, kind: Any) -> Any:
        of = get_nullable_type(kind)
        if not is_non_null_type(kind) and self._chance(0.05):
            return None
        if is_list_type(of):
            return [self._value(name, of.of_type) for _ in range(self.dice.randint(0, 3))]
        if is_enum_type(of):
            return self.dice.choice(list(of.values))
        if is_input_object_type(of):
            return self._object(of)
        if of.name == "ID":
            return self._identity(name)
        if name == "mutation":
            return "createPayment"
        is_unfit = of.name in UNFIT and not self.is_careful and self._chance(0.3)
        return self.dice.choice((UNFIT if is_unfit else FIT).get(of.name, ["x"]))

    def _object(self, kind: GraphQLInputObjectType) -> dict[str, Any]:
        parts = list(kind.fields.items())
        if kind.name in ONE_OF:
            name, part = self.dice.choice(parts)
            return {name: self._value(name, GraphQLNonNull(part.type))}
        return {
            name: self._value(name, part.type)
            for name, part in parts
            if is_required_input_field(part) or self._chance(0.3)
        }

    def _identity(self, name: str) -> str:
        if "user" in name.lower() or "actor" in name.lower():
            return self.dice.choice(self.users)
        wanted = self.of if name == "id" else name.removesuffix("Id").removesuffix("s")
        fitting = [each for each in self.ids if each.lower() == wanted.lower()]
        is_fit = fitting and (self.is_careful or self._chance(0.8))
        of = fitting[0] if is_fit else self.dice.choice(list(self.ids))
        return self.dice.choice(self.ids[of])

    def _chance(self, share: float) -> bool:
        return self.dice.random() < share


def literal(kind: Any, value: Any) -> str:
    of: Any = get_nullable_type(kind)
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case list():
            return f"[{', '.join(literal(of.of_type, item) for item in value)}]"
        case dict():
            return f"{{{', '.join(f'{name}: {literal(of.fields[name].type, part)}' for name, part in value.items())}}}"
        case str() if not isinstance(of, GraphQLEnumType):
            return f'"{value}"'
    return str(value)
