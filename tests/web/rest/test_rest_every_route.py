"""Every row of the route table is tried for whatever callers may get wrong, or try on."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import httpx2
import pytest

from domain.identity import new_id
from gql.ids import HEX_DIGITS, PREFIX
from persistence.tables import metadata
from tests.budgets import SCHEMA
from tests.rest import EURO, Rest, error_of, faults
from tests.tables import contents_of
from tests.web.in_process import Events
from tests.web.rest.conftest import Sells
from web.rest.route import BASE, RestRoute, Who
from web.rest.table import ROUTES

CARD: Final = "4242 4242 4242 4242"
ASSIGNED: Final = (
    "id",
    "status",
    "user_id",
    "owner",
    "amount_refunded",
    "amount_captured",
    "refunded_amount",
    "version",
    "livemode",
    "is_surplus",
    "created_at",
)
"""What nobody may say of an object: it follows from what happens."""
WRONG: Final[Mapping[str, list[Any]]] = {
    "integer": ["2500", 2500.0, True, [], {}],
    "string": [17, True, ["x"], {}],
    "boolean": ["true", 1, 0, []],
    "object": ["{}", [], 1, True],
}
"""Values of other types than the one that JSON Schema names."""
NOT_ONE_OBJECT: Final = (
    b"",
    b"{",
    b"null",
    b"[1]",
    b'"text"',
    b'{"amount": 1, "amount": 2}',
    b'{"amount": NaN}',
    b'{"description": "\xff"}',
    '{"a": 1}'.encode("utf-16"),
    b"\xef\xbb\xbf{}",
    b'{"metadata": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"amount": ' + b"9" * 10_000 + b"}",
)
MALFORMED: Final = (
    "17",
    "null",
    "{UUID}x",
    "{HEX}",
    "%7B{UUID}%7D",
    "urn:uuid:{UUID}",
    "pay_17",
    "pay_{HEX}0",
    "PAY_{HEX}",
    "acc_{HEX}",
    "_{HEX}",
    "%00",
    "%E2%82%AC",
    "x" * 300,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What another user has, and a plan that is sold."""

    payment: str
    subscription: str
    payment_method: str
    plan: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A request that is in order: which of the user's objects it names, and what its body holds."""

    of: str = ""
    body: Callable[[World], dict[str, Any]] | None = None


SAMPLES: Final[Mapping[str, Sample]] = {
    "create-payment": Sample(body=lambda world: EURO),
    "list-payments": Sample(),
    "get-payment": Sample(of="payment"),
    "refund-payment": Sample(of="payment", body=lambda world: {"amount": 100, "reason": "other"}),
    "list-subscriptions": Sample(),
    "create-subscription": Sample(body=lambda world: {"plan_id": world.plan}),
    "update-subscription": Sample(of="subscription", body=lambda world: {"metadata": {"a": 1}}),
    "cancel-subscription": Sample(of="subscription"),
    "list-payment-methods": Sample(),
    "add-payment-method": Sample(body=lambda world: {"stripe_payment_method_id": "pm_card_visa"}),
    "update-payment-method": Sample(of="payment_method", body=lambda world: {"billing_name": "Ada"}),
    "delete-payment-method": Sample(of="payment_method"),
    "payment-statistics": Sample(),
    "export-payments": Sample(),
}
WITH_ID: Final = [route for route in ROUTES if route.identified]
WITH_BODY: Final = [route for route in ROUTES if route.body]


@pytest.fixture
async def theirs(others: Rest, sells: Sells) -> World:
    method = await others.add_card()
    plan = await sells()
    made = await others.post("/subscriptions", {"plan_id": plan})
    return World(
        payment=(await others.paid())["id"],
        subscription=made.json()["data"]["id"],
        payment_method=method,
        plan=await sells(900),
    )


@pytest.fixture
def nobodys() -> World:
    """Ids of nothing."""
    return World(
        payment=str(new_id()), subscription=str(new_id()), payment_method=str(new_id()), plan=str(new_id())
    )


