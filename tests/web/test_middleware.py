import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.actor import Actor, Role
from tests.web.in_process import Client, Events
from web.access_log import CLIENT_LEFT
from web.body_limit import BodyLimits
from web.envelope import Envelope
from web.errors import EXCEPTION_HANDLERS
from web.health import health_routes
from web.logs import IS_CLEAN
from web.middleware import HttpSettings, middleware
from web.request_id import request_id

APP_ORIGIN = "https://app.example.com"
CARD = "4242424242424242"
HANGING = asyncio.Event()
USER = UUID("6f1f3f0e-8f4e-4f0a-9a59-0d6a4f7c1a11")


async def echo(request: Request) -> Response:
    return JSONResponse({"request_id": request_id(), "size": len(await request.body())})


async def known(request: Request) -> Response:
    request.scope["actor"] = Actor(role=Role.SUPPORT, user_id=USER)
    return Response("hello")


async def page(request: Request) -> Response:
    headers = {"Content-Security-Policy": "script-src 'self'", "Cache-Control": "max-age=60", "ETag": '"1"'}
    return Response("<p>", headers=headers)


async def sleeps(request: Request) -> Response:
    await asyncio.sleep(0.005)
    return Response("good morning")


async def fails(request: Request) -> Response:
    secret = "a local variable"
    raise RuntimeError(f"{len(secret)}")


async def fails_halfway(request: Request) -> Response:
    async def rows() -> AsyncIterator[bytes]:
        yield b"half"
        raise RuntimeError("the other half")

    return StreamingResponse(rows())


async def hangs(request: Request) -> Response:
    HANGING.set()
    await asyncio.Event().wait()
    raise AssertionError


async def broken() -> None:
    raise ConnectionError


async def nothing_comes() -> Message:
    raise AssertionError


async def nothing_goes(message: Message) -> None:
    raise AssertionError


def application(settings: HttpSettings | None = None) -> Starlette:
    return Starlette(
        routes=[
            Route("/echo", echo, methods=["GET", "POST"]),
            Route("/known", known),
            Route("/page", page),
            Route("/sleeps", sleeps),
            Route("/fails", fails),
            Route("/hangs", hangs),
            Route("/fails-halfway", fails_halfway),
            Route("/payments/{id}", echo),
            *health_routes({}),
        ],
        middleware=middleware(settings or HttpSettings(allowed_origins=(APP_ORIGIN,))),
        exception_handlers=EXCEPTION_HANDLERS,
    )


class TestRequestId:
    @pytest.mark.parametrize(
        "theirs", ["order-17", "a" * 128, "6f1f3f0e-8f4e-4f0a-9a59-0d6a4f7c1a11", "A.b_c-123"]
    )
    async def test_acceptable_one_is_kept_and_echoed(self, client: Client, theirs: str) -> None:
        async with client(application()) as http:
            answer = await http.get("/echo", headers={"X-Request-ID": theirs})

        assert answer.headers.get_list("X-Request-ID") == [theirs]
        assert answer.json()["request_id"] == theirs

    @pytest.mark.parametrize(
        "theirs",
        [
            "",
            "short",
            "a" * 129,
            "with space",
            "semi;colon",
            "evt_1MqqbKLt4dXK03v5",
            "line\tfeed",
            "é" * 8,
            "<script>",
            CARD,
            f"id-{CARD}",
            "sk_live_abcdefgh",
            "pi_123_secret_456",
        ],
    )
    async def test_any_other_is_replaced_by_a_fresh_uuid(self, client: Client, theirs: str) -> None:
        async with client(application()) as http:
            answer = await http.get("/echo", headers=[(b"X-Request-ID", theirs.encode())])

        ours = answer.headers["X-Request-ID"]
        assert str(UUID(ours)) == ours
        assert answer.json()["request_id"] == ours

    async def test_each_request_without_one_gets_its_own(self, client: Client) -> None:
        async with client(application()) as http:
            ids = {(await http.get("/echo")).headers["X-Request-ID"] for _ in range(3)}

        assert len(ids) == 3

    async def test_error_names_it_too(self, client: Client) -> None:
        async with client(application()) as http:
            answer = await http.get("/nowhere", headers={"X-Request-ID": "order-17"})

        assert answer.json()["error"]["request_id"] == answer.headers["X-Request-ID"] == "order-17"


