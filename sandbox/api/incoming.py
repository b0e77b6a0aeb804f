"""A request as it came in, before anything is known to be right about it."""

import base64
import binascii
from dataclasses import dataclass

from starlette.requests import Request

from sandbox.api.errors import InvalidRequest, Unauthenticated
from sandbox.state.ids import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    id: str
    method: str
    path: str
    form: bytes
    authorization: str
    idempotency_key: str | None
    version: str | None
    base_url: str

    @classmethod
    async def of(cls, request: Request, public_url: str | None) -> "Incoming":
        """Parameters are the body of a POST, and the query of everything else."""
        is_post = request.method == "POST"
        return cls(
            id=new_id("req"),
            method=request.method,
            path=request.scope["path"],
            form=await request.body() if is_post else request.scope["query_string"],
            authorization=request.headers.get("authorization", ""),
            idempotency_key=request.headers.get("idempotency-key") if is_post else None,
            version=request.headers.get("stripe-version"),
            base_url=public_url or f"{request.scope['scheme']}://{request.headers.get('host', 'localhost')}",
        )

    def text(self) -> str:
        try:
            return self.form.decode()
        except UnicodeDecodeError as error:
            raise InvalidRequest("The request is not UTF-8.") from error

    def api_key(self) -> str:
        """The key of a bearer token, or the user name of basic authentication."""
        scheme, _, credentials = self.authorization.partition(" ")
        match scheme.lower():
            case "bearer":
                return credentials.strip()
            case "basic":
                return _user_name(credentials)
        raise Unauthenticated("No API key was given: send it as a bearer token or as the basic user name.")


def _user_name(credentials: str) -> str:
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Unauthenticated("The basic credentials could not be read.") from error
