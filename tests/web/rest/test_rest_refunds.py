"""Refunds, over the REST API."""

from typing import Any

import pytest

from gateway.wiring import Gateway
from sandbox import Sandbox
from sandbox.control.faults import Kind
from tests.api import fresh_key
from tests.domain.faults import spoil
from tests.gql.disputing import disputed_by_its_bank
from tests.rest import Rest, error_of, faults


@pytest.fixture
async def paid(rest: Rest) -> dict[str, Any]:
    """A payment of 12.50 EUR."""
    await rest.add_card()
    return await rest.paid()


class TestRefund:
    async def test_gives_a_part_back_and_then_the_rest(
        self, rest: Rest, admins: Rest, paid: dict[str, Any]
    ) -> None:
        path = f"/{paid['id']}/refund"

        part = await admins.post(path, {"amount": 250, "reason": "goodwill", "note": "Cold coffee"})
        rest_of_it = await admins.post(path, {"reason": "customer_request"})

        refund = part.json()["data"]
        assert (part.status_code, rest_of_it.status_code) == (201, 201)
        assert (refund["amount"], refund["currency"], refund["status"]) == (250, "EUR", "succeeded")
        assert (refund["reason"], refund["note"], refund["payment_id"]) == (
            "goodwill",
            "Cold coffee",
            paid["id"],
        )
        assert rest_of_it.json()["data"]["amount"] == 1000
        after = await rest.data(f"/{paid['id']}")
        assert (after["status"], after["amount_refunded"], after["amount_refundable"]) == (
            "refunded",
            1250,
            0,
        )

    async def test_of_more_than_is_left_is_a_conflict(self, admins: Rest, paid: dict[str, Any]) -> None:
        refused = await admins.post(f"/{paid['id']}/refund", {"amount": 1251, "reason": "other"})

        assert (refused.status_code, faults(refused)) == (409, {"amount": "AMOUNT_OUT_OF_RANGE"})
        assert error_of(refused)["maximum"] == 1250

    async def test_of_a_disputed_payment_is_a_conflict(
        self, admins: Rest, paid: dict[str, Any], gateway: Gateway, sandbox: Sandbox
    ) -> None:
        await disputed_by_its_bank(gateway, sandbox, f"pay_{paid['id'].replace('-', '')}")

        refused = await admins.post(f"/{paid['id']}/refund", {"reason": "other"})

        assert (refused.status_code, error_of(refused)["code"]) == (409, "DISPUTED")

    async def test_without_a_key_is_refused_the_second_time(
        self, admins: Rest, paid: dict[str, Any], sandbox: Sandbox
    ) -> None:
        asked, path = {"amount": 100, "reason": "other"}, f"/{paid['id']}/refund"

        first, second = [await admins.post(path, asked) for _ in range(2)]
        other = await admins.post(path, {**asked, "amount": 101})
        meant = await admins.post(path, asked, key=fresh_key())

        error = error_of(second)
        assert [each.status_code for each in (first, second, other, meant)] == [201, 409, 201, 201]
        assert (error["code"], error["existing_id"]) == ("DUPLICATE_SUSPECTED", first.json()["data"]["id"])
        assert "Send an Idempotency-Key" in error["message"]
        assert sandbox.ledger()["totals"]["refunds"] == 3

    async def test_without_a_key_is_refused_while_the_same_is_not_known(
        self, admins: Rest, paid: dict[str, Any], sandbox: Sandbox, impatient: None
    ) -> None:
        asked, path = {"amount": 100, "reason": "other"}, f"/{paid['id']}/refund"
        spoil(sandbox, "/v1/refunds", Kind.ERROR_BEFORE)

        unknown, second = [await admins.post(path, asked) for _ in range(2)]

        assert (unknown.status_code, second.status_code) == (202, 409)
        assert error_of(second)["code"] == "DUPLICATE_SUSPECTED"

    async def test_under_the_same_key_is_a_replay(
        self, admins: Rest, paid: dict[str, Any], sandbox: Sandbox
    ) -> None:
        asked, key = {"amount": 100, "reason": "other"}, fresh_key()

        first, again = [await admins.post(f"/{paid['id']}/refund", asked, key=key) for _ in range(2)]

        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json()["data"] == again.json()["data"]
        assert sandbox.ledger()["totals"]["refunds"] == 1