async def ask(caller: Rest, route: RestRoute, world: World, **changed: Any) -> httpx2.Response:
    """The sample of the route, or what is to be other in it: `identity`, `params`, `json`, `content`, `headers`."""
    sample = SAMPLES[route.name]
    identity = changed.pop("identity", getattr(world, sample.of) if sample.of else "")
    if sample.body and not {"json", "content"} & changed.keys():
        changed["json"] = sample.body(world)
    return await caller.send(route.method, route.path.replace("{id}", identity), **changed)


def told(response: httpx2.Response) -> tuple[int, str]:
    return response.status_code, error_of(response)["code"]


def allowed(route: RestRoute, user: Rest, admin: Rest) -> Rest:
    """Somebody whose role may ask for it."""
    return admin if route.who is Who.ADMINS else user


class TestTable:
    def test_has_a_sample_of_every_route(self) -> None:
        assert set(SAMPLES) == {route.name for route in ROUTES}

    def test_has_each_name_and_each_address_once(self) -> None:
        addresses = {(route.method, route.path) for route in ROUTES}

        assert len({route.name for route in ROUTES}) == len(addresses) == len(ROUTES)

    def test_names_operations_that_there_are(self) -> None:
        assert SCHEMA.query_type is not None
        assert SCHEMA.mutation_type is not None
        known = {*SCHEMA.query_type.fields, *SCHEMA.mutation_type.fields}

        assert {name for route in ROUTES for name in route.graphql} <= known

    def test_says_of_which_type_every_id_is(self) -> None:
        assert all(("{id}" in route.path) == (route.identified in PREFIX) for route in ROUTES)

    def test_takes_keys_where_something_is_done(self) -> None:
        assert {route.takes_key for route in ROUTES if route.method == "GET"} == {False}
        assert {route.takes_key for route in ROUTES if route.method != "GET"} == {True}


class TestCallers:
    async def test_without_a_token_or_with_a_bad_one_are_challenged(
        self, anonymous: Rest, nobodys: World
    ) -> None:
        forged = Rest(http=anonymous.http, headers={"Authorization": "Bearer a.b.c"})

        answers = {
            (route.name, caller is forged): await ask(caller, route, nobodys)
            for route in ROUTES
            for caller in (anonymous, forged)
        }

        assert {key: told(each) for key, each in answers.items()} == dict.fromkeys(
            answers, (401, "UNAUTHENTICATED")
        )
        assert all(each.headers["www-authenticate"].startswith("Bearer") for each in answers.values())

    async def test_of_another_role_are_refused(self, rest: Rest, supports: Rest, theirs: World) -> None:
        for_admins = [
            (route, caller) for route in ROUTES if route.who is Who.ADMINS for caller in (rest, supports)
        ]
        to_change = [(route, supports) for route in WITH_ID if route.takes_key]

        answers = {
            (route.name, caller is rest): told(await ask(caller, route, theirs))
            for route, caller in (*for_admins, *to_change)
        }

        assert answers == dict.fromkeys(answers, (403, "FORBIDDEN"))

    async def test_do_not_see_what_is_another_users(
        self, rest: Rest, theirs: World, database_url: str
    ) -> None:
        before = await contents_of(database_url, metadata)

        answers = {
            route.name: told(await ask(rest, route, theirs))
            for route in WITH_ID
            if route.who is Who.SIGNED_IN
        }

        assert answers == dict.fromkeys(answers, (404, "NOT_FOUND"))
        assert await contents_of(database_url, metadata) == before

    async def test_may_not_use_another_users_objects(self, rest: Rest, theirs: World, sells: Sells) -> None:
        mine = await rest.add_card()
        made = await rest.post("/subscriptions", {"plan_id": await sells(100)})
        path = f"/subscriptions/{made.json()['data']['id']}"

        refused = [
            await rest.pay(payment_method_id=theirs.payment_method),
            await rest.post(
                "/subscriptions", {"plan_id": theirs.plan, "payment_method_id": theirs.payment_method}
            ),
            await rest.put(path, {"payment_method_id": theirs.payment_method}),
            await rest.delete(f"/payment-methods/{mine}", replace_with_id=theirs.payment_method),
        ]

        assert [told(each) for each in refused] == [(404, "NOT_FOUND")] * 4
        assert [list(faults(each)) for each in refused] == [
            *[["payment_method_id"]] * 3,
            ["replace_with_id"],
        ]


