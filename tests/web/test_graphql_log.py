"""What the access log says of a GraphQL request."""

from typing import Any

import httpx2
import pytest

from domain.actor import Actor
from tests.api import EURO, GRAPHQL, fresh_key, mutation_document
from tests.parts import bearer
from tests.web.in_process import Events
from web.summaries import LONGEST_NAME

CARD = "4242424242424242"


def line_of(events: Events) -> dict[str, Any]:
    [line] = [dict(event) for event in events if event["event"] == "http.request"]
    return line


class TestGraphqlInAccessLog:
    async def test_is_told_by_name_kind_and_cost(
        self, http: httpx2.AsyncClient, actor: Actor, events: Events
    ) -> None:
        await http.post(GRAPHQL, json={"query": "query Wallet { viewer { id } }"}, headers=bearer(actor))

        line = line_of(events)
        assert line["operation"] == "Wallet"
        assert line["operation_kind"] == "query"
        assert line["cost"] == 2
        assert line["user_id"] == str(actor.user_id)
        assert {"errors", "error_codes", "slow"}.isdisjoint(line)

    async def test_counts_errors_of_the_answer_and_of_its_payloads(
        self, http: httpx2.AsyncClient, actor: Actor, events: Events
    ) -> None:
        document = mutation_document("createPayment", "errors { code }")
        given = {"idempotencyKey": fresh_key(), "charge": EURO}
        await http.post(
            GRAPHQL, json={"query": document, "variables": {"input": given}}, headers=bearer(actor)
        )

        line = line_of(events)
        assert line["operation_kind"] == "mutation"
        assert line["errors"] == 1
        assert line["error_codes"] == ["INVALID_INPUT"]

    @pytest.mark.parametrize(
        "document", ["{", "{ nonsense }", "query A { viewer { id } } query B { viewer { id } }"]
    )
    async def test_request_without_a_clear_operation_has_neither_name_nor_cost(
        self, http: httpx2.AsyncClient, events: Events, document: str
    ) -> None:
        await http.post(GRAPHQL, json={"query": document})

        line = line_of(events)
        assert line["operation_kind"] == "unknown"
        assert line["cost"] == 0
        assert line["errors"] >= 1
        assert "operation" not in line

    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("sk_live_abcdefghijkl", "[redacted]"),
            ("A" * 5000, "A" * LONGEST_NAME),
        ],
    )
    async def test_name_is_bounded_and_redacted(
        self, http: httpx2.AsyncClient, events: Events, name: str, shown: str
    ) -> None:
        await http.post(GRAPHQL, json={"query": f"query {name} {{ currencies {{ code }} }}"})

        assert line_of(events)["operation"] == shown

    async def test_name_with_a_card_number_is_not_told(
        self, http: httpx2.AsyncClient, events: Events
    ) -> None:
        """Its document is refused before anything is read of it."""
        await http.post(GRAPHQL, json={"query": f"query Pay_{CARD} {{ currencies {{ code }} }}"})

        assert CARD not in str(line_of(events))
