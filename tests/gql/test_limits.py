import time

import pytest
from graphql import GraphQLObjectType, get_introspection_query, get_named_type

from gql.costs import COSTS
from gql.documents import Documents
from gql.executor import SCHEMA
from gql.explorer.page import stories
from gql.limits import Limits

DEEPEST, MOST_COST = 30, Limits().cost
SPACIOUS = Limits(aliases=1000, root_fields=1000, mutations=1000, depth=DEEPEST)
"""Where depth and cost alone are in question."""


@pytest.fixture
def documents() -> Documents:
    return Documents(SCHEMA, SPACIOUS)


def messages(documents: Documents, document: str) -> list[str]:
    return [error.message for error in documents.get(document).errors]


def many(field: str, count: int, *, name: str = "a") -> str:
    """The field under so many names."""
    return " ".join(f"{name}{at}: {field}" for at in range(count))


def chained(levels: int, times: int) -> str:
    """Fragments of which each asks `times` times for the next one."""
    return (
        " ".join(
            f"fragment f{at} on Payment {{ "
            + " ".join(f"a{each}: billingAccount {{ ...g{at} }}" for each in range(times))
            + f" }} fragment g{at} on BillingAccount {{ payments(first: 1) {{ nodes {{ ...f{at + 1} }} }} }}"
            for at in range(levels)
        )
        + f" fragment f{levels} on Payment {{ id }} {{ payments(first: 1) {{ nodes {{ ...f0 }} }} }}"
    )


PAGES = "billingAccount { payments(first: 100) { nodes { "

SETUP = "startPaymentMethodSetup(input: {}) { setup { id clientSecret } errors { code message } }"

COSTLY = {
    "pages in pages": f"{{ payments(first: 100) {{ nodes {{ {PAGES * 2} id {'} } } ' * 2} }} }} }}",
    "pages of unknown size in pages": """query($first: Int) { payments(first: $first) { nodes {
        billingAccount { payments(first: $first) { totalCount nodes { id } } } } } }""",
    "questions to Stripe for each node": "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Payment { "
    + many("nextAction { kind }", 3)
    + " } } }",
    "very many fields of a large page": "{ payments(first: 100) { nodes { " + many("id", 110) + " } } }",
    "lists in lists": "{ payments(first: 50) { nodes { billingAccount { "
    + many("paymentMethods { id last4 }", 11)
    + " } } } }",
    "six mutations": "mutation { " + many(SETUP, 6) + " }",
    "mutations in fragments": "mutation { ...a ...b } fragment a on Mutation { "
    + many(SETUP, 3)
    + " } fragment b on Mutation { "
    + many(SETUP, 3, name="b")
    + " }",
    "110 counts": "{ " + many("payments(first: 1) { totalCount }", 110) + " }",
    "110 counts of subscriptions": "{ " + many("subscriptions(first: 1) { totalCount }", 110) + " }",
    "lists below the largest page": "{ subscriptions(first: 100) { nodes { "
    + many("payments(first: 1) { nodes { id } }", 2)
    + " } } }",
    "40 fresh previews": """query($key: IdempotencyKey!) {
        operation(mutation: "changePlan", idempotencyKey: $key) { errors { ... on PreviewStaleError { """
    + many("fresh { id }", 40)
    + " } } } }",
    "ten hundred statements about access": "query($targets: [AccessTarget!]!) { "
    + many('access(userId: "u", targets: $targets) { allowed token }', 10)
    + " }",
    "doubling fragments": chained(5, times=4),
}

