"""
The same questions by the schema that PostGraphile makes of the tables, and its answers in the gateway's words.

Aliases bring them most of the way. The rest is a matter of shape: ids without their prefix, amounts beside their
currency, lists that are connections. Cursors are its own, and so is the default method's place in its list.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from bench.dataset import OwnedPayment
from bench.operations import each, graphql

PAYMENT: Final = """
fragment Row on Payment {
  id: rowId status description createdAt minor: amount currency
  paymentMethod: paymentMethodByPaymentMethodId { id: rowId brand last4 expMonth expYear }
}
"""
NEWEST: Final = "orderBy: [CREATED_AT_DESC, ROW_ID_DESC]"
ONE: Final = f"query One($id: UUID!) {{ payment: viewerPayment(rowId: $id) {{ ...Row }} }} {PAYMENT}"
PAGE: Final = f"""
query Page($first: Int) {{
  viewer {{
    payments: paymentsByUserId(first: $first, {NEWEST}) {{
      nodes {{ ...Row }} pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}} {PAYMENT}"""
REFUNDS: Final = f"""
query Refunds($first: Int) {{
  viewer {{
    payments: paymentsByUserId(first: $first, {NEWEST}) {{
      nodes {{
        ...Row
        refunds: refundsByPaymentId(orderBy: [CREATED_AT_ASC, ROW_ID_ASC]) {{
          nodes {{ id: rowId status createdAt minor: amount currency }}
        }}
      }}
      pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}} {PAYMENT}"""
DASHBOARD: Final = f"""
query Dashboard {{
  viewer {{
    id: userId
    paymentMethods: paymentMethodsByUserId(orderBy: [CREATED_AT_DESC, ROW_ID_DESC]) {{
      nodes {{ id: rowId brand last4 expMonth expYear isDefault }}
    }}
    payments: paymentsByUserId(first: 3, {NEWEST}) {{
      totalCount nodes {{ id: rowId status createdAt minor: amount currency }}
    }}
  }}
}}"""
PREFIX: Final = {
    "payment": "pay",
    "payments": "pay",
    "paymentMethod": "mth",
    "paymentMethods": "mth",
    "refunds": "rfd",
    "viewer": "acc",
}


def requests(some: Sequence[OwnedPayment], users: Sequence[UUID]) -> list[list[bytes]]:
    """In the order of bench.operations, without createPayment."""
    return [
        [graphql(one.user_id, ONE, id=str(one.id)) for one in some],
        each(users, lambda user: graphql(user, PAGE, first=20)),
        each(users, lambda user: graphql(user, REFUNDS, first=100)),
        each(users, lambda user: graphql(user, DASHBOARD)),
    ]


def translated(data: Mapping[str, Any]) -> dict[str, Any]:
    """The answer's data as the gateway shows them."""
    shown: dict[str, Any] = _object("", data)
    viewer = shown.get("viewer") or {}
    if "id" not in viewer:
        return {**{name: value for name, value in shown.items() if name != "viewer"}, **viewer}
    viewer["paymentMethods"].sort(key=lambda method: not method["isDefault"])
    return shown


def _object(name: str, found: Mapping[str, Any]) -> dict[str, Any]:
    shown = {key: _value(name, key, value) for key, value in found.items()}
    if "minor" in shown:
        shown["amount"] = {"minor": shown.pop("minor"), "currency": shown.pop("currency")}
    return shown


def _value(name: str, key: str, value: Any) -> Any:
    if key == "nodes":
        return [_object(name, node) for node in value]
    if key in {"paymentMethods", "refunds"}:
        return _value(key, "nodes", value["nodes"])
    if isinstance(value, Mapping):
        return _object(key, value)
    if key == "id":
        return f"{PREFIX[name]}_{UUID(value).hex}"
    if key == "minor":
        return int(value)
    return instant(value) if key == "createdAt" else value


def instant(text: str) -> str:
    """It writes microseconds where there are none."""
    return datetime.fromisoformat(text).isoformat().replace("+00:00", "Z")