class TestAccessLog:
    async def test_request_is_one_event(self, client: Client, events: Events) -> None:
        async with client(application()) as http:
            await http.get("/known", headers={"X-Request-ID": "order-17"})

        (event,) = events
        assert isinstance(event.pop("duration_ms"), float)
        assert event.pop(IS_CLEAN) is True
        assert event == {
            "event": "http.request",
            "log_level": "info",
            "method": "GET",
            "path": "/known",
            "status": 200,
            "bytes": 5,
            "request_id": "order-17",
            "role": "SUPPORT",
            "user_id": str(USER),
        }

    async def test_nothing_that_a_caller_may_have_put_in_by_mistake_is_logged(
        self, client: Client, events: Events
    ) -> None:
        async with client(application()) as http:
            await http.post(
                "/echo?token=query-secret",
                headers={"Authorization": "Bearer header-secret", "X-Card": CARD},
                content=b"body-secret",
            )
            await http.get(f"/payments/{CARD}")

        logged = str(events)
        assert "secret" not in logged
        assert CARD not in logged
        assert [event["path"] for event in events] == ["/echo", "/payments/[card number]"]

    @pytest.mark.parametrize(
        ("path", "level"),
        [
            ("/echo", "info"),
            ("/healthz", "debug"),
            ("/readyz", "debug"),
            ("/nowhere", "warning"),
            ("/fails", "error"),
        ],
    )
    async def test_level_follows_the_status(
        self, client: Client, events: Events, path: str, level: str
    ) -> None:
        async with client(application()) as http:
            await http.get(path)

        assert [event["log_level"] for event in events if event["event"] == "http.request"] == [level]

    @pytest.mark.parametrize(("limit", "level"), [(0, "info"), (4, "warning"), (60_000, "info")])
    async def test_request_that_takes_as_long_as_the_limit_is_a_warning(
        self, client: Client, events: Events, limit: int, level: str
    ) -> None:
        async with client(application(HttpSettings(slow_after=limit))) as http:
            await http.get("/sleeps")

        assert events[0]["log_level"] == level
        assert events[0].get("slow", False) is (level == "warning")

    async def test_failing_health_check_is_not_quiet(self, client: Client, events: Events) -> None:
        app = Starlette(routes=health_routes({"database": broken}), middleware=middleware(HttpSettings()))

        async with client(app) as http:
            await http.get("/readyz")

        assert [event["log_level"] for event in events if event["event"] == "http.request"] == ["error"]

    async def test_anonymous_caller_has_no_user_id(self, client: Client, events: Events) -> None:
        async with client(application()) as http:
            await http.get("/echo")

        assert "user_id" not in events[0]
        assert "role" not in events[0]

    async def test_request_whose_client_left_is_logged_as_such(self, events: Events) -> None:
        async def unanswered(scope: Scope, receive: Receive, send: Send) -> None:
            return

        scope = {"type": "http", "method": "GET", "path": "/echo", "headers": []}
        await Envelope(unanswered)(scope, nothing_comes, nothing_goes)

        assert [event["status"] for event in events] == [CLIENT_LEFT]

    @pytest.mark.parametrize("secret", [CARD, "sk_live_abcdefgh", "pi_123_secret_456"])
    async def test_secret_in_a_path_is_not_told(self, client: Client, events: Events, secret: str) -> None:
        async with client(application()) as http:
            await http.get(f"/payments/{secret}")

        (event,) = events
        assert secret not in str(event)
        assert str(event["path"]).startswith("/payments/[")

    async def test_long_path_is_cut(self, client: Client, events: Events) -> None:
        async with client(application()) as http:
            await http.get("/" + "x" * 5000)

        assert len(str(events[0]["path"])) == 256


