"""Payments as old callers collect and read them."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest

from gateway.wiring import Gateway
from sandbox import Sandbox
from sandbox.control.faults import Kind, Rule
from tests.api import Api, fresh_key
from tests.domain.faults import resumed_later
from tests.rest import EURO, Rest, error_of, faults


def spoil(sandbox: Sandbox, path: str) -> None:
    """Until the faults are cleared."""
    sandbox.faults.add([Rule(path=re.compile(path), kind=Kind.HTML, method=None, times=None)])


class TestCreate:
    async def test_collects_a_payment_and_says_where_it_is(self, rest: Rest) -> None:
        await rest.add_card()

        made = await rest.pay(description="Film", metadata={"order": 17})

        payment = made.json()["data"]
        assert made.status_code == 201
        assert (payment["status"], payment["status_detail"]) == ("completed", "COMPLETED")
        assert (payment["amount"], payment["currency"], payment["amount_captured"]) == (1250, "EUR", 1250)
        assert (payment["description"], payment["metadata"]) == ("Film", {"order": 17})
        assert payment["payment_method"]["last4"] == "4242"
        assert (await rest.http.get(made.headers["location"], headers=rest.headers)).json()["data"] == payment

    async def test_is_in_dollars_where_no_currency_is_named(self, rest: Rest) -> None:
        await rest.add_card()

        made = await rest.post("/", {"amount": 500})

        assert made.json()["data"]["currency"] == "USD"

    async def test_without_a_key_is_refused_the_second_time_unless_it_is_meant(
        self, rest: Rest, sandbox: Sandbox
    ) -> None:
        await rest.add_card()

        first, second = [await rest.post("", EURO) for _ in range(2)]
        meant = await rest.post("", {**EURO, "allow_duplicate": True})
        other = await rest.post("", {**EURO, "amount": 1300})

        error = error_of(second)
        assert [each.status_code for each in (first, second, meant, other)] == [201, 409, 201, 201]
        assert (error["code"], error["existing_id"]) == ("DUPLICATE_SUSPECTED", first.json()["data"]["id"])
        assert "idempotency key" in error["message"]
        assert sandbox.ledger()["totals"]["captures"] == 3
        assert "idempotency-key" not in first.headers

    async def test_without_a_key_is_refused_as_long_as_nobody_knows_of_the_first(
        self, rest: Rest, sandbox: Sandbox, gateway: Gateway, impatient: None
    ) -> None:
        await rest.add_card()
        spoil(sandbox, "/payment_intents")
        unknown = await rest.post("", EURO)
        await made_an_hour_ago(gateway, unknown)

        second = await rest.post("", EURO)

        sandbox.faults.clear()
        await resumed_later(gateway)
        assert (unknown.status_code, second.status_code) == (202, 409)
        assert error_of(second)["existing_id"] == unknown.json()["data"]["id"]
        assert sandbox.ledger()["totals"]["captures"] == 1

    async def test_without_a_key_is_another_one_after_a_while(
        self, rest: Rest, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        await rest.add_card()
        await made_an_hour_ago(gateway, await rest.post("", EURO))

        later = await rest.post("", EURO)

        assert later.status_code == 201
        assert sandbox.ledger()["totals"]["captures"] == 2

    async def test_of_a_declined_card_shows_the_failed_payment(self, rest: Rest) -> None:
        card = await rest.add_card("pm_card_chargeCustomerFail")

        declined = await rest.pay(payment_method_id=card)

        error = error_of(declined)
        assert (declined.status_code, error["code"]) == (402, "DECLINED")
        assert error["decline"]["customer_message"] == error["message"]
        assert error["resource"]["status"] == "failed"
        assert (await rest.data(f"/{error['resource']['id']}"))["decline"] == error["decline"]

    async def test_that_a_bank_must_approve_is_accepted_with_what_to_do(
        self, rest: Rest, admins: Rest
    ) -> None:
        card = await rest.add_card("pm_card_authenticationRequired")

        waiting = await rest.pay(payment_method_id=card)

        payment = waiting.json()["data"]
        assert waiting.status_code == 202
        assert (payment["status"], payment["status_detail"]) == ("pending", "REQUIRES_ACTION")
        assert payment["next_action"]["client_secret"]
        assert (await rest.data(f"/{payment['id']}"))["next_action"] == payment["next_action"]
        assert (await admins.data(f"/{payment['id']}"))["next_action"]["client_secret"] is None

    @pytest.mark.usefixtures("impatient")
    async def test_of_which_nobody_knows_is_accepted_and_found_under_the_same_key(
        self, rest: Rest, sandbox: Sandbox
    ) -> None:
        await rest.add_card()
        key = fresh_key()
        spoil(sandbox, "/payment_intents$")

        unknown = await rest.pay(key=key)
        sandbox.faults.clear()
        settled = await rest.pay(key=key)

        assert (unknown.status_code, settled.status_code) == (202, 200)
        assert (unknown.json()["data"]["status"], unknown.json()["meta"]["outcome_known"]) == (
            "pending",
            False,
        )
        assert int(unknown.headers["retry-after"]) > 0
        assert settled.json()["data"]["id"] == unknown.json()["data"]["id"]
        assert settled.json()["data"]["status"] == "completed"

    @pytest.mark.usefixtures("impatient")
    async def test_that_never_began_is_unavailable(self, rest: Rest, sandbox: Sandbox) -> None:
        spoil(sandbox, "/customers")

        unavailable = await rest.pay()

        assert (unavailable.status_code, error_of(unavailable)["code"]) == (503, "PROVIDER_UNAVAILABLE")
        assert int(unavailable.headers["retry-after"]) > 0


class TestKeys:
    async def test_the_same_again_is_a_replay(self, rest: Rest, sandbox: Sandbox) -> None:
        await rest.add_card()
        key = fresh_key()

        first, again = [await rest.pay(key=key) for _ in range(2)]

        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json()["data"] == again.json()["data"]
        assert (first.headers.get("idempotent-replayed"), again.headers["idempotent-replayed"]) == (
            None,
            "true",
        )
        assert (first.headers["idempotency-key"], again.headers["idempotency-key"]) == (key, key)
        assert again.json()["meta"] == {"replayed": True, "outcome_known": True}
        assert sandbox.ledger()["totals"]["captures"] == 1

    async def test_a_decline_is_replayed_as_one(self, rest: Rest, sandbox: Sandbox) -> None:
        card, key = await rest.add_card("pm_card_chargeCustomerFail"), fresh_key()

        first, again = [await rest.pay(key=key, payment_method_id=card) for _ in range(2)]

        assert (first.status_code, again.status_code) == (402, 402)
        assert error_of(again)["resource"] == error_of(first)["resource"]
        assert again.headers["idempotent-replayed"] == "true"

    async def test_of_another_input_names_what_differs(self, rest: Rest) -> None:
        await rest.add_card()
        key = fresh_key()
        await rest.pay(key=key)

        reused = await rest.pay(key=key, amount=1300, metadata={"another": "order"})

        assert (reused.status_code, error_of(reused)["code"]) == (422, "KEY_REUSED")
        assert faults(reused) == {"amount": "DIFFERENT", "metadata": "DIFFERENT"}

    async def test_used_by_graphql_first_is_one_payment(self, rest: Rest, api: Api) -> None:
        await rest.add_card()
        key = fresh_key()
        first = await api.pay("uuid", idempotencyKey=key)

        again = await rest.pay(key=key)

        assert (again.status_code, again.json()["data"]["id"]) == (200, first["uuid"])

    async def test_that_is_none_is_refused(self, rest: Rest) -> None:
        keys = ["short", "x" * 256, "tab\tinside it", ""]

        refused = [await rest.post("", EURO, key=key) for key in keys]

        assert {each.status_code for each in refused} == {422}
        assert [faults(each) for each in refused] == [{"idempotency_key": "idempotencyKey"}] * 4

    async def test_that_is_a_card_number_is_a_bad_request(self, rest: Rest) -> None:
        refused = await rest.pay(key="4242424242424242")

        assert (refused.status_code, faults(refused)) == (400, {"idempotency_key": "noCardNumber"})
        assert "idempotency-key" not in refused.headers

    async def test_sent_twice_is_refused(self, rest: Rest) -> None:
        headers = [*rest.headers.items(), ("Idempotency-Key", fresh_key()), ("Idempotency-Key", fresh_key())]

        refused = await rest.http.post("/api/v1/payments", json=EURO, headers=headers)

        assert (refused.status_code, faults(refused)) == (422, {"idempotency_key": "repeated"})


class TestRead:
    async def test_takes_either_form_of_the_id(self, rest: Rest) -> None:
        await rest.add_card()
        payment = await rest.paid()
        digits = payment["id"].replace("-", "")

        forms = [payment["id"], payment["id"].upper(), f"pay_{digits}", f"{payment['id']}/"]

        assert [(await rest.data(f"/{form}"))["id"] for form in forms] == [payment["id"]] * 4

    async def test_tells_nothing_that_is_known_already(self, rest: Rest) -> None:
        await rest.add_card()
        payment = await rest.paid()
        tag = (await rest.get(f"/{payment['id']}")).headers["etag"]

        answers = [await known(rest, payment, tags) for tags in (tag, tag[2:], f'"0", {tag}', "*")]

        assert [(each.status_code, each.content, each.headers["etag"]) for each in answers] == [
            (304, b"", tag)
        ] * 4

    async def test_tells_what_has_changed_since(self, rest: Rest, admins: Rest) -> None:
        await rest.add_card()
        payment = await rest.paid()
        tag = (await rest.get(f"/{payment['id']}")).headers["etag"]
        await admins.post(f"/{payment['id']}/refund", {"reason": "goodwill"})

        answers = [await known(rest, payment, tags) for tags in (tag, "not a tag", '"')]

        assert [each.status_code for each in answers] == [200] * 3
        assert answers[0].json()["data"]["status"] == "refunded"
        assert answers[0].headers["etag"] != tag

    async def test_needs_no_stripe_that_is_well(self, rest: Rest, sandbox: Sandbox, impatient: None) -> None:
        card = await rest.add_card("pm_card_authenticationRequired")
        payment = (await rest.pay(payment_method_id=card)).json()["data"]
        spoil(sandbox, "/payment_intents")

        read = await rest.get(f"/{payment['id']}")

        assert (read.status_code, read.json()["data"]["next_action"]) == (200, None)
        assert read.headers["retry-after"] == "5"
        assert "etag" not in read.headers

    async def test_tells_what_the_customer_must_do_to_whoever_knows_the_rest(
        self, rest: Rest, sandbox: Sandbox
    ) -> None:
        card = await rest.add_card("pm_card_authenticationRequired")
        waiting = await rest.pay(payment_method_id=card)
        payment, tag = waiting.json()["data"], waiting.headers["etag"]

        read = await known(rest, payment, tag)

        assert (read.status_code, read.headers["etag"]) == (200, tag)
        assert read.json()["data"]["next_action"] == payment["next_action"]


async def made_an_hour_ago(gateway: Gateway, response: httpx2.Response) -> None:
    payment_id = UUID(response.json()["data"]["id"])
    async with gateway.services.database.work() as work:
        payment = await work.payments.lock(payment_id)
        assert payment is not None
        await work.payments.save(replace(payment, created_at=payment.created_at - timedelta(hours=1)))


async def known(rest: Rest, payment: dict[str, Any], tags: str) -> httpx2.Response:
    return await rest.send("GET", f"/{payment['id']}", headers={"If-None-Match": tags})
