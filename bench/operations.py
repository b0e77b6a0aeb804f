"""What is asked of the gateway, and of the hand-written route in its own words: requests as bytes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson

from bench.dataset import OwnedPayment
from bench.load import FRESH_KEY
from domain.actor import Role
from domain.identity import new_id
from domain.payment import Payment
from gateway.settings import DEVELOPMENT_JWT_SECRET
from gql.ids import global_id
from web.auth import development_token

PAYMENT: Final = """
fragment Row on Payment {
  id status description createdAt
  amount { minor currency }
  paymentMethod { id brand last4 expMonth expYear }
}
"""
ONE: Final = f"query One($id: ID!) {{ payment(id: $id) {{ ...Row }} }} {PAYMENT}"
PAGE: Final = f"""
query Page($first: Int, $after: String) {{
  payments(first: $first, after: $after) {{ nodes {{ ...Row }} pageInfo {{ hasNextPage endCursor }} }}
}} {PAYMENT}"""
REFUNDS: Final = f"""
query Refunds($first: Int) {{
  payments(first: $first) {{
    nodes {{ ...Row refunds {{ id status createdAt amount {{ minor currency }} }} }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}} {PAYMENT}"""
DASHBOARD: Final = """
query Dashboard {
  viewer {
    id
    paymentMethods { id brand last4 expMonth expYear isDefault }
    payments(first: 3) { totalCount nodes { id status createdAt amount { minor currency } } }
  }
}"""
CREATE: Final = """
mutation Create($input: CreatePaymentInput!) {
  createPayment(input: $input) {
    payment { id status amount { minor currency } paymentMethod { id brand last4 } }
    operation { state replayed }
    errors { code }
  }
}"""
SAVE_CARD: Final = """
mutation SaveCard($input: AddPaymentMethodInput!) {
  addPaymentMethod(input: $input) { paymentMethod { id } errors { code message } }
}"""

ONE_PAYMENT: Final = "a payment with its method"
PAGE_OF_20: Final = "20 payments with their methods"
PAGE_OF_100: Final = "100 payments, methods, refunds"
ONE_DASHBOARD: Final = "the viewer's dashboard"
READS: Final = (ONE_PAYMENT, PAGE_OF_20, PAGE_OF_100, ONE_DASHBOARD)
CREATE_PAYMENT: Final = "createPayment"

CHARGE: Final = {"minor": 1250, "currency": "EUR"}
PURCHASE: Final = {"idempotencyKey": FRESH_KEY, "charge": {"amount": CHARGE}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """The same question to both, many times over; the n-th of the one is the n-th of the other."""

    name: str
    gateway: list[bytes]
    hand_written: list[bytes]


def operations(
    some: Sequence[OwnedPayment], users: Sequence[UUID], payers: Sequence[UUID]
) -> list[Operation]:
    """The payers have a default method that Stripe, or who stands in for it, knows."""
    return [
        Operation(
            name=ONE_PAYMENT,
            gateway=[graphql(one.user_id, ONE, id=global_id(Payment, one.id)) for one in some],
            hand_written=[get(one.user_id, f"/payments/{global_id(Payment, one.id)}") for one in some],
        ),
        Operation(
            name=PAGE_OF_20,
            gateway=each(users, lambda user: graphql(user, PAGE, first=20)),
            hand_written=each(users, lambda user: get(user, "/payments?first=20")),
        ),
        Operation(
            name=PAGE_OF_100,
            gateway=each(users, lambda user: graphql(user, REFUNDS, first=100)),
            hand_written=each(users, lambda user: get(user, "/payments-and-refunds?first=100")),
        ),
        Operation(
            name=ONE_DASHBOARD,
            gateway=each(users, lambda user: graphql(user, DASHBOARD)),
            hand_written=each(users, lambda user: get(user, "/dashboard")),
        ),
        Operation(
            name=CREATE_PAYMENT,
            gateway=each(payers, lambda payer: graphql(payer, CREATE, input=PURCHASE)),
            hand_written=each(
                payers, lambda payer: post(payer, "/payments", {"key": FRESH_KEY, "amount": CHARGE})
            ),
        ),
    ]


def page(user: UUID, *, first: int, after: str | None) -> bytes:
    return graphql(user, PAGE, first=first, after=after)


def each(users: Iterable[UUID], request: Callable[[UUID], bytes]) -> list[bytes]:
    return [request(user) for user in users]


def graphql(user: UUID, query: str, **variables: Any) -> bytes:
    return post(user, "/graphql", {"query": query, "variables": variables})


def as_admin(query: str, **variables: Any) -> bytes:
    return post(new_id(), "/graphql", {"query": query, "variables": variables}, role=Role.ADMIN)


def post(user: UUID, path: str, body: object, *, role: Role = Role.USER) -> bytes:
    content = orjson.dumps(body)
    kind = f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    return head("POST", path, user, kind, role=role) + content


def get(user: UUID, path: str) -> bytes:
    return head("GET", path, user)


def head(method: str, path: str, user: UUID, more: str = "", *, role: Role = Role.USER) -> bytes:
    token = development_token(DEVELOPMENT_JWT_SECRET, user_id=user, role=role)
    lines = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAccept: application/json\r\n"
    return f"{lines}Authorization: Bearer {token}\r\n{more}\r\n".encode()
