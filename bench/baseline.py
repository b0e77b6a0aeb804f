"""
The yardstick: `python -m bench.baseline`, the same answers from hand-written Starlette routes.

asyncpg and orjson, one statement per table, only the columns that are shown, no layers, no GraphQL: about the
least that Python can do for the same JSON. What it leaves out (limits, costs, logs, metrics, errors that say what is
wrong) is part of what the gateway's answers cost.
"""

import hmac
import os
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

import asyncpg
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bench import HOST
from bench.baseline_payment import Payments

SECRET: Final = os.environ["JWT_SECRET"].encode()
ONE: Final = """
SELECT id, status, description, created_at, amount, currency, payment_method_id
FROM payments WHERE id = $1 AND user_id = $2
"""
PAGE: Final = """
SELECT id, status, description, created_at, amount, currency, payment_method_id
FROM payments WHERE user_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2
"""
METHODS: Final = """
SELECT id, brand, last4, exp_month, exp_year FROM payment_methods WHERE id = ANY($1) AND user_id = $2
"""
REFUNDS: Final = """
SELECT id, payment_id, status, created_at, amount, currency
FROM refunds WHERE payment_id = ANY($1) AND user_id = $2 ORDER BY created_at, id
"""
ACCOUNT: Final = "SELECT user_id FROM billing_accounts WHERE user_id = $1"
ALL_METHODS: Final = """
SELECT id, brand, last4, exp_month, exp_year, is_default
FROM payment_methods WHERE user_id = $1 AND detached_at IS NULL
ORDER BY is_default DESC, created_at DESC, id DESC
"""
COUNT: Final = "SELECT count(*) FROM payments WHERE user_id = $1"

Row: TypeAlias = Mapping[str, Any]


async def one(request: Request) -> Response:
    user = user_of(request)
    async with request.state.pool.acquire() as connection:
        found = await connection.fetchrow(ONE, uuid_of(request.path_params["id"]), user)
        methods = await methods_of(connection, [found], user)
    return rendered({"payment": shown_with_method(found, methods)})


async def page(request: Request) -> Response:
    user, size = user_of(request), int(request.query_params["first"])
    async with request.state.pool.acquire() as connection:
        found = await connection.fetch(PAGE, user, size + 1)
        methods = await methods_of(connection, found[:size], user)
    nodes = [shown_with_method(row, methods) for row in found[:size]]
    return rendered({"payments": {"nodes": nodes, "pageInfo": page_info(found, size)}})


async def page_and_refunds(request: Request) -> Response:
    user, size = user_of(request), int(request.query_params["first"])
    async with request.state.pool.acquire() as connection:
        found = await connection.fetch(PAGE, user, size + 1)
        methods = await methods_of(connection, found[:size], user)
        refunds = await refunds_of(connection, found[:size], user)
    nodes = [
        {**shown_with_method(row, methods), "refunds": refunds.get(row["id"], [])} for row in found[:size]
    ]
    return rendered({"payments": {"nodes": nodes, "pageInfo": page_info(found, size)}})


async def dashboard(request: Request) -> Response:
    user = user_of(request)
    async with request.state.pool.acquire() as connection:
        account = await connection.fetchrow(ACCOUNT, user)
        methods = await connection.fetch(ALL_METHODS, user)
        payments = await connection.fetch(PAGE, user, 4)
        count = await connection.fetchval(COUNT, user)
    saved = [{**shown_method(row), "isDefault": row["is_default"]} for row in methods]
    nodes = [{name: value for name, value in shown(row).items() if name != "description"} for row in payments]
    viewer = {
        "id": f"acc_{account['user_id'].hex}",
        "paymentMethods": saved,
        "payments": {"totalCount": count, "nodes": nodes[:3]},
    }
    return rendered({"viewer": viewer})


async def create(request: Request) -> Response:
    user = user_of(request)
    asked = orjson.loads(await request.body())
    payment, method = await request.state.payments.create(user, asked["key"], asked["amount"])
    return rendered(
        {
            "createPayment": {
                "payment": {
                    "id": f"pay_{payment['id'].hex}",
                    "status": payment["status"],
                    "amount": {"minor": payment["amount"], "currency": payment["currency"]},
                    "paymentMethod": {
                        "id": f"mth_{method['id'].hex}",
                        "brand": method["brand"],
                        "last4": method["last4"],
                    },
                },
                "operation": {"state": "SUCCEEDED", "replayed": False},
                "errors": [],
            }
        }
    )