USUAL = {
    "a page of 100 with what belongs to it": """{ payments(first: 100) {
        edges { cursor node {
            id uuid status amount { minor decimal currency } capturedAmount { minor } description createdAt
            paymentMethod { last4 brand } paymentMethodSnapshot { last4 brand } decline { code category }
            billingAccount { id user { id } paymentMethods { id last4 } }
        } }
        pageInfo { hasNextPage endCursor } totalCount
    } }""",
    "a hundred nodes": "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Payment { status amount { minor } } } }",
    "a hundred statements about access": """query($userId: ID!, $targets: [AccessTarget!]!) {
        access(userId: $userId, targets: $targets) {
            allowed reason explanation until remedies evaluatedAt token source { __typename }
        } }""",
    "five mutations": "mutation { " + many(SETUP, 5) + " }",
    "introspection": get_introspection_query(input_value_deprecation=True),
    "fragments as deep as components": " ".join(
        f"fragment f{at} on Payment {{ id ...f{at + 1} }}" for at in range(DEEPEST - 5)
    )
    + f" fragment f{DEEPEST - 5} on Payment {{ id }} {{ payments(first: 1) {{ nodes {{ ...f0 }} }} }}",
}


class TestLimits:
    @pytest.mark.parametrize("name", COSTLY)
    def test_refuse_what_is_too_costly(self, documents: Documents, name: str) -> None:
        assert f"This asks for more than a cost of {MOST_COST} at once." in messages(documents, COSTLY[name])

    @pytest.mark.parametrize("name", USUAL)
    def test_allow_what_apps_ask_for(self, documents: Documents, name: str) -> None:
        assert messages(documents, USUAL[name]) == []

    def test_allow_all_stories(self, documents: Documents) -> None:
        assert [messages(documents, story.query) for story in stories()] == [[]] * len(stories())

    def test_price_every_list_and_every_count(self) -> None:
        fields = [
            (f"{name}.{field_name}", get_named_type(field.type).name)
            for name, kind in SCHEMA.type_map.items()
            if isinstance(kind, GraphQLObjectType)
            for field_name, field in kind.fields.items()
        ]
        dear = {where for where, of in fields if of.endswith("Connection") or where.endswith(".totalCount")}

        assert dear <= COSTS.keys()

    @pytest.mark.parametrize("coordinate", COSTS)
    def test_price_nothing_that_is_not_there(self, coordinate: str) -> None:
        type_name, _, field_name = coordinate.partition(".")

        kind = SCHEMA.get_type(type_name)

        assert isinstance(kind, GraphQLObjectType)
        assert not field_name or field_name in kind.fields

    @pytest.mark.parametrize(
        "document",
        [
            "{ viewer { " + "... { " * DEEPEST + "id" + " }" * DEEPEST + " } }",
            " ".join(f"fragment f{at} on BillingAccount {{ ...f{at + 1} }}" for at in range(40))
            + " fragment f40 on BillingAccount { id } { viewer { ...f0 } }",
            chained(DEEPEST, times=1),
        ],
        ids=["inline fragments", "a chain of fragments", "fields"],
    )
    def test_refuse_what_is_too_deep(self, documents: Documents, document: str) -> None:
        assert messages(documents, document) == [f"This is nested more than {DEEPEST} levels deep."]

    def test_measure_each_fragment_once(self, documents: Documents) -> None:
        began = time.perf_counter()

        refused = messages(documents, chained(12, times=12))

        assert refused
        assert time.perf_counter() - began < 5  # 12^12 written-out fragments would take years.

    def test_leave_cycles_and_unknown_names_to_other_rules(self, documents: Documents) -> None:
        cycle = (
            "{ viewer { ...a } } fragment a on BillingAccount { ...b } fragment b on BillingAccount { ...a }"
        )
        unknown = "{ viewer { ...nowhere nothing { id } ... on Nothing { id } } nothing { id } }"

        assert messages(documents, cycle) == ["Cannot spread fragment 'a' within itself via 'b'."]
        assert len(messages(documents, unknown)) == 4

    @pytest.mark.parametrize("size", ["-1", "0", "99999999999", "1.5", '"1"', "null"])
    def test_leave_sizes_that_are_none_to_others(self, documents: Documents, size: str) -> None:
        errors = messages(documents, f"{{ payments(first: {size}) {{ totalCount }} }}")

        assert not any("cost" in message for message in errors)


def overloaded(**most: int) -> Documents:
    return Documents(SCHEMA, Limits(**most))


REPEATED = "{ viewer { " + "user { id } " * 400 + "} }"

