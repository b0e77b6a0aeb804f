"""Bytes that no honest client sends: each is refused, and nothing that hides behind it is answered."""

import asyncio
import gzip
import json
import socket
from collections.abc import AsyncIterator

import pytest
from prometheus_client import REGISTRY
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.connections import ConnectionLimits, Reason
from gateway.server import listening_socket, serving
from tests.gateway.raw_http import HOST, SMUGGLED, Host, Line, head, hosting, request, statuses_in
from tests.waiting import until
from web.body_limit import BodyLimits
from web.middleware import HttpSettings

SOON = 0.15
"""Seconds; what servers of these tests are patient for."""
MEBI = 1024 * 1024


@pytest.fixture(scope="module")
async def shared_host() -> AsyncIterator[Host]:
    """One that never closes a connection because it is idle."""
    async with hosting(ConnectionLimits(idle_seconds=60)) as host:
        yield host


@pytest.fixture
def host(shared_host: Host) -> Host:
    shared_host.asked.clear()
    return shared_host


def closed(reason: Reason) -> float:
    """How many connections were closed so early for this reason, in this process."""
    value = REGISTRY.get_sample_value("payments_connections_closed_early_total", {"reason": reason.value})
    assert value is not None
    return value


def chunked(*parts: bytes) -> bytes:
    return request("POST / HTTP/1.1", "Transfer-Encoding: chunked", body=b"".join(parts))


