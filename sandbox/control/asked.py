"""How `/_sandbox/…` is asked and answers: JSON objects both ways, refusals as the API words them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.api.errors import StripeError

if TYPE_CHECKING:
    from sandbox.server import Sandbox

Body = dict[str, Any]
Answering = Callable[[Request], Awaitable[Response]]


class Malformed(Exception):
    """A control request that says something the sandbox cannot do; answered with 400."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A control request: the id in its path, if it has one there, and the object in its body."""

    method: str
    id: str
    body: Body


Act = Callable[["Sandbox", Asked], Body]


def route(sandbox: "Sandbox", path: str, act: Act, *methods: str) -> Route:
    return Route(path, _answering(sandbox, act), methods=list(methods))


def _answering(sandbox: "Sandbox", act: Act) -> Answering:
    async def respond(request: Request) -> Response:
        try:
            content = act(sandbox, await _asked(request))
        except Malformed as error:
            return _answer({"error": {"message": str(error)}}, 400)
        except StripeError as error:
            return _answer(error.body(), error.status)
        return _answer(content, 200)

    return respond


def _answer(content: Body, status: int) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")


async def _asked(request: Request) -> Asked:
    body = await _json_body(request) if request.method == "POST" else {}
    return Asked(method=request.method, id=request.path_params.get("id", ""), body=body)


async def _json_body(request: Request) -> Body:
    """A JSON object; the media type is required, so that no web page can post here unasked."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise Malformed("send application/json")
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise Malformed("the body is not JSON") from error
    if not isinstance(body, dict):
        raise Malformed("the body is not a JSON object")
    return body
