"""Pages of payments, and their cursors."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from domain.actor import Actor
from domain.payment import Payment
from domain.ports import Database
from tests.api import Api
from tests.gql.many_payments import PAGE, START, hexes, ids, page, payment_of


class TestPages:
    async def test_newest_come_first(self, api: Api, made: list[Payment]) -> None:
        assert ids(await page(api)) == hexes(made[::-1])

    async def test_edges_and_nodes_are_the_same_payments(self, api: Api, made: list[Payment]) -> None:
        found = await page(api)

        assert [edge["node"]["id"] for edge in found["edges"]] == ids(found)
        assert found["pageInfo"]["startCursor"] == found["edges"][0]["cursor"]
        assert found["pageInfo"]["endCursor"] == found["edges"][-1]["cursor"]

    @pytest.mark.parametrize("field", ["CREATED_AT", "UPDATED_AT", "AMOUNT", "STATUS"])
    @pytest.mark.parametrize("direction", ["ASC", "DESC"])
    async def test_walk_in_either_direction_meets_each_payment_once_in_order(
        self, api: Api, made: list[Payment], field: str, direction: str
    ) -> None:
        order = {"orderBy": [{"field": field, "direction": direction}]}
        whole = ids(await page(api, **order))

        forwards: list[str] = []
        after, more = None, True
        while more:
            part = await page(api, first=3, after=after, **order)
            forwards += ids(part)
            after, more = part["pageInfo"]["endCursor"], part["pageInfo"]["hasNextPage"]
        backwards: list[str] = []
        before, more = None, True
        while more:
            part = await page(api, last=3, before=before, **order)
            backwards = ids(part) + backwards
            before, more = part["pageInfo"]["startCursor"], part["pageInfo"]["hasPreviousPage"]

        assert sorted(whole) == sorted(hexes(made))
        assert forwards == backwards == whole
        keys = [(getattr(payment, field.lower()), payment.id.hex) for payment in by_id(made, whole)]
        assert keys == sorted(keys, reverse=direction == "DESC")

    async def test_tell_what_lies_before_and_after(self, api: Api, made: list[Payment]) -> None:
        first = await page(api, first=3)
        middle = await page(api, first=3, after=first["pageInfo"]["endCursor"])
        end = await page(api, last=1)

        around = [
            (part["pageInfo"]["hasPreviousPage"], part["pageInfo"]["hasNextPage"])
            for part in (first, middle, end)
        ]
        assert around == [(False, True), (True, True), (True, False)]

    async def test_of_nothing_is_empty(self, api: Api) -> None:
        assert await page(api) == {
            "edges": [],
            "nodes": [],
            "pageInfo": {
                "hasNextPage": False,
                "hasPreviousPage": False,
                "startCursor": None,
                "endCursor": None,
            },
        }

    async def test_a_payment_made_meanwhile_moves_nothing(
        self, api: Api, made: list[Payment], database: Database, actor: Actor
    ) -> None:
        first = await page(api, first=3)
        async with database.work() as work:
            await work.payments.add(payment_of(actor, at=START + timedelta(days=1), amount=5, number=1))

        rest = await page(api, first=10, after=first["pageInfo"]["endCursor"])

        assert ids(first) + ids(rest) == hexes(made[::-1])


def by_id(payments: list[Payment], order: list[str]) -> list[Payment]:
    return sorted(payments, key=lambda payment: order.index(f"pay_{payment.id.hex}"))


def forged(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


class TestRefusedPages:
    @pytest.mark.parametrize(
        ("given", "argument"),
        [
            ({"first": 0}, "first"),
            ({"first": -1}, "first"),
            ({"first": 101}, "first"),
            ({"first": 1000}, "first"),
            ({"first": 2**31 - 1}, "first"),
            ({"last": 0}, "last"),
            ({"last": 101}, "last"),
            ({"first": 1, "last": 1}, "last"),
            ({"first": 1, "before": "x"}, "last"),
            ({"orderBy": [{}, {}]}, "orderBy"),
        ],
    )
    async def test_for_a_size_or_a_mixture_that_is_not_allowed(
        self, api: Api, given: dict[str, Any], argument: str
    ) -> None:
        [error] = (await api.answer(PAGE, given))["errors"]

        assert error["extensions"]["code"] == "INVALID_INPUT"
        assert error["extensions"]["argument"] == [argument]
        assert error["extensions"]["retry"] == "SAME_KEY"

    @pytest.mark.parametrize(
        "cursor",
        [
            "",
            "nonsense",
            "ä€",
            "=",
            "A" * 100_000,
            forged(),
            forged("payments:created_at:DESC", "2026-03-01", "00" * 16),
            forged("payments:created_at:DESC", "2026-03-01T12:00:00", "00" * 16),
            forged("payments:created_at:DESC", 17, "00" * 16),
            forged("payments:created_at:DESC", None, "00" * 16),
            forged("payments:created_at:DESC", "2026-03-01T12:00:00Z", "zz"),
            forged("payments:created_at:DESC", "2026-03-01T12:00:00Z", 17),
            forged("payments:created_at:DESC", "2026-03-01T12:00:00Z", "00" * 16, 1),
            forged("payments:created_at:ASC", "2026-03-01T12:00:00Z", "00" * 16),
            forged("payments:created_at:DESC", "0001-01-01T00:00:00+14:00", "00" * 16),
            forged("payments:amount:DESC", 1000, "00" * 16),
            base64.urlsafe_b64encode(b"[" * 380).decode(),
            base64.urlsafe_b64encode(b"\xff\xfe\x00").decode(),
        ],
    )
    @pytest.mark.parametrize("argument", ["after", "before"])
    async def test_for_a_malformed_or_foreign_cursor(self, api: Api, cursor: str, argument: str) -> None:
        [error] = (await api.answer(PAGE, {argument: cursor}))["errors"]

        assert error["extensions"]["code"] == "INVALID_INPUT"
        assert error["extensions"]["argument"] == [argument]

    @pytest.mark.parametrize("value", [2**63, -(2**63), 1.5, True, "1000", 10**400])
    async def test_for_a_cursor_whose_value_the_column_cannot_hold(self, api: Api, value: object) -> None:
        given = {"after": forged("payments:amount:DESC", value, "00" * 16), "orderBy": [{"field": "AMOUNT"}]}

        assert await api.refusals(PAGE, given) == ["INVALID_INPUT"]