FRAMINGS = {
    "a length and then chunks": request(
        "POST / HTTP/1.1", "Content-Length: 5", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"
    ),
    "chunks and then a length": request(
        "POST / HTTP/1.1", "Transfer-Encoding: chunked", "Content-Length: 5", body=b"0\r\n\r\n"
    ),
    "two lengths": request("POST / HTTP/1.1", "Content-Length: 0", "Content-Length: 3"),
    "the same length twice": request("POST / HTTP/1.1", "Content-Length: 0", "Content-Length: 0"),
    "a list of lengths": request("POST / HTTP/1.1", "Content-Length: 0, 0"),
    "a negative length": request("POST / HTTP/1.1", "Content-Length: -1"),
    "a length with a sign": request("POST / HTTP/1.1", "Content-Length: +0"),
    "a length in hexadecimal": request("POST / HTTP/1.1", "Content-Length: 0x0"),
    "an empty length": request("POST / HTTP/1.1", "Content-Length:"),
    "a length beyond all numbers": request("POST / HTTP/1.1", f"Content-Length: {'9' * 40}"),
    "chunks of no size": chunked(b"zz\r\nabc\r\n0\r\n\r\n"),
    "a chunk of a negative size": chunked(b"-1\r\nabc\r\n0\r\n\r\n"),
    "a chunk of a prefixed size": chunked(b"0x3\r\nabc\r\n0\r\n\r\n"),
    "a chunk beyond all sizes": chunked(b"f" * 17 + b"\r\nabc\r\n0\r\n\r\n"),
    "a chunk longer than its size": chunked(b"3\r\nabcd\r\n0\r\n\r\n"),
    "chunks in lines without CR": chunked(b"3\nabc\n0\n\n"),
    "an extension over two lines": chunked(b"3;a\nb\r\nabc\r\n0\r\n\r\n"),
    "an unknown coding": request("POST / HTTP/1.1", "Transfer-Encoding: xchunked", body=b"0\r\n\r\n"),
    "a coding before chunks": request(
        "POST / HTTP/1.1", "Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"
    ),
    "a coding after chunks": request(
        "POST / HTTP/1.1", "Transfer-Encoding: chunked, gzip", body=b"0\r\n\r\n"
    ),
    "two codings": request(
        "POST / HTTP/1.1", "Transfer-Encoding: chunked", "Transfer-Encoding: identity", body=b"0\r\n\r\n"
    ),
    "a coding with a control character": request(
        "POST / HTTP/1.1", "Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n"
    ),
    "a coding under a name with a space": request(
        "POST / HTTP/1.1", "Transfer-Encoding : chunked", body=b"0\r\n\r\n"
    ),
    "a coding on a folded line": request(
        "POST / HTTP/1.1", "Transfer-Encoding:", " chunked", body=b"0\r\n\r\n"
    ),
    "a body beside an upgrade": request(
        "POST / HTTP/1.1", "Connection: Upgrade", "Upgrade: h2c", "Content-Length: 3", body=b"abc"
    ),
    "chunks in HTTP/1.0": request("POST / HTTP/1.0", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
}

HEADS = {
    "no Host": head("GET / HTTP/1.1"),
    "two Hosts": head("GET / HTTP/1.1", "Host: a", "Host: b"),
    "an empty Host": head("GET / HTTP/1.1", "Host:"),
    "a Host with a path": head("GET / HTTP/1.1", "Host: gateway.test/admin"),
    "a Host with a user": head("GET / HTTP/1.1", "Host: user@gateway.test"),
    "two names in one Host": head("GET / HTTP/1.1", "Host: a, b"),
    "a header with a space in its name": request("GET / HTTP/1.1", "X Name: 1"),
    "a header without a name": request("GET / HTTP/1.1", ": 1"),
    "a header without a colon": request("GET / HTTP/1.1", "nonsense"),
    "a header that begins with a space": head("GET / HTTP/1.1", " Host: gateway.test"),
    "a folded header": request("GET / HTTP/1.1", "X-Name: 1", "  and more"),
    "a header with NUL": request("GET / HTTP/1.1", "X-Name: a\0b"),
    "a header with CR": request("GET / HTTP/1.1", "X-Name: a\rb"),
    "lines without CR": b"GET / HTTP/1.1\nHost: gateway.test\n\n",
    "a path with NUL": request("GET /a\0b HTTP/1.1"),
    "a path with an encoded NUL": request("GET /a%00b HTTP/1.1"),
    "a path beyond ASCII": request("GET /é HTTP/1.1"),
    "a path with a space": request("GET /a b HTTP/1.1"),
    "a path without a slash": request("GET a HTTP/1.1"),
    "an address without a path": request("GET http://gateway.test HTTP/1.1"),
    "an unknown method": request("STEAL / HTTP/1.1"),
    "a method in lower case": request("get / HTTP/1.1"),
    "a tunnel": request("CONNECT elsewhere.test:443 HTTP/1.1"),
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/1.2": request("GET / HTTP/1.2"),
    "HTTP/2 by its version": request("GET / HTTP/2.0"),
    "HTTP/2 by its preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
}


class TestFraming:
    @pytest.mark.parametrize("framing", FRAMINGS.values(), ids=FRAMINGS.keys())
    async def test_that_can_be_read_in_two_ways_is_refused_with_what_follows(
        self, host: Host, framing: bytes
    ) -> None:
        before = closed(Reason.MALFORMED)

        statuses = await host.answers(framing + SMUGGLED)

        assert statuses == [400]
        assert host.asked == []
        assert closed(Reason.MALFORMED) == before + 1

    @pytest.mark.parametrize("length", [2**63, 2**64 - 1, 10**18, 20 * MEBI])
    async def test_that_announces_too_much_is_refused_at_once(self, host: Host, length: int) -> None:
        statuses = await host.answers(request("POST / HTTP/1.1", f"Content-Length: {length}") + SMUGGLED)

        assert statuses == [413]
        assert host.asked == []

    async def test_with_extensions_that_do_not_end_is_refused(self, host: Host) -> None:
        statuses = await host.answers(chunked(b"3;", b"x" * MEBI))

        assert statuses == [400]
        assert host.asked == []

    async def test_with_trailers_that_do_not_end_is_refused(self, host: Host) -> None:
        statuses = await host.answers(chunked(b"0\r\nX-Trailer: ", b"x" * MEBI))

        assert statuses == [400]
        assert host.asked == []

    async def test_with_trailers_adds_none_of_them_to_the_headers(self, host: Host) -> None:
        async with host.line() as line:
            line.send(chunked(b"3\r\nabc\r\n0\r\nAuthorization: Bearer smuggled\r\n\r\n"))
            await line.until(b"\r\n\r\n3")

        assert host.asked == [("/", 3)]
        assert "authorization" not in host.headers


class TestHead:
    @pytest.mark.parametrize("malformed", HEADS.values(), ids=HEADS.keys())
    async def test_that_is_malformed_is_refused_with_what_follows(self, host: Host, malformed: bytes) -> None:
        statuses = await host.answers(malformed + SMUGGLED)

        assert statuses == [400]
        assert host.asked == []

    async def test_is_refused_in_the_envelope(self, host: Host) -> None:
        async with host.line() as line:
            line.send(head("GET / HTTP/1.1"))
            answer = await line.until_closed()

        headers, _, body = answer.partition(b"\r\n\r\n")
        assert json.loads(body)["error"]["code"] == "BAD_REQUEST"
        assert json.loads(body)["error"]["message"] == "There must be one Host header."
        assert b"\r\nconnection: close" in headers
        assert b"\r\nx-content-type-options: nosniff" in headers
        assert b"server:" not in headers.lower()

    async def test_with_the_whole_address_is_answered_for_its_path(self, host: Host) -> None:
        statuses = await host.answers(request("GET http://elsewhere.test/path HTTP/1.1", "Connection: close"))

        assert (statuses, host.asked) == ([200], [("/path", 0)])

    async def test_of_http_1_0_needs_no_host(self, host: Host) -> None:
        assert await host.answers(head("GET / HTTP/1.0")) == [200]

    @pytest.mark.parametrize(
        "name", ["gateway.test", "127.0.0.1:8000", "[::1]:8000", "xn--bcher-kva.test", "a_b"]
    )
    async def test_may_name_any_host(self, host: Host, name: str) -> None:
        assert await host.answers(head("GET / HTTP/1.1", f"Host: {name}", "Connection: close")) == [200]

    async def test_with_an_address_that_is_too_long_is_refused(self, host: Host) -> None:
        before = closed(Reason.TOO_LARGE)

        assert await host.answers(request(f"GET /{'x' * 17_000} HTTP/1.1") + SMUGGLED) == [414]
        assert closed(Reason.TOO_LARGE) == before + 1

    @pytest.mark.parametrize(
        "headers",
        [[f"X-{number}: {'x' * 100}" for number in range(400)], [f"X-Long: {'x' * 40_000}"], ["X:"] * 10_000],
        ids=["many", "long", "empty"],
    )
    async def test_that_is_too_large_is_refused(self, host: Host, headers: list[str]) -> None:
        assert await host.answers(request("GET / HTTP/1.1", *headers) + SMUGGLED) == [431]
        assert host.asked == []

    @pytest.mark.parametrize(
        "unending",
        [HOST + b"X-Long: " + b"x" * MEBI, b"x" * MEBI],
        ids=["value", "name"],
    )
    async def test_that_does_not_end_is_refused_before_it_does(self, host: Host, unending: bytes) -> None:
        assert await host.answers(b"GET / HTTP/1.1\r\n" + unending) == [431]

    async def test_up_to_the_limit_is_taken(self, host: Host) -> None:
        almost = request("GET / HTTP/1.1", f"X-Long: {'x' * 31_000}", "Connection: close")

        assert await host.answers(almost) == [200]

    async def test_that_asks_for_another_protocol_gets_a_last_answer_in_this_one(self, host: Host) -> None:
        asking = request("GET /a HTTP/1.1", "Connection: Upgrade", "Upgrade: h2c")
        host.may_answer.clear()
        async with host.line() as line:
            line.send(asking + SMUGGLED)
            await host.is_asked()
            line.send(SMUGGLED)
            await asyncio.sleep(SOON)
            host.may_answer.set()
            answer = await line.until_closed()

        assert statuses_in(answer) == [200]
        assert b"connection: close" in answer
        assert host.asked == [("/a", 0)]


BODIES = {
    "deep JSON": (400, "application/json", b"[" * 200_000),
    "deep JSON that ends": (400, "application/json", b'{"query":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "half of JSON": (400, "application/json", b'{"query": "{ currencies'),
    "bytes that are no UTF-8": (400, "application/json", b'{"query": "\xff\xfe"}'),
    "an empty body": (400, "application/json", b""),
    "a compressed body": (415, "application/json\r\nContent-Encoding: gzip", gzip.compress(b"{}")),
    "a form": (415, "application/x-www-form-urlencoded", b"query=%7Bcurrencies%7Bcode%7D%7D"),
    "a form with files": (415, "multipart/form-data; boundary=x", b"--x--"),
    "text": (415, "text/plain", b'{"query": "{ currencies { code } }"}'),
    "another character set": (415, "application/json; charset=utf-16", "{}".encode("utf-16")),
    "no type": (415, "", b"{}"),
}


class TestGraphQL:
    async def test_refuses_each_unfit_body_by_its_kind(self, app: Starlette) -> None:
        wanted = {name: [status] for name, (status, _, _) in BODIES.items()}
        async with hosting(app=app) as host:
            got = {
                name: await host.answers(
                    request(
                        "POST /graphql HTTP/1.1",
                        f"Content-Type: {media_type}",
                        f"Content-Length: {len(body)}",
                        "Connection: close",
                        body=body,
                    )
                )
                for name, (_, media_type, body) in BODIES.items()
            }

        assert got == wanted


class TestPipelining:
    async def test_of_good_requests_is_answered_in_their_order(self, host: Host) -> None:
        first = request("POST /first HTTP/1.1", "Content-Length: 3", body=b"abc")

        statuses = await host.answers(first + request("GET /second HTTP/1.1", "Connection: close"))

        assert (statuses, host.asked) == ([200, 200], [("/first", 3), ("/second", 0)])

    @pytest.mark.parametrize(
        "rest",
        [
            b"\x01garbage",
            head("GET / HTTP/1.1"),
            chunked(b"zz\r\n"),
            request(f"GET /{'x' * 17_000} HTTP/1.1"),
        ],
        ids=["garbage", "a malformed head", "a malformed body", "a head that is too large"],
    )
    async def test_of_what_is_malformed_leaves_the_answers_before_it(self, host: Host, rest: bytes) -> None:
        """Else the caller would take the refusal of the rest for the answer to a payment that was made."""
        first = request("POST /first HTTP/1.1", "Content-Length: 3", body=b"abc")

        statuses = await host.answers(first + request("GET /second HTTP/1.1") + rest + SMUGGLED)

        assert statuses == [200, 200]
        assert host.asked == [("/first", 3), ("/second", 0)]

    async def test_behind_a_last_request_is_not_answered(self, host: Host) -> None:
        last = request("GET /last HTTP/1.1", "Connection: close")

        assert await host.answers(last + SMUGGLED) == [200]
        assert host.asked == [("/last", 0)]


class TestBody:
    async def test_that_is_far_too_large_is_refused_and_the_sender_gets_to_read_why(self, host: Host) -> None:
        async with host.line() as line:
            line.send(request("POST / HTTP/1.1", f"Content-Length: {20 * MEBI}"))
            await send_all(line, bytes(20 * MEBI))

            assert await line.statuses() == [413]

    async def test_in_chunks_that_is_far_too_large_is_refused_and_the_sender_gets_to_read_why(
        self, host: Host
    ) -> None:
        chunk = b"%x\r\n%s\r\n" % (MEBI, bytes(MEBI))
        async with host.line() as line:
            line.send(request("POST / HTTP/1.1", "Transfer-Encoding: chunked"))
            await send_all(line, chunk * 20 + b"0\r\n\r\n")

            assert await line.statuses() == [413]
        assert host.asked == []

    async def test_that_breaks_off_reaches_no_handler(self, host: Host) -> None:
        async with host.line() as line:
            line.send(request("POST / HTTP/1.1", "Content-Length: 10", body=b"half"))
            line.writer.write_eof()

            assert await line.statuses() == []
        assert host.asked == []


async def send_all(line: Line, data: bytes) -> None:
    """As clients do that read nothing before they have sent everything."""
    line.send(data)
    async with asyncio.timeout(10):
        await line.writer.drain()


@pytest.fixture
async def hasty() -> AsyncIterator[Host]:
    """Served by somebody with no patience to speak of."""
    limits = ConnectionLimits(header_seconds=SOON, linger_seconds=SOON, reader_seconds=SOON)
    async with hosting(limits, HttpSettings(body_limits=BodyLimits(read_seconds=SOON))) as host:
        yield host


class TestSlowClients:
    async def test_that_send_half_a_head_are_told_and_gone(self, hasty: Host) -> None:
        before = closed(Reason.SLOW_HEADERS)

        async with hasty.line() as line:
            line.send(b"GET / HTTP/1.1\r\nHost: gate")
            answer = await line.until_closed()

        assert statuses_in(answer) == [408]
        assert b"The headers did not arrive in time." in answer
        assert closed(Reason.SLOW_HEADERS) == before + 1

    @pytest.mark.parametrize(
        ("first", "drop"),
        [
            (b"GET / HTTP/1.1\r\n", b"X: y\r\n"),
            (b"", b"\r\n"),
            (request("GET / HTTP/1.1"), b"\r\n"),
            (request("GET / HTTP/1.1") + b"GET", b"x"),
        ],
        ids=["headers", "empty lines", "empty lines after a request", "a method after a request"],
    )
    async def test_that_drip_get_no_more_time(self, hasty: Host, first: bytes, drop: bytes) -> None:
        async with hasty.line() as line:
            line.send(first)
            dripping = asyncio.create_task(drip(line, drop))
            await line.until_closed()
            dripping.cancel()

    async def test_that_say_nothing_at_all_are_not_answered(self, hasty: Host) -> None:
        async with hasty.line() as line:
            assert await line.until_closed() == b""

    async def test_that_think_between_requests_are_waited_for_as_long_as_is_said(self, hasty: Host) -> None:
        async with hasty.line() as line:
            line.send(request("GET /first HTTP/1.1"))
            await line.until(b"\r\n\r\n0")
            await asyncio.sleep(2 * SOON)
            line.send(request("GET /second HTTP/1.1", "Connection: close"))

            assert await line.statuses() == [200, 200]

    async def test_are_not_those_who_wait_for_an_answer(self, hasty: Host) -> None:
        hasty.may_answer.clear()
        async with hasty.line() as line:
            line.send(request("GET / HTTP/1.1", "Connection: close"))
            await asyncio.sleep(2 * SOON)
            hasty.may_answer.set()

            assert await line.statuses() == [200]

    async def test_that_take_no_answer_are_gone(self) -> None:
        async def talk(_: Request) -> Response:
            return Response(bytes(20 * MEBI))

        async def was_given_up() -> bool:
            return closed(Reason.SLOW_READER) > before

        before = closed(Reason.SLOW_READER)
        limits = ConnectionLimits(reader_seconds=SOON)
        async with hosting(limits, app=Starlette(routes=[Route("/", talk)])) as host:
            with socket.create_connection(host.address) as client:
                client.sendall(request("GET / HTTP/1.1"))
                await until(was_given_up)

    async def test_that_take_no_end_of_an_answer_are_gone(self) -> None:
        """What the system's buffers leave is little enough here to be no reason for a pause."""

        async def talk(_: Request) -> Response:
            return Response(bytes(48 * 1024))

        with listening_socket("127.0.0.1", 0) as listener, socket.socket() as client:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            app = Starlette(routes=[Route("/", talk)])
            async with serving(
                app, listener, shutdown_seconds=5, limits=ConnectionLimits(reader_seconds=SOON)
            ):
                client.connect(listener.getsockname())
                client.sendall(request("GET / HTTP/1.1", "Connection: close"))
                await asyncio.sleep(3 * SOON)
                client.settimeout(5)
                taken = await asyncio.to_thread(read_all, client)

        assert 0 < len(taken) < 48 * 1024

    async def test_with_a_hundred_half_requests_are_gone_and_keep_nobody_waiting(self) -> None:
        halves = [
            b"GET / HTTP/1.1\r\nHost: ga",
            request("POST / HTTP/1.1", "Content-Length: 9", body=b"half"),
        ]
        patient = ConnectionLimits(header_seconds=1.0)
        async with hosting(patient, HttpSettings(body_limits=BodyLimits(read_seconds=1.0))) as host:
            waiting = [asyncio.create_task(host.answers(halves[number % 2])) for number in range(100)]
            meanwhile = [await host.answers(request("GET / HTTP/1.1", "Connection: close")) for _ in range(3)]
            still_open = sum(not each.done() for each in waiting)
            answers = await asyncio.gather(*waiting)

        assert meanwhile == [[200]] * 3
        assert still_open == 100
        assert answers == [[408]] * 100


def read_all(client: socket.socket) -> bytes:
    parts = iter(lambda: client.recv(65536), b"")
    return b"".join(parts)


class TestRefusedBody:
    """The answer said `Connection: close`, so what comes behind the body is nobody's request any more."""

    async def test_that_is_too_long_is_followed_by_no_request(self, hasty: Host) -> None:
        length = BodyLimits().default_bytes + 1
        async with hasty.line() as line:
            line.send(request("POST /big HTTP/1.1", f"Content-Length: {length}"))
            await line.until(b"\r\n\r\n")
            await send_all(line, bytes(length) + SMUGGLED)

            assert await line.statuses() == [413]
            await asyncio.sleep(2 * SOON)  # What was sent after the answer is still on its way.
        assert hasty.asked == []

    async def test_that_comes_too_late_is_followed_by_no_request(self, hasty: Host) -> None:
        async with hasty.line() as line:
            line.send(request("POST /slow HTTP/1.1", "Content-Length: 10", body=b"half"))
            await line.until(b"\r\n\r\n")
            line.send(b"second" + SMUGGLED)

            assert await line.statuses() == [408]
            await asyncio.sleep(2 * SOON)
        assert hasty.asked == []


async def drip(line: Line, drop: bytes) -> None:
    while not line.reader.at_eof():
        line.send(drop)
        await asyncio.sleep(SOON / 10)


class TestNumberOfConnections:
    async def test_beyond_the_bound_is_told_so_and_those_before_are_served(self) -> None:
        before = closed(Reason.TOO_MANY)
        async with hosting(ConnectionLimits(most=2)) as host, host.line() as first, host.line() as second:
            for line in (first, second):
                line.send(request("GET / HTTP/1.1"))
                await line.until(b"\r\n\r\n0")
            async with host.line() as third:
                third.send(request("GET / HTTP/1.1") + SMUGGLED)
                refusal = await third.until_closed()
            first.send(request("GET / HTTP/1.1", "Connection: close"))

            assert await first.statuses() == [200, 200]
        assert statuses_in(refusal) == [503]
        assert b"\r\nretry-after: 1\r\n" in refusal
        assert json.loads(refusal.partition(b"\r\n\r\n")[2])["error"]["code"] == "UNAVAILABLE"
        assert closed(Reason.TOO_MANY) == before + 1

    async def test_is_counted_anew_when_some_have_gone(self) -> None:
        last = request("GET / HTTP/1.1", "Connection: close")
        async with hosting(ConnectionLimits(most=1)) as host:
            assert [await host.answers(last) for _ in range(3)] == [[200]] * 3

    async def test_beyond_the_bound_may_ask_whether_the_process_lives(self) -> None:
        async with hosting(ConnectionLimits(most=1)) as host, host.line() as first:
            first.send(request("GET / HTTP/1.1"))
            await first.until(b"\r\n\r\n0")

            assert await host.answers(request("GET /healthz HTTP/1.1", "Connection: close")) == [200]
        assert ("/healthz", 0) in host.asked

    async def test_beyond_the_bound_that_asked_whether_the_process_lives_is_gone(self) -> None:
        probe = request("GET /healthz HTTP/1.1")
        async with hosting(ConnectionLimits(most=1)) as host, host.line() as first:
            first.send(request("GET / HTTP/1.1"))
            await first.until(b"\r\n\r\n0")
            async with host.line() as second:
                second.send(probe + probe)
                answer = await second.until_closed()

        assert statuses_in(answer) == [200]
        assert b"\r\nconnection: close\r\n" in answer

    async def test_beyond_the_bound_is_answered_without_its_body(self) -> None:
        limits = ConnectionLimits(most=1, linger_seconds=SOON)
        body = request("GET /healthz HTTP/1.1", "Content-Length: 100", body=b"half")
        async with hosting(limits) as host, host.line() as first:
            first.send(request("GET / HTTP/1.1"))
            await first.until(b"\r\n\r\n0")

            assert await host.answers(body) == [200]
        assert host.asked[-1] == ("/healthz", 0)

    async def test_beyond_the_bound_that_asks_nothing_is_soon_gone(self) -> None:
        limits = ConnectionLimits(most=1, linger_seconds=SOON)
        async with hosting(limits) as host, host.line() as first, host.line() as second:
            first.send(request("GET / HTTP/1.1"))
            await first.until(b"\r\n\r\n0")

            assert await second.until_closed() == b""