EXACT = {
    "aliases": (2, "{ a: viewer { b: id } }", "{ a: viewer { b: id } ... { c: __typename } }"),
    "root_fields": (3, "{ ...f c: __typename } fragment f on Query { a: __typename b: __typename }", None),
    "mutations": (2, f"mutation {{ {many(SETUP, 2)} }}", f"mutation {{ {many(SETUP, 3)} }}"),
    "directives": (
        1,
        "query A($a: Boolean!) { ...f @include(if: $a) } fragment f on Query { __typename @skip(if: $a) }",
        "{ __typename @include(if: true) @skip(if: true) }",
    ),
    "depth": (2, "{ viewer { id } }", "{ viewer { user { id } } }"),
    "cost": (11, "{ currencies { code } }", "{ currencies { code exponent } }"),
}
"""Of each limit what is just within it, and what is not any more."""


class TestEachLimit:
    @pytest.mark.parametrize("name", EXACT)
    def test_allows_what_is_within_it(self, name: str) -> None:
        most, within, _ = EXACT[name]

        assert messages(overloaded(**{name: most}), within) == []

    @pytest.mark.parametrize("name", EXACT)
    def test_refuses_what_is_beyond_it_and_says_what_it_is(self, name: str) -> None:
        most, within, beyond = EXACT[name]
        documents = overloaded(**{name: most if beyond else most - 1})

        [error] = documents.get(beyond or within).errors

        assert error.extensions is not None
        assert error.extensions["code"] == "GRAPHQL_LIMIT_EXCEEDED"
        assert error.extensions["limit"] == ("rootFields" if name == "root_fields" else name)
        assert error.extensions["asked"] > error.extensions["most"]
        assert error.locations

    def test_of_errors_is_what_is_told_at_once(self) -> None:
        errors = overloaded(errors=2).get("{ a b c d e }").errors

        assert len(errors) == 3
        assert "error limit reached" in errors[-1].message

    def test_is_told_before_other_rules_have_read_the_document(self) -> None:
        [error] = overloaded(aliases=1).get("{ a: nothing b: nothing c: nothing }").errors

        assert error.message == "This document has more than 1 aliases."

    def test_of_repeated_fields_is_told_as_one(self, documents: Documents) -> None:
        [error] = documents.get(REPEATED).errors

        assert error.extensions == {"code": "GRAPHQL_LIMIT_EXCEEDED", "limit": "fields"}

    def test_tells_no_number_that_json_cannot_hold(self, documents: Documents) -> None:
        doubling = " ".join(f"fragment f{at} on Query {{ ...f{at + 1} ...f{at + 1} }}" for at in range(15))
        far = " ".join(
            ["fragment f15 on Query {", *["viewer { id }"] * 100, "}", doubling, "{", "...f0 " * 90, "}"]
        )

        errors = overloaded(cost=10).get(far).errors

        assert errors[0].extensions is not None
        assert 10 < errors[0].extensions["asked"] < 2**53


class TestEmptySelections:
    @pytest.mark.parametrize(
        "document", ["{}", "{ viewer {} }", "{ ...f } fragment f on Query {}", "{ ... {} }", "mutation {}"]
    )
    def test_are_measured_as_nothing(self, documents: Documents, document: str) -> None:
        assert documents.get(document).cost(None) in {0, 1}


class TestIntrospection:
    def test_costs_what_its_lists_hold(self, documents: Documents) -> None:
        costs = [
            documents.get(f"{{ __schema {{ types {{ {inner} }} }} }}").cost(None)
            for inner in ("name", "fields { name }", "fields { type { fields { name } } }")
        ]

        assert all(isinstance(cost, int) for cost in costs)
        assert costs == sorted(set(costs))  # type: ignore[type-var]  # They are numbers, as was just said.

    def test_is_refused_where_it_would_hold_up_everybody(self, documents: Documents) -> None:
        aliased = "{ __schema { " + many("types { fields { type { fields { name } } } }", 30) + " } }"

        assert f"This asks for more than a cost of {MOST_COST} at once." in messages(documents, aliased)