class TestIds:
    async def test_of_nothing_are_not_found(self, rest: Rest, admins: Rest, nobodys: World) -> None:
        answers = {route.name: await ask(allowed(route, rest, admins), route, nobodys) for route in WITH_ID}

        assert {name: told(each) for name, each in answers.items()} == dict.fromkeys(
            answers, (404, "NOT_FOUND")
        )
        assert {tuple(faults(each)) for each in answers.values()} == {("id",)}

    async def test_that_are_none_are_not_found(self, rest: Rest, admins: Rest, nobodys: World) -> None:
        identity = UUID(nobodys.payment)
        texts = [text.format(UUID=identity, HEX=identity.hex) for text in MALFORMED]

        answers = {
            (route.name, text): told(await ask(allowed(route, rest, admins), route, nobodys, identity=text))
            for route in WITH_ID
            for text in texts
        }

        assert HEX_DIGITS.issuperset(identity.hex)
        assert answers == dict.fromkeys(answers, (404, "NOT_FOUND"))

    async def test_of_another_type_are_not_found(self, rest: Rest, admins: Rest, theirs: World) -> None:
        wrong = {
            "payment": theirs.subscription,
            "subscription": theirs.payment_method,
            "payment_method": theirs.payment,
        }

        answers = {
            route.name: told(
                await ask(allowed(route, rest, admins), route, theirs, identity=wrong[SAMPLES[route.name].of])
            )
            for route in WITH_ID
        }

        assert answers == dict.fromkeys(answers, (404, "NOT_FOUND"))


class TestQueries:
    async def test_with_unknown_or_repeated_parameters_are_refused(
        self, rest: Rest, admins: Rest, nobodys: World
    ) -> None:
        unknown, repeated = {}, {}
        for route in ROUTES:
            caller = allowed(route, rest, admins)
            unknown[route.name] = faults(await ask(caller, route, nobodys, params={"nonsense": "1"}))
            repeated[route.name] = faults(await ask(caller, route, nobodys, params={"x": ["1", "2"]}))

        assert unknown == {key: {"nonsense": "unknown"} for key in SAMPLES}
        assert repeated == {key: {"x": "repeated"} for key in SAMPLES}


