"""The REST API as its callers use it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx2

from tests.api import fresh_key

BASE: Final = "/api/v1/payments"
EURO: Final = {"amount": 1250, "currency": "EUR"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """One caller. No headers make an anonymous one."""

    http: httpx2.AsyncClient
    headers: Mapping[str, str]

    async def send(self, method: str, path: str = "", **request: Any) -> httpx2.Response:
        """`headers` come on top of the caller's; `json`, `content` and `params` as httpx has them."""
        headers = {**self.headers, **request.pop("headers", {})}
        return await self.http.request(method, f"{BASE}{path}", headers=headers, **request)

    async def get(self, path: str = "", **params: Any) -> httpx2.Response:
        return await self.send("GET", path, params=params)

    async def data(self, path: str = "", **params: Any) -> Any:
        """What a reader gets where nothing went wrong."""
        response = await self.get(path, **params)
        assert response.status_code == 200, response.text
        return response.json()["data"]

    async def post(
        self, path: str = "", body: Any = None, *, key: str | None = None, method: str = "POST"
    ) -> httpx2.Response:
        headers = {} if key is None else {"Idempotency-Key": key}
        return await self.send(method, path, json=body, headers=headers)

    async def pay(self, *, key: str | None = None, **given: Any) -> httpx2.Response:
        return await self.post("", {**EURO, **given}, key=key or fresh_key())


def error_of(response: httpx2.Response) -> dict[str, Any]:
    error: dict[str, Any] = response.json()["error"]
    return error


def faults(response: httpx2.Response) -> dict[str, str]:
    """The fields at fault, with their codes."""
    return {each["field"]: each["code"] for each in error_of(response)["details"]}
