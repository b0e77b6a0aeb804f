"""The API as an app uses it: documents in, JSON out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import httpx2

from tests.budgets import SCHEMA, keep_budget, without_debug

GRAPHQL: Final = "/graphql"
EURO: Final = {"amount": {"minor": 1250, "currency": "EUR"}}


def fresh_key() -> str:
    return f"key-{uuid4()}"


def mutation_document(mutation: str, selection: str) -> str:
    assert SCHEMA.mutation_type is not None
    kind = SCHEMA.mutation_type.fields[mutation].args["input"].type
    return f"mutation M($input: {kind}) {{ {mutation}(input: $input) {{ {selection} }} }}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """One caller, each of whose answers is held to its budget of statements. No headers make an anonymous one."""

    http: httpx2.AsyncClient
    headers: Mapping[str, str]

    async def post(
        self, document: str, variables: Mapping[str, Any] | None = None, **headers: str
    ) -> httpx2.Response:
        body = {"query": document, "variables": variables or {}}
        response = await self.http.post(GRAPHQL, json=body, headers={**self.headers, **headers})
        keep_budget(document, response.json())
        return response

    async def answer(self, document: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        response = await self.post(document, variables)
        assert response.status_code == 200, response.text
        return without_debug(response.json())

    async def run(self, document: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The data of an answer in which nothing went wrong."""
        body = await self.answer(document, variables)
        assert "errors" not in body, body
        data: dict[str, Any] = body["data"]
        return data

    async def refusals(self, document: str, variables: Mapping[str, Any] | None = None) -> list[str]:
        """The codes of the answer's own errors."""
        body = await self.answer(document, variables)
        return [error["extensions"]["code"] for error in body.get("errors", ())]

    async def mutate(self, mutation: str, given: Mapping[str, Any], selection: str) -> dict[str, Any]:
        """A mutation's payload, with the codes of its errors among what was selected."""
        document = mutation_document(mutation, selection)
        payload: dict[str, Any] = (await self.run(document, {"input": given}))[mutation]
        return payload

    async def codes(self, mutation: str, given: Mapping[str, Any]) -> list[str]:
        """The codes of the business errors in a mutation's payload."""
        payload = await self.mutate(mutation, given, "errors { code }")
        return [error["code"] for error in payload["errors"]]

    async def add_card(self, stripe_id: str = "pm_card_visa", **given: Any) -> str:
        """The id of one of Stripe's test cards, saved."""
        wanted = {"stripePaymentMethodId": stripe_id, **given}
        payload = await self.mutate(
            "addPaymentMethod", wanted, "paymentMethod { id } errors { code message }"
        )
        assert payload["errors"] == [], payload
        method_id: str = payload["paymentMethod"]["id"]
        return method_id

    async def pay(self, selection: str = "id status", **given: Any) -> dict[str, Any]:
        """The payment that createPayment made, whatever became of it."""
        wanted = {"idempotencyKey": fresh_key(), "charge": EURO, **given}
        payload = await self.mutate("createPayment", wanted, f"payment {{ {selection} }}")
        payment: dict[str, Any] = payload["payment"]
        return payment