async def ready(_: Request) -> Response:
    return PlainTextResponse("ok")


def user_of(request: Request) -> UUID:
    """The bearer of a token that we signed and that has not expired. Raises PermissionError."""
    signed, _, signature = request.headers["authorization"].removeprefix("Bearer ").rpartition(".")
    genuine = urlsafe_b64encode(hmac.digest(SECRET, signed.encode(), "sha256")).rstrip(b"=")
    payload = signed.partition(".")[2]
    claims = orjson.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    if not hmac.compare_digest(genuine, signature.encode()) or claims["exp"] < time.time():
        raise PermissionError("The token is not genuine, or has expired")
    return UUID(claims["sub"])


def uuid_of(identity: str) -> UUID:
    return UUID(hex=identity.partition("_")[2])


async def methods_of(
    connection: "asyncpg.Connection[asyncpg.Record]", payments: Iterable[Row], user: UUID
) -> dict[UUID, dict[str, Any]]:
    rows = await connection.fetch(METHODS, list({row["payment_method_id"] for row in payments}), user)
    return {row["id"]: shown_method(row) for row in rows}


async def refunds_of(
    connection: "asyncpg.Connection[asyncpg.Record]", payments: Iterable[Row], user: UUID
) -> dict[UUID, list[dict[str, Any]]]:
    rows = await connection.fetch(REFUNDS, [row["id"] for row in payments], user)
    found: dict[UUID, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["payment_id"], []).append(shown_refund(row))
    return found


def page_info(found: Sequence[Row], size: int) -> dict[str, Any]:
    return {"hasNextPage": len(found) > size, "endCursor": cursor(found[:size][-1]) if found else None}


def shown_with_method(row: Row, methods: Mapping[UUID, dict[str, Any]]) -> dict[str, Any]:
    return {**shown(row), "paymentMethod": methods[row["payment_method_id"]]}


def shown(row: Row) -> dict[str, Any]:
    return {
        "id": f"pay_{row['id'].hex}",
        "status": row["status"],
        "description": row["description"],
        "createdAt": instant(row["created_at"]),
        "amount": {"minor": row["amount"], "currency": row["currency"]},
    }


def shown_refund(row: Row) -> dict[str, Any]:
    return {
        "id": f"rfd_{row['id'].hex}",
        "status": row["status"],
        "createdAt": instant(row["created_at"]),
        "amount": {"minor": row["amount"], "currency": row["currency"]},
    }


def shown_method(row: Row) -> dict[str, Any]:
    return {
        "id": f"mth_{row['id'].hex}",
        "brand": row["brand"],
        "last4": row["last4"],
        "expMonth": row["exp_month"],
        "expYear": row["exp_year"],
    }


def instant(value: datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")


def cursor(row: Row) -> str:
    place = ["payments:created_at:DESC", row["created_at"].isoformat(), row["id"].hex]
    return urlsafe_b64encode(orjson.dumps(place)).rstrip(b"=").decode()


def rendered(data: Mapping[str, Any]) -> Response:
    return Response(orjson.dumps({"data": data}), media_type="application/json")


async def keep(_: object) -> None:
    """No session state is ever left on a connection, so that resetting it would be a round trip for nothing."""


async def with_json(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\x01" + orjson.dumps(value),
        decoder=lambda value: orjson.loads(value[1:]),
        format="binary",
    )


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[dict[str, Any]]:
    address = os.environ["DATABASE_URL"].replace("postgresql+asyncpg://", "postgresql://")
    async with (
        asyncpg.create_pool(address, min_size=10, max_size=10, reset=keep, init=with_json) as pool,
        Payments.connected(pool) as payments,
    ):
        yield {"pool": pool, "payments": payments}


app = Starlette(
    lifespan=lifespan,
    routes=[
        Route("/readyz", ready),
        Route("/payments/{id}", one),
        Route("/payments", page),
        Route("/payments", create, methods=["POST"]),
        Route("/payments-and-refunds", page_and_refunds),
        Route("/dashboard", dashboard),
    ],
)

if __name__ == "__main__":
    uvicorn.run(
        app, host=HOST, port=int(os.environ["PORT"]), http="httptools", access_log=False, log_level="warning"
    )
