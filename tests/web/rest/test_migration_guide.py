"""docs/migration.md: an entry per route, whose requests are sent and whose answers are compared."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import orjson
import pytest
from graphql import FieldNode, OperationDefinitionNode, parse, validate

from domain.actor import Actor
from domain.legacy_status import LEGACY_PAYMENT, LEGACY_SUBSCRIPTION
from domain.payment import Payment
from domain.payment_method import PaymentMethod
from domain.plan import Plan
from domain.subscription import Subscription
from tests.api import Api
from tests.budgets import SCHEMA
from tests.parts import bearer
from tests.rest import Rest
from tests.web.rest.conftest import Sells
from web.rest.fields import EXAMPLES
from web.rest.route import BASE, RestRoute, Who
from web.rest.table import ROUTES

GUIDE: Final = (Path(__file__).parents[3] / "docs" / "migration.md").read_text(encoding="utf-8")
DEARER_PLAN: Final = "0192c7f4-e8b3-7d91-b540-17a6c3f9e02d"
BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CHANGING: Final = re.compile(r"(?:[a-z]{3}_)?[0-9a-f-]{32,36}|\d{4}-\d\d-\d\dT[\d:.]+Z|Wy\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    document: str
    variables: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """`request` and `answer` are REST's, `operations` GraphQL's."""

    route: RestRoute
    request: str
    answer: str
    operations: Sequence[Operation]


def entry_of(route: RestRoute) -> Entry:
    [text] = re.findall(rf"^## {route.name}\n(.*?)(?=^##? |\Z)", GUIDE, re.MULTILINE | re.DOTALL)
    (kind, request), (_, answer), *rest = BLOCK.findall(text)
    assert kind == "http"
    assert [kind for kind, _ in rest] == ["graphql", "json", "json"] * (len(rest) // 3)
    texts = [block for _, block in rest]
    return Entry(
        route=route,
        request=request,
        answer=answer,
        operations=[
            Operation(document=document, variables=variables, answer=told)
            for document, variables, told in zip(texts[::3], texts[1::3], texts[2::3], strict=True)
        ],
    )


def entries() -> Iterator[Entry]:
    """In the order of the guide."""
    by_name = {route.name: route for route in ROUTES}
    return (entry_of(by_name[name]) for name in re.findall(r"^## (\S+)$", GUIDE, re.MULTILINE))


def unlike(told: Any, found: Any, where: str) -> list[str]:
    """Where an answer is not what the guide shows. Ids, times, cursors and numbers are others each time."""
    match told:
        case dict() if isinstance(found, dict):
            return [each for name in told for each in unlike(told[name], found.get(name), f"{where}.{name}")]
        case [shown] if isinstance(found, list) and found:
            return min((unlike(shown, each, f"{where}[]") for each in found), key=len)
        case str() if CHANGING.fullmatch(told):
            is_like = isinstance(found, str) and CHANGING.fullmatch(found) is not None
        case int() | float() if not isinstance(told, bool):
            is_like = isinstance(found, int | float)
        case _:
            is_like = found == told
    return [] if is_like else [f"{where}: {found!r} instead of {told!r}"]


@pytest.fixture
async def own(rest: Rest, sells: Sells) -> Mapping[str, str]:
    """What the user has, and what is on sale, by the ids that stand for it in the guide."""
    method, payment = await rest.add_card(), (await rest.paid())["id"]
    held = await rest.post("/subscriptions", {"plan_id": await sells()})
    return {
        EXAMPLES[PaymentMethod]: method,
        EXAMPLES[Payment]: payment,
        EXAMPLES[Subscription]: held.json()["data"]["id"],
        EXAMPLES[Plan]: await sells(900),
        DEARER_PLAN: await sells(2500),
    }


def naming(text: str, own: Mapping[str, str]) -> str:
    for example, identity in own.items():
        text = text.replace(example, identity).replace(UUID(example).hex, UUID(identity).hex)
    return text


class TestGuide:
    def test_has_an_entry_for_each_route(self) -> None:
        assert sorted(entry.route.name for entry in entries()) == sorted(route.name for route in ROUTES)

    @pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
    def test_shows_the_endpoint_and_the_operations_of_the_table(self, route: RestRoute) -> None:
        entry = entry_of(route)

        method, target = entry.request.splitlines()[0].split()
        path = target.removeprefix(BASE).partition("?")[0]
        roots = {
            selection.name.value
            for operation in entry.operations
            for definition in parse(operation.document).definitions
            if isinstance(definition, OperationDefinitionNode)
            for selection in definition.selection_set.selections
            if isinstance(selection, FieldNode)
        }
        assert method == route.method
        assert re.fullmatch(route.path.replace("{id}", "[0-9a-f-]{36}"), path)
        assert roots == set(route.graphql)

    @pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
    def test_asks_what_the_schema_has(self, route: RestRoute) -> None:
        for operation in entry_of(route).operations:
            assert validate(SCHEMA, parse(operation.document)) == []

    @pytest.mark.parametrize(
        ("noun", "names"), [("payment", LEGACY_PAYMENT), ("subscription", LEGACY_SUBSCRIPTION)]
    )
    def test_tells_every_state(self, noun: str, names: Mapping[StrEnum, StrEnum]) -> None:
        [table] = re.findall(rf"^\| REST {noun} \| GraphQL \|\n((?:\|.*\n)+)", GUIDE, re.MULTILINE)

        told = {
            ours: legacy
            for legacy, all_of_ours in re.findall(r"^\| `([a-z_]+)` \| (.+) \|$", table, re.MULTILINE)
            for ours in all_of_ours.replace("`", "").split()
        }
        assert told == {ours.value: legacy.value for ours, legacy in names.items()}


class TestRequests:
    async def test_of_rest_are_answered_as_told(
        self, rest: Rest, admins: Rest, own: Mapping[str, str]
    ) -> None:
        for entry in entries():
            caller = admins if entry.route.who is Who.ADMINS else rest
            head, _, body = naming(entry.request, own).partition("\n\n")
            [line, *headers] = head.splitlines()
            method, target = line.split()

            answer = await caller.send(
                method,
                urlsplit(target).path.removeprefix(BASE),
                params=dict(parse_qsl(urlsplit(target).query)),
                headers=dict(each.split(": ") for each in headers),
                **({"json": orjson.loads(body)} if body else {}),
            )

            assert answer.is_success, (entry.route.name, answer.text)
            if answer.headers.get("content-type") == "application/json":
                assert unlike(orjson.loads(entry.answer), answer.json(), entry.route.name) == []
            else:
                assert (answer.text or str(answer.status_code)).startswith(entry.answer.strip())

    async def test_of_graphql_are_answered_as_told(
        self, api: Api, admin: Actor, own: Mapping[str, str]
    ) -> None:
        admins = Api(http=api.http, headers=bearer(admin))
        for entry in entries():
            caller = admins if entry.route.who is Who.ADMINS else api
            for operation in entry.operations:
                variables = orjson.loads(naming(operation.variables, own))

                data = await caller.run(operation.document, variables)

                assert unlike(orjson.loads(operation.answer)["data"], data, entry.route.name) == []
