from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.currency import CURRENCIES
from domain.decline import Decline
from domain.errors import (
    AlreadySubscribed,
    AmountOutOfRange,
    Busy,
    CurrencyRuleBroken,
    DatabaseUnavailable,
    Declined,
    Disputed,
    DomainError,
    ErrorCode,
    EventNotApplied,
    Forbidden,
    IdentityUnavailable,
    InvalidInput,
    KeyInProgress,
    KeyReused,
    LikelyDuplicate,
    MetadataUnreadable,
    MethodInUse,
    NotFound,
    PreviewStale,
    ProcessorRefused,
    ProcessorUnavailable,
    StateConflict,
    TrialUsed,
    Unauthenticated,
)
from domain.operation import ObjectKind, Operation
from tests.web.in_process import Client
from web.errors import EXCEPTION_HANDLERS, HTTP_ERRORS, STATUSES

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIRST = Operation(
    id=uuid4(),
    caller_id=UUID(int=1),
    mutation="createPayment",
    key="order-17",
    object_kind=ObjectKind.PAYMENT,
    leased_until=None,
    started_at=NOW,
    expires_at=NOW,
)
EURO = CURRENCIES["EUR"]


def raising(error: Exception) -> Starlette:
    async def handler(request: Request) -> Response:
        raise error

    return Starlette(routes=[Route("/", handler)], exception_handlers=EXCEPTION_HANDLERS)


CASES: list[tuple[DomainError, int, list[dict[str, str]], str]] = [
    (InvalidInput("No."), 422, [], "SAME_KEY"),
    (
        InvalidInput("Too long.", path=("metadata", "note"), constraint="maxLength"),
        422,
        [{"field": "metadata.note", "code": "maxLength"}],
        "SAME_KEY",
    ),
    (
        AmountOutOfRange("Too small.", path=("amount",), currency=EURO),
        422,
        [{"field": "amount", "code": "AMOUNT_OUT_OF_RANGE"}],
        "SAME_KEY",
    ),
    (
        CurrencyRuleBroken("Unknown.", path=("currency",), currency=None),
        422,
        [{"field": "currency", "code": "CURRENCY_RULE"}],
        "SAME_KEY",
    ),
    (Unauthenticated("Who?"), 401, [], "NEVER"),
    (IdentityUnavailable(retry_after_seconds=4), 503, [], "LATER_SAME_KEY"),
    (Forbidden("No."), 403, [], "NEVER"),
    (NotFound("There is no such payment."), 404, [], "NEVER"),
    (StateConflict("It is settled.", current="SETTLED"), 409, [], "NEVER"),
    (Busy("Wait.", current="RUNNING"), 409, [], "LATER_SAME_KEY"),
    (Disputed(), 409, [], "NEVER"),
    (AlreadySubscribed(uuid4(), current="ACTIVE"), 409, [], "NEVER"),
    (LikelyDuplicate(uuid4(), current="COMPLETED"), 409, [], "AFTER_CUSTOMER_ACTION"),
    (TrialUsed(), 409, [], "NEW_KEY"),
    (MethodInUse([uuid4()]), 409, [], "NEW_KEY"),
    (
        PreviewStale(preview_id="prv_1"),
        409,
        [{"field": "preview_id", "code": "PREVIEW_STALE"}],
        "NEW_KEY",
    ),
    (
        KeyReused(FIRST, ["amount", "currency"]),
        422,
        [{"field": "amount", "code": "DIFFERENT"}, {"field": "currency", "code": "DIFFERENT"}],
        "NEW_KEY",
    ),
    (
        KeyInProgress(FIRST),
        409,
        [{"field": "idempotency_key", "code": "KEY_IN_PROGRESS"}],
        "LATER_SAME_KEY",
    ),
    (Declined(Decline(code="insufficient_funds", network_advice=None)), 402, [], "AFTER_CUSTOMER_ACTION"),
    (ProcessorRefused("Not with this method.", reason="parameter_invalid"), 422, [], "NEW_KEY"),
    (ProcessorUnavailable(), 503, [], "LATER_SAME_KEY"),
    (DatabaseUnavailable("pool_exhausted"), 503, [], "LATER_SAME_KEY"),
    (EventNotApplied("Busy: Wait."), 503, [], "LATER_SAME_KEY"),
    (MetadataUnreadable("Its key is missing."), 500, [], "NEVER"),
]