class TestSecurityHeaders:
    @pytest.mark.parametrize("path", ["/echo", "/nowhere", "/fails", "/healthz"])
    async def test_every_answer_has_them(self, client: Client, path: str) -> None:
        async with client(application()) as http:
            headers = (await http.get(path)).headers

        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Server" not in headers
        assert "Strict-Transport-Security" not in headers

    async def test_what_the_answer_says_itself_stands(self, client: Client) -> None:
        async with client(application()) as http:
            headers = (await http.get("/page")).headers

        assert headers.get_list("Content-Security-Policy") == ["script-src 'self'"]
        assert headers.get_list("Cache-Control") == ["max-age=60"]

    async def test_browsers_are_bound_to_tls_only_when_told_so(self, client: Client) -> None:
        async with client(application(HttpSettings(over_tls=True))) as http:
            headers = (await http.get("/echo")).headers

        assert headers["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains"


class TestCors:
    PREFLIGHT = {
        "Origin": APP_ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type, idempotency-key, x-request-id, if-none-match",
    }

    async def test_app_on_the_list_may_ask_and_read(self, client: Client) -> None:
        async with client(application()) as http:
            preflight = await http.options("/echo", headers=self.PREFLIGHT)
            answer = await http.get("/echo", headers={"Origin": APP_ORIGIN})

        assert preflight.status_code == 200
        assert preflight.headers["Access-Control-Allow-Origin"] == APP_ORIGIN
        assert answer.headers["Access-Control-Allow-Origin"] == APP_ORIGIN
        readable = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
        assert readable >= {
            "X-Request-ID",
            "Retry-After",
            "Idempotent-Replayed",
            "ETag",
            "Location",
            "Deprecation",
        }
        assert readable >= {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}
        assert "Origin" in answer.headers["Vary"]

    @pytest.mark.parametrize(
        "change",
        [
            {"Origin": "https://evil.example"},
            {"Origin": "https://app.example.com.evil.example"},
            {"Origin": "http://app.example.com"},
            {"Origin": "https://app.example.com:8443"},
            {"Origin": "null"},
            {"Access-Control-Request-Method": "TRACE"},
            {"Access-Control-Request-Headers": "x-user-id"},
        ],
    )
    async def test_any_other_preflight_is_refused(self, client: Client, change: dict[str, str]) -> None:
        async with client(application()) as http:
            preflight = await http.options("/echo", headers={**self.PREFLIGHT, **change})

        assert preflight.status_code == 400

    async def test_other_origin_may_not_read_and_nobody_sends_credentials(self, client: Client) -> None:
        async with client(application()) as http:
            answer = await http.get("/echo", headers={"Origin": "https://evil.example"})
            preflight = await http.options("/echo", headers=self.PREFLIGHT)

        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Access-Control-Allow-Credentials" not in preflight.headers

    async def test_app_may_also_read_that_something_failed(self, client: Client) -> None:
        async with client(application()) as http:
            answer = await http.get("/fails", headers={"Origin": APP_ORIGIN})

        assert answer.status_code == 500
        assert answer.headers["Access-Control-Allow-Origin"] == APP_ORIGIN

    @pytest.mark.parametrize(
        "origin",
        [
            "*",
            "https://*.example.com",
            "https://app.example.com/",
            "app.example.com",
            "null",
            "",
            "file:///",
            "https://App.example.com",
        ],
    )
    def test_what_is_no_exact_origin_is_refused_at_start(self, origin: str) -> None:
        with pytest.raises(ValueError, match="not an origin"):
            HttpSettings(allowed_origins=(origin,))

    @pytest.mark.parametrize(
        "origin", ["http://localhost:3000", "https://app.example.com", "http://[::1]:8080"]
    )
    def test_exact_origin_is_taken(self, origin: str) -> None:
        assert HttpSettings(allowed_origins=(origin,)).allowed_origins == (origin,)


class TestErrorBoundary:
    async def test_request_that_is_cut_off_is_told_to_come_back(self, client: Client, events: Events) -> None:
        async with client(application()) as http:
            asking = asyncio.create_task(http.get("/hangs"))
            await HANGING.wait()
            asking.cancel()
            answer = await asking

        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert answer.json()["error"]["code"] == "UNAVAILABLE"
        assert answer.json()["error"]["retry"] == "LATER_SAME_KEY"
        assert [event["event"] for event in events] == ["http.cut_off", "http.request"]

    async def test_unforeseen_error_says_nothing_but_its_request_id(
        self, client: Client, events: Events
    ) -> None:
        async with client(application()) as http:
            answer = await http.get("/fails", headers={"X-Request-ID": "order-17"})

        assert answer.status_code == 500
        assert answer.json() == {
            "error": {
                "code": "INTERNAL_ERROR",
                "message": "Something went wrong on our side. Quote the request id when you ask about it.",
                "details": [],
                "retry": "LATER_SAME_KEY",
                "request_id": "order-17",
            }
        }
        assert [(event["event"], event["log_level"]) for event in events] == [
            ("http.unforeseen", "error"),
            ("http.request", "error"),
        ]
        assert events[0]["exc_info"]

    async def test_half_an_answer_is_not_ended_as_if_it_were_whole(self, events: Events) -> None:
        sent: list[str] = []
        unread = [b""]

        async def send(message: Message) -> None:
            sent.append(str(message["type"]) + (" and more" if message.get("more_body") else ""))

        async def receive() -> Message:
            if not unread:
                await asyncio.Event().wait()
            return {"type": "http.request", "body": unread.pop(), "more_body": False}

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/fails-halfway",
            "headers": [],
            "query_string": b"",
        }
        with pytest.raises(RuntimeError, match="the other half"):
            await application()(scope, receive, send)

        assert sent == ["http.response.start", "http.response.body and more"]
        assert [event["event"] for event in events] == ["http.unforeseen", "http.request"]
        assert events[-1]["status"] == 500


class TestOtherThanHttp:
    async def test_websockets_and_lifespan_pass_untouched(self) -> None:
        seen: list[str] = []

        async def innermost(scope: Scope, receive: Receive, send: Send) -> None:
            seen.append(scope["type"])

        app: ASGIApp = innermost
        for each in reversed(middleware(HttpSettings(body_limits=BodyLimits(default_bytes=0)))):
            app = each.cls(app, *each.args, **each.kwargs)
        for kind in ("lifespan", "websocket"):
            await app({"type": kind, "path": "/graphql", "headers": []}, nothing_comes, nothing_goes)

        assert seen == ["lifespan", "websocket"]
