"""Requests to /graphql, and what went wrong with them."""

import json
from typing import Any

import httpx2

JSON = "application/json"


RESPONSE_JSON = "application/graphql-response+json"


CURRENCIES = "{ currencies { code } }"


CREATE = "mutation($input: CreatePaymentInput!) { createPayment(input: $input) { payment { id } errors { code } } }"


def body_of(query: str, **more: Any) -> bytes:
    return json.dumps({"query": query, **more}).encode()


def code_of(answer: httpx2.Response) -> str:
    """From GraphQL's own shape, or from the envelope of what never reached GraphQL."""
    body = answer.json()
    code: str = body["errors"][0]["extensions"]["code"] if "errors" in body else body["error"]["code"]
    return code