class TestDomainError:
    @pytest.mark.parametrize(
        ("error", "status", "details", "retry"), CASES, ids=lambda case: type(case).__name__
    )
    async def test_becomes_a_status_and_the_envelope(
        self, client: Client, error: DomainError, status: int, details: list[dict[str, str]], retry: str
    ) -> None:
        async with client(raising(error)) as http:
            answer = await http.get("/")

        assert answer.status_code == status
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json() == {
            "error": {
                "code": error.code,
                "message": error.message,
                "details": details,
                "retry": retry,
                "request_id": "",
            }
        }

    async def test_repeats_no_card_number(self, client: Client) -> None:
        named = InvalidInput("There is no 4242 4242 4242 4242.", path=("4242-4242-4242-4242",))

        async with client(raising(named)) as http:
            answer = await http.get("/")

        assert answer.status_code == 422
        assert "4242" not in answer.text

    def test_every_code_has_a_status(self) -> None:
        assert set(STATUSES) == set(ErrorCode)
        assert {error.code for error, *_expected in CASES} == set(ErrorCode)

    @pytest.mark.parametrize(
        ("error", "wait"),
        [
            (KeyInProgress(FIRST), "1"),
            (Busy("Wait.", current="RUNNING"), "1"),
            (ProcessorUnavailable(retry_after_seconds=7), "7"),
            (IdentityUnavailable(retry_after_seconds=4), "4"),
            (StateConflict("It is settled.", current="SETTLED"), None),
            (Forbidden("No."), None),
        ],
    )
    async def test_caller_hears_when_to_come_back(
        self, client: Client, error: DomainError, wait: str | None
    ) -> None:
        async with client(raising(error)) as http:
            answer = await http.get("/")

        assert answer.headers.get("Retry-After") == wait


class TestChallenge:
    @pytest.mark.parametrize("error", [Unauthenticated("Who?"), HTTPException(401)])
    async def test_names_an_error_only_if_a_token_was_sent(self, client: Client, error: Exception) -> None:
        async with client(raising(error)) as http:
            without = await http.get("/")
            with_token = await http.get("/", headers={"Authorization": "Bearer x"})

        assert without.status_code == with_token.status_code == 401
        assert without.headers["WWW-Authenticate"] == 'Bearer realm="payments"'
        assert with_token.headers["WWW-Authenticate"] == 'Bearer realm="payments", error="invalid_token"'

    async def test_is_not_sent_to_a_known_caller_who_may_not(self, client: Client) -> None:
        async with client(raising(Forbidden("No."))) as http:
            answer = await http.get("/")

        assert "WWW-Authenticate" not in answer.headers


class TestHttpException:
    async def test_unknown_address_has_a_stable_code(self, client: Client) -> None:
        async with client(raising(AssertionError())) as http:
            answer = await http.get("/nowhere")

        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "NOT_FOUND"
        assert answer.json()["error"]["message"] == "There is nothing at this address."

    async def test_wrong_method_has_a_stable_code_and_names_the_right_ones(self, client: Client) -> None:
        async with client(raising(AssertionError())) as http:
            answer = await http.put("/")

        assert answer.status_code == 405
        assert answer.json()["error"]["code"] == "METHOD_NOT_ALLOWED"
        assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD"}

    async def test_what_the_handler_said_is_passed_on(self, client: Client) -> None:
        async with client(raising(HTTPException(400, "The query is missing."))) as http:
            answer = await http.get("/")

        assert answer.json()["error"]["code"] == "BAD_REQUEST"
        assert answer.json()["error"]["message"] == "The query is missing."

    async def test_rare_status_keeps_the_envelope(self, client: Client) -> None:
        async with client(raising(HTTPException(418))) as http:
            answer = await http.get("/")

        assert answer.status_code == 418
        assert answer.json()["error"]["code"] == "REQUEST_FAILED"

    def test_codes_that_the_domain_has_too_mean_the_same_status(self) -> None:
        shared = {error.code: status for status, error in HTTP_ERRORS.items() if error.code in set(ErrorCode)}

        assert shared == {"UNAUTHENTICATED": 401, "FORBIDDEN": 403, "NOT_FOUND": 404, "UNAVAILABLE": 503}
        assert all(STATUSES[ErrorCode(code)] == status for code, status in shared.items())


class TestUnforeseen:
    async def test_has_the_envelope_even_without_the_boundary(self, client: Client) -> None:
        async with client(raising(RuntimeError("internals"))) as http:
            answer = await http.get("/")

        assert answer.status_code == 500
        assert answer.json()["error"]["code"] == "INTERNAL_ERROR"
        assert "internals" not in answer.text
