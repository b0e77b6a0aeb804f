"""A user saves a card and pays, over HTTP, against real processes."""

import asyncio
from collections import Counter
from typing import Any

from domain.actor import Actor
from tests.acceptance.world import World
from tests.api import EURO, Api, fresh_key
from tests.waiting import until

INBOX = """SELECT status FROM inbox_events
WHERE payload::jsonb #>> '{data,object,metadata,user_id}' = $1 AND type = 'payment_intent.succeeded'"""


class TestPaying:
    async def test_completes_and_the_webhook_is_handled_by_the_worker(
        self, shared_world: World, api: Api, user: Actor
    ) -> None:
        card = await api.add_card()

        payment = await api.pay("status capturedAmount { minor } paymentMethod { id }")

        assert payment == {
            "status": "COMPLETED",
            "capturedAmount": {"minor": 1250},
            "paymentMethod": {"id": card},
        }

        async def is_handled() -> bool:
            events = await shared_world.rows(INBOX, str(user.user_id))
            return [event["status"] for event in events] == ["HANDLED"]

        await until(is_handled)

    async def test_with_3_d_secure_completes_by_webhook_once_the_bank_has_its_answer(
        self, shared_world: World, api: Api
    ) -> None:
        card = await api.add_card("pm_card_authenticationRequired")
        payment = await api.pay(
            "id status nextAction { kind redirectUrl }",
            paymentMethodId=card,
            returnUrl="https://shop.example/",
        )
        assert (payment["status"], payment["nextAction"]["kind"]) == ("REQUIRES_ACTION", "REDIRECT")

        answered = await shared_world.control.post(
            payment["nextAction"]["redirectUrl"], data={"outcome": "complete"}
        )

        async def is_completed() -> bool:
            asked = "query($id: ID!) { payment(id: $id) { status } }"
            return bool((await api.run(asked, {"id": payment["id"]}))["payment"]["status"] == "COMPLETED")

        assert answered.status_code == 303
        await until(is_completed)


class TestFiftyAtOnce:
    async def test_with_one_key_capture_once_and_agree(self, shared_world: World, api: Api) -> None:
        await api.add_card()
        before = await shared_world.captures()
        given = {"idempotencyKey": fresh_key(), "charge": EURO}
        document = """mutation($input: CreatePaymentInput!) { createPayment(input: $input) {
            payment { id } errors { code ... on IdempotencyError { first { resource { id } } } }
        } }"""

        answers = await asyncio.gather(*(api.post(document, {"input": given}) for _ in range(50)))

        payloads = [answer.json()["data"]["createPayment"] for answer in answers]
        codes = Counter(error["code"] for payload in payloads for error in payload["errors"])
        assert {answer.status_code for answer in answers} == {200}
        assert len({named(payload) for payload in payloads}) == 1
        assert codes.keys() <= {"KEY_IN_PROGRESS"}
        assert await shared_world.captures() == before + 1
        assert await api.codes("createPayment", given) == []


def named(payload: dict[str, Any]) -> str:
    """The payment that an answer is about, be it there or still on its way."""
    payment: str = (payload["payment"] or payload["errors"][0]["first"]["resource"])["id"]
    return payment


class TestCardNumbers:
    NUMBER = "4242424242424242"
    SPELLINGS = (NUMBER, "4242 4242 4242 4242", "4242-4242-4242-4242")

    async def test_are_refused_in_every_text_and_found_in_no_log_and_no_table(
        self, shared_world: World, api: Api
    ) -> None:
        card = await api.add_card()
        payment = (await api.pay(captureMethod="MANUAL"))["id"]
        before = await shared_world.captures()

        for spelling in self.SPELLINGS:
            for mutation, given in self._mutations(spelling, card, payment):
                body = await api.answer(
                    f"mutation($input: {mutation[0].upper()}{mutation[1:]}Input!)"
                    f" {{ {mutation}(input: $input) {{ errors {{ code path }} }} }}",
                    {"input": given},
                )
                assert refused(body, mutation), (mutation, given, body)
            await self._elsewhere(shared_world, api, spelling)

        assert await shared_world.captures() == before
        stored = "\n".join([str(row) for table in await tables(shared_world) for row in table])
        for text in (stored, shared_world.gateway.written):
            assert not any(spelling in text for spelling in self.SPELLINGS)

    def _mutations(self, number: str, card: str, payment: str) -> list[tuple[str, dict[str, Any]]]:
        creation = {"charge": EURO, "idempotencyKey": fresh_key()}
        method = {"id": card, "idempotencyKey": fresh_key()}
        stripe_id = f"pm_{''.join(filter(str.isdigit, number))}"
        return [
            ("createPayment", {**creation, "description": f"paid with {number}"}),
            ("createPayment", {**creation, "metadata": {"a": [{"b": number}]}}),
            ("createPayment", {**creation, "metadata": {number: 1}}),
            ("createPayment", {**creation, "metadata": {"a": int("".join(filter(str.isdigit, number)))}}),
            ("createPayment", {**creation, "returnUrl": f"https://shop.example/{number}"}),
            ("createPayment", {**creation, "idempotencyKey": number}),
            ("confirmPayment", {"paymentId": payment, "idempotencyKey": f"key {number}"}),
            ("cancelPayment", {"paymentId": payment, "reason": f"not {number}"}),
            ("updatePaymentMethod", {**method, "billingName": number}),
            ("updatePaymentMethod", {"id": card, "billingName": "Ada", "idempotencyKey": number}),
            ("addPaymentMethod", {"stripePaymentMethodId": stripe_id}),
            ("deletePaymentMethod", {"id": card, "idempotencyKey": f"{number} again"}),
        ]

    async def _elsewhere(self, world: World, api: Api, number: str) -> None:
        """In places that are no input of ours."""
        await world.http.get(f"/{number}?card={number}")
        await world.http.get("/graphql", params={"query": f'{{ payment(id: "{number}") {{ id }} }}'})
        await api.post(f'{{ payments(after: "{number}") {{ nodes {{ id }} }} }}')
        await api.post(
            f"{{ {number}", None, **{"X-Request-ID": number.replace(" ", "-"), "User-Agent": number}
        )
        await world.http.post("/graphql", json={"query": "{ currencies { code } }", "operationName": number})
        await world.http.get("/graphql", headers={"Authorization": f"Bearer {number.replace(' ', '.')}"})


def refused(body: dict[str, Any], mutation: str) -> bool:
    """By the payload, or, for a scalar, by the response itself."""
    data = body.get("data")
    errors = data[mutation]["errors"] if data else [error["extensions"] for error in body["errors"]]
    return [error["code"] for error in errors] == ["INVALID_INPUT"]


async def tables(world: World) -> list[Any]:
    names = await world.rows(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    return [await world.rows(f"SELECT t::text FROM {name['relname']} t") for name in names]  # noqa: S608
