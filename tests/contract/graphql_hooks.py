"""What schemathesis is told beside the GraphQL schema. It loads this file itself, by `hooks` in its configuration."""

import json
import os
import re
from datetime import UTC, datetime
from typing import Any, Final
from zlib import crc32

import schemathesis
from graphql import ArgumentNode, ListValueNode, ObjectFieldNode, StringValueNode, Visitor, visit
from hypothesis import strategies as st
from schemathesis.graphql import nodes, scalar

from domain.currency import DEFAULT_CURRENCIES
from gql.execution import INTERNAL
from gql.refusals import Refusal

IDS: Final[list[str]] = json.loads(os.environ["IDS"])
"""Of objects that are there."""
ID_FIELD: Final = re.compile(r"ids?|\w+Ids?")
INSTANTS: Final = st.integers(1_600_000_000, 1_900_000_000).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC).isoformat()
)

scalar("IdempotencyKey", st.uuids().map(lambda key: nodes.String(f"key-{key}")))
scalar("MinorUnits", st.integers(1, 10_000).map(nodes.Int))
scalar("CurrencyCode", st.sampled_from(sorted(DEFAULT_CURRENCIES)).map(nodes.String))
scalar("DateTime", INSTANTS.map(nodes.String))
scalar("UUID", st.uuids().map(str).map(nodes.String))
scalar("URL", st.just(nodes.String("https://app.example.com/back")))
scalar("Decimal", st.integers(0, 10_000).map(str).map(nodes.String))
scalar("JSONObject", st.just(nodes.Object([])))
WRONGLY: Final = frozenset({INTERNAL, *Refusal}) - {Refusal.LIMIT_EXCEEDED}
"""What nobody should hear whose document is valid; a valid one may be too large."""


class WithRealIds(Visitor):
    """Most ids that were made up become those of objects of some kind; the rest stay, and name nothing."""

    def leave_argument(self, node: ArgumentNode, *_: Any) -> ArgumentNode:
        return ArgumentNode(name=node.name, value=real(node.name.value, node.value))

    def leave_object_field(self, node: ObjectFieldNode, *_: Any) -> ObjectFieldNode:
        return ObjectFieldNode(name=node.name, value=real(node.name.value, node.value))


def real(field: str, value: Any) -> Any:
    match value:
        case ListValueNode():
            return ListValueNode(values=tuple(real(field, each) for each in value.values))
        case StringValueNode() if ID_FIELD.fullmatch(field):
            chosen = crc32(value.value.encode(errors="replace")) % (len(IDS) + 2)
            return StringValueNode(value=IDS[chosen]) if chosen < len(IDS) else value
        case _:
            return value


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    return visit(body, WithRealIds())


@schemathesis.check
def errors_are_answers(ctx: Any, response: Any, case: Any) -> None:
    """
    What a resolver or a limit refuses has a code of ours; nothing is unforeseen.

    So it makes up for the checks that take every entry of `errors` for a failure of the server.
    """
    assert response.status_code < 500, f"HTTP {response.status_code}"
    is_valid = case.meta is not None and case.meta.generation.mode.is_positive
    for error in json.loads(response.content).get("errors", ()):
        code = error["extensions"]["code"]
        assert code not in (WRONGLY if is_valid else {INTERNAL}), f"{code}: {error['message']}"
        assert error["extensions"]["requestId"], "There is no request id to quote."
