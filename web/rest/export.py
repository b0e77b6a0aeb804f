"""
Payments as CSV (RFC 4180), for accountants: all that match, as they were at one moment, the oldest first.

An address of its own rather than another media type of the list, since it has no pages, is for admins only, and is
what people open in a browser or hand to `curl -O`.
"""

import re
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from csv import QUOTE_ALL, writer
from datetime import UTC, datetime
from io import StringIO
from typing import Any, Final
from unicodedata import category

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from structlog.typing import FilteringBoundLogger

from domain.errors import ErrorCode
from domain.legacy_status import LEGACY_PAYMENT
from domain.money import Money
from domain.payment import Payment
from web.rest.call import Call
from web.rest.payments import PaymentFilterQuery
from web.rest.route import Reply, RestRoute, Who

CSV: Final = "text/csv"
BEGINS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet may run: https://owasp.org/www-community/attacks/CSV_Injection (also full-width forms)."""
UNSEEN: Final = frozenset({"Cf", "Zs"})
"""Categories of Unicode, of characters that have no width and of spaces."""
SEPARATORS: Final = re.compile(r"[;,\t\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")

COLUMNS: Final[dict[str, Callable[[Payment], object]]] = {
    "id": lambda payment: payment.id,
    "created_at": lambda payment: written(payment.created_at),
    "updated_at": lambda payment: written(payment.updated_at),
    "completed_at": lambda payment: written(payment.completed_at),
    "user_id": lambda payment: payment.user_id,
    "status": lambda payment: LEGACY_PAYMENT[payment.status].value,
    "status_detail": lambda payment: payment.status.value,
    "currency": lambda payment: payment.currency,
    "amount": lambda payment: payment.amount,
    "amount_captured": lambda payment: payment.captured_amount,
    "amount_refunded": lambda payment: payment.refunded_amount,
    "amount_decimal": lambda payment: Money(minor=payment.amount, currency=payment.currency).decimal,
    "trigger": lambda payment: payment.trigger.value,
    "description": lambda payment: harmless(payment.description),
    "media_item_id": lambda payment: harmless(payment.media_item_id),
    "subscription_id": lambda payment: payment.subscription_id,
    "payment_method_id": lambda payment: payment.payment_method_id,
    "card_brand": lambda payment: harmless(payment.method_brand),
    "card_last4": lambda payment: payment.method_last4,
    "decline_code": lambda payment: harmless(payment.decline_code),
    "stripe_payment_id": lambda payment: payment.processor_payment_id,
    "livemode": lambda payment: str(payment.livemode).lower(),
}
"""What is text of a caller's or of Stripe's is made harmless; all else is ours by its type. Times are in UTC."""

Batches = AsyncGenerator[Sequence[Payment], None]

log: FilteringBoundLogger = structlog.get_logger()


class CsvExport(Response):
    """
    Row by row, so that a million takes no more memory than a thousand.

    It begins once the first rows are there: what fails before has a status of its own, and what fails later cuts the
    connection, so that half a file is never taken for a whole one. It runs in one task, since a connection's time-out
    belongs to the task that opened it.
    """

    media_type = CSV

    def __init__(self, batches: Callable[[], Batches], **told: object) -> None:
        """`told` is what the log says of it: who asked, and for what."""
        super().__init__(headers={"Content-Disposition": 'attachment; filename="payments.csv"'})
        del self.headers["content-length"]
        self._batches, self._told = batches, told

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request, rows = Request(scope, receive), 0
        async with aclosing(self._batches()) as batches:
            batch = await anext(batches, None)
            await send(
                {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            )
            await send(_part(lines([tuple(COLUMNS)])))
            while batch and scope["method"] != "HEAD" and not await request.is_disconnected():
                await send(_part(lines(map(_row, batch))))
                rows += len(batch)
                batch = await anext(batches, None)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        log.info("payments.exported", rows=rows, is_whole=batch is None, **self._told)


def written(instant: datetime | None) -> str:
    return "" if instant is None else instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def harmless(text: str | None) -> str:
    """
    The text with an apostrophe before it, where a spreadsheet would take it for a formula, or a part of it.

    A part is what stands behind a mark that separates cells for some spreadsheet, whatever quotes surround it.
    """
    if text is None:
        return ""
    seen = "".join(each for each in text if category(each) not in UNSEEN)
    return f"'{text}" if any(map(_is_formula, [seen, *SEPARATORS.split(seen)])) else text


def _is_formula(cell: str) -> bool:
    return cell.lstrip('"').startswith(BEGINS_A_FORMULA)


def _row(payment: Payment) -> Sequence[object]:
    return [column(payment) for column in COLUMNS.values()]


def lines(rows: Any) -> bytes:
    text = StringIO()
    writer(text, quoting=QUOTE_ALL).writerows(rows)
    return text.getvalue().encode()


def _part(body: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": body, "more_body": True}


async def export(call: Call[PaymentFilterQuery, None]) -> Response:
    wanted = call.query.wanted()
    return CsvExport(
        lambda: call.services.payments.exported(call.actor, wanted),
        by=call.actor.known_id,
        asked={name: str(value) for name, value in call.query if value is not None},
    )


EXPORT_ROUTES: Final = (
    RestRoute(
        name="export-payments",
        method="GET",
        path="/export.csv",
        summary="Payments as CSV",
        description=(
            "Admins. All that match, as they were at one moment, the oldest first; times are in UTC, amounts in minor "
            "units. Texts that a spreadsheet would take for a formula begin with an apostrophe."
        ),
        who=Who.ADMINS,
        graphql=("payments",),
        query=PaymentFilterQuery,
        replies={200: Reply(description="A line of names, and a line per payment.", media_type=CSV)},
        errors=(ErrorCode.INVALID_INPUT, ErrorCode.FORBIDDEN, ErrorCode.STATE_CONFLICT),
        handle=export,
    ),
)