class TestBodies:
    async def test_assign_nothing_that_is_not_theirs(
        self, rest: Rest, admins: Rest, theirs: World, database_url: str
    ) -> None:
        before = await contents_of(database_url, metadata)
        answers = {}
        for route in WITH_BODY:
            body = {**dict.fromkeys(ASSIGNED, "completed"), **_sample_body(route, theirs)}
            answers[route.name] = await ask(allowed(route, rest, admins), route, theirs, json=body)

        assert {each.status_code for each in answers.values()} == {422}
        assert {name: faults(each) for name, each in answers.items()} == dict.fromkeys(
            answers, dict.fromkeys(ASSIGNED, "unknown")
        )
        assert await contents_of(database_url, metadata) == before

    async def test_with_a_value_of_another_type_are_refused(
        self, rest: Rest, admins: Rest, nobodys: World
    ) -> None:
        answers, tried = {}, set()
        for route in WITH_BODY:
            for name, value in wrong_values(route):
                body = {**_sample_body(route, nobodys), name: value}
                answer = await ask(allowed(route, rest, admins), route, nobodys, json=body)
                answers[route.name, name, repr(value)] = answer.status_code, list(faults(answer))
                tried.add((route.name, name))

        assert answers == {key: (422, [key[1]]) for key in answers}
        assert tried == {(route.name, name) for route in WITH_BODY for name in _properties(route)}

    async def test_without_what_is_required_are_refused(
        self, rest: Rest, admins: Rest, nobodys: World
    ) -> None:
        answers = {
            route.name: faults(await ask(allowed(route, rest, admins), route, nobodys, json={}))
            for route in WITH_BODY
            if _schema(route).get("required")
        }

        assert answers == {
            route.name: dict.fromkeys(_schema(route)["required"], "required")
            for route in WITH_BODY
            if route.name in answers
        }
        assert len(answers) == 4

    async def test_that_are_not_one_json_object_are_bad_requests(
        self, rest: Rest, admins: Rest, nobodys: World
    ) -> None:
        answers = {
            (route.name, content[:24]): told(
                await ask(
                    allowed(route, rest, admins),
                    route,
                    nobodys,
                    content=content,
                    headers={"Content-Type": "application/json"},
                )
            )
            for route in WITH_BODY
            for content in NOT_ONE_OBJECT
        }

        assert answers == dict.fromkeys(answers, (400, "BAD_REQUEST"))

    async def test_of_another_media_type_are_not_read(self, rest: Rest, admins: Rest, nobodys: World) -> None:
        types = [
            "",
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/json; charset=latin-1",
            "application/jsonp",
        ]

        answers = {
            (route.name, kind): told(
                await ask(
                    allowed(route, rest, admins),
                    route,
                    nobodys,
                    content=json.dumps(_sample_body(route, nobodys)),
                    headers={"Content-Type": kind} if kind else {},
                )
            )
            for route in WITH_BODY
            for kind in types
        }

        assert answers == dict.fromkeys(answers, (415, "UNSUPPORTED_MEDIA_TYPE"))

    async def test_with_a_card_number_anywhere_are_bad_requests_and_never_written_down(
        self, rest: Rest, admins: Rest, theirs: World, database_url: str, events: Events
    ) -> None:
        hidden: list[dict[str, Any]] = [
            {"description": f"paid with {CARD}"},
            {"card": {"number": CARD.replace(" ", ""), "cvc": "123"}},
            {"metadata": {"deep": [{"down": CARD}]}},
            {CARD: "as a name"},
            {"amount": int(CARD.replace(" ", ""))},
        ]

        answers = [
            await ask(
                allowed(route, rest, admins), route, theirs, json={**_sample_body(route, theirs), **more}
            )
            for route in WITH_BODY
            for more in hidden
        ]

        assert {(each.status_code, *faults(each).values()) for each in answers} == {(400, "noCardNumber")}
        written = (
            str(events)
            + str(await contents_of(database_url, metadata))
            + "".join(each.text for each in answers)
        )
        assert CARD not in written
        assert CARD.replace(" ", "") not in written


class TestAddresses:
    async def test_are_the_same_with_a_slash_at_the_end(self, anonymous: Rest, nobodys: World) -> None:
        answers = {
            route.name: told(
                await anonymous.send(route.method, route.path.replace("{id}", nobodys.payment) + "/")
            )
            for route in ROUTES
        }

        assert answers == dict.fromkeys(SAMPLES, (401, "UNAUTHENTICATED"))

    async def test_of_stripes_events_are_no_payments(self, anonymous: Rest) -> None:
        answers = [await anonymous.send("POST", path) for path in ("/webhooks/stripe", "/webhooks/stripe/")]

        assert [each.status_code for each in answers] == [400, 400]
        assert {error_of(each)["code"] for each in answers} == {"BAD_REQUEST"}

    async def test_name_the_methods_that_they_take(self, rest: Rest, nobodys: World) -> None:
        for path in {route.path for route in ROUTES}:
            answer = await rest.http.patch(
                f"{BASE}{path.replace('{id}', nobodys.payment)}", headers=rest.headers
            )
            taken = set(answer.headers["allow"].split(", ")) - {"HEAD"}

            assert told(answer) == (405, "METHOD_NOT_ALLOWED")
            assert taken == {route.method for route in ROUTES if route.path == path}


def _sample_body(route: RestRoute, world: World) -> dict[str, Any]:
    body = SAMPLES[route.name].body
    assert body is not None
    return dict(body(world))


def _schema(route: RestRoute) -> dict[str, Any]:
    assert route.body is not None
    return route.body.model_json_schema()


def _properties(route: RestRoute) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = _schema(route)["properties"]
    return properties


def wrong_values(route: RestRoute) -> Iterator[tuple[str, Any]]:
    """Of each property, by the types that its schema names; what is no type is an enumeration of texts."""
    for name, described in _properties(route).items():
        types = {each.get("type", "string") for each in described.get("anyOf", [described])}
        values = [value for kind in types - {"null"} for value in WRONG[kind]]
        yield from ((name, value) for value in [*values, *([] if "null" in types else [None])])
