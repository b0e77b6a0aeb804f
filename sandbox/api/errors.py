"""
What the API refuses, in Stripe's shapes (https://docs.stripe.com/api/errors).

StripeError                      400 unless said otherwise
├── InvalidRequest               a parameter is wrong; nothing was executed
│   ├── UnknownParameter
│   ├── MissingParameter
│   └── ResourceMissing          404 for the object in the path, 400 for one named in a parameter
├── Unauthenticated              401
├── Forbidden                    403, a publishable key reached too far
├── UnexpectedState              the object's status does not allow this; stored under the key
├── CardError                    402, the card was refused; stored under the key, and its changes stay
├── KeyReused                    the idempotency key belongs to another request
├── KeyInUse                     409, the first request with this key is still running
├── TooManyRequests              429, rate_limit or lock_timeout
└── ServerError                  500
"""

from typing import Any, ClassVar

DOC_URL = "https://stripe.com/docs/error-codes/"


class StripeError(Exception):
    """An error answer. `is_outcome` says that the request was executed and this is its lasting result."""

    status: int = 400
    type: ClassVar[str] = "invalid_request_error"
    is_outcome: ClassVar[bool] = False
    should_retry: bool | None = None

    def __init__(
        self, message: str, *, code: str | None = None, param: str | None = None, **details: Any
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.details = details

    def body(self) -> dict[str, Any]:
        error = {
            "message": self.message,
            "type": self.type,
            "code": self.code,
            "param": self.param,
            **self.details,
        }
        if self.code:
            error["doc_url"] = DOC_URL + self.code.replace("_", "-")
        return {"error": {name: value for name, value in error.items() if value is not None}}


class InvalidRequest(StripeError):
    pass


class UnknownParameter(InvalidRequest):
    def __init__(self, name: str) -> None:
        super().__init__(f"Unknown parameter: {name}", code="parameter_unknown", param=name)


class MissingParameter(InvalidRequest):
    def __init__(self, name: str) -> None:
        super().__init__(f"Required parameter is missing: {name}.", code="parameter_missing", param=name)


class ResourceMissing(InvalidRequest):
    def __init__(self, kind: str, id_: str, *, param: str) -> None:
        super().__init__(f"No such {kind}: '{id_}'", code="resource_missing", param=param)
        self.status = 404 if param == "id" else 400


class UnrecognizedUrl(InvalidRequest):
    status = 404


class Unauthenticated(StripeError):
    status = 401


class Forbidden(StripeError):
    status = 403


class UnexpectedState(StripeError):
    is_outcome = True


class CardError(StripeError):
    status = 402
    type = "card_error"
    is_outcome = True


class KeyReused(StripeError):
    type = "idempotency_error"


class KeyInUse(StripeError):
    status = 409
    type = "idempotency_error"
    should_retry = True


class TooManyRequests(StripeError):
    status = 429


class LockTimeout(TooManyRequests):
    should_retry = True


class ServerError(StripeError):
    status = 500
    type = "api_error"
