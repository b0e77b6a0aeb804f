"""The REST API as its callers use it, each of whose answers is held to the route table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx2

from tests.api import fresh_key
from web.content_type import JSON
from web.rest.problems import ErrorEnvelope
from web.rest.route import BASE, RestRoute
from web.rest.table import ROUTES

EURO: Final = {"amount": 1250, "currency": "EUR"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """One caller. No headers make an anonymous one."""

    http: httpx2.AsyncClient
    headers: Mapping[str, str]

    async def send(self, method: str, path: str = "", **request: Any) -> httpx2.Response:
        """`headers` come on top of the caller's; `json`, `content` and `params` as httpx has them."""
        headers = {**self.headers, **request.pop("headers", {})}
        response = await self.http.request(method, f"{BASE}{path}", headers=headers, **request)
        must_be_documented(method, path, response)
        return response

    async def get(self, path: str = "", **params: Any) -> httpx2.Response:
        return await self.send("GET", path, params=params)

    async def data(self, path: str = "", **params: Any) -> Any:
        """What a reader gets where nothing went wrong."""
        response = await self.get(path, **params)
        assert response.status_code == 200, response.text
        return response.json()["data"]

    async def post(self, path: str = "", body: Any = None, *, key: str | None = None) -> httpx2.Response:
        return await self.send("POST", path, json=body, headers=keyed(key))

    async def put(self, path: str, body: Any, *, key: str | None = None) -> httpx2.Response:
        return await self.send("PUT", path, json=body, headers=keyed(key))

    async def delete(self, path: str, *, key: str | None = None, **params: Any) -> httpx2.Response:
        return await self.send("DELETE", path, params=params, headers=keyed(key))

    async def pay(self, *, key: str | None = None, **given: Any) -> httpx2.Response:
        return await self.post("", {**EURO, **given}, key=key or fresh_key())

    async def paid(self, **given: Any) -> dict[str, Any]:
        payment: dict[str, Any] = (await self.pay(**given)).json()["data"]
        return payment

    async def add_card(self, stripe_id: str = "pm_card_visa", **given: Any) -> str:
        """The id of one of Stripe's test cards, saved."""
        response = await self.post("/payment-methods", {"stripe_payment_method_id": stripe_id, **given})
        method_id: str = response.json()["data"]["id"]
        return method_id


def keyed(key: str | None) -> dict[str, str]:
    return {} if key is None else {"Idempotency-Key": key}


def error_of(response: httpx2.Response) -> dict[str, Any]:
    error: dict[str, Any] = response.json()["error"]
    return error


def faults(response: httpx2.Response) -> dict[str, str]:
    """The fields at fault, with their codes."""
    return {each["field"]: each["code"] for each in error_of(response)["details"]}


def route_of(method: str, path: str) -> RestRoute | None:
    """The row of the table that answers, if there is one."""
    found = [row for row in ROUTES if row.method == method and _fits(row.path, path.rstrip("/"))]
    return next(iter(sorted(found, key=lambda row: "{" in row.path)), None)


def must_be_documented(method: str, path: str, response: httpx2.Response) -> None:
    """Fails for a status, a code or a form of an answer of which the table says nothing."""
    route, status = route_of(method, path), response.status_code
    if route is None:
        return
    if status < 400:
        reply = route.replies[status]
        if reply.model is not None:
            reply.model.model_validate_json(response.content)
        assert (reply.media_type or "") == response.headers.get("content-type", "").partition(";")[0]
        return
    error = ErrorEnvelope.model_validate_json(response.content).error
    assert error.code in route.error_statuses.get(status, ()), (route.name, status, error.code)
    assert response.headers["content-type"] == JSON


def _fits(pattern: str, path: str) -> bool:
    parts, given = pattern.split("/"), path.split("/")
    return len(parts) == len(given) and all(
        part in {"{id}", step} for part, step in zip(parts, given, strict=True)
    )
