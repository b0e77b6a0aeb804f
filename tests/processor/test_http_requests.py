"""Requests on connections of our own, to a server that answers with the bytes that it is told to."""

import asyncio
import gc
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread

import pytest
import stripe
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from processor import http_connecting, http_requests
from processor.http_requests import KeptConnections
from processor.stripe_client import NamedRequests, ProxiedRequests, requests_to

OK = b"HTTP/1.1 200 OK\r\nRequest-Id: req_1\r\nContent-Length: 2\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
HINT = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
TO_THE_END = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}"
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"
Made = Callable[..., "Server"]


class Server:
    """Gives the answers one after the other, and then none; `closes` after each, or after the last."""

    def __init__(
        self, *answers: bytes, closes: bool = False, ends: bool = False, tls: ssl.SSLContext | None = None
    ) -> None:
        self.answers, self.closes, self.ends, self.tls = list(answers), closes, ends, tls
        self.connections = self.open = 0
        self.requests: list[bytes] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}/v1/things"

    async def start(self) -> asyncio.Server:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                self.requests.append(head + await reader.readexactly(int(length or 0)))
                if self.answers:
                    writer.write(self.answers.pop(0))
                    await writer.drain()
                if self.closes or (self.ends and not self.answers):
                    break
        except (asyncio.IncompleteReadError, OSError):
            pass  # The client has left.
        finally:
            self.open -= 1
            writer.close()


@pytest.fixture
async def started() -> AsyncIterator[Callable[[Server], "asyncio.Future[Server]"]]:
    servers: list[asyncio.Server] = []

    async def start(server: Server) -> Server:
        servers.append(await server.start())
        return server

    yield lambda server: asyncio.ensure_future(start(server))
    for server in servers:
        server.close()


@pytest.fixture
async def requests() -> AsyncIterator[KeptConnections]:
    requests = KeptConnections(timeout=0.3)
    yield requests
    await requests.close_async()


Start = Callable[[Server], "asyncio.Future[Server]"]


async def ask(requests: KeptConnections, server: Server, **headers: str) -> tuple[int, str]:
    body, status, _ = await requests.request_async("post", server.url, headers, "a=1")
    return status, body.decode()


class TestAnswer:
    @pytest.mark.parametrize("answer", [OK, CHUNKED, HINT + OK, TO_THE_END])
    async def test_is_read_to_its_end(self, started: Start, requests: KeptConnections, answer: bytes) -> None:
        server = await started(Server(answer, closes=answer == TO_THE_END))

        assert await ask(requests, server) == (200, "{}")

    @pytest.mark.parametrize("answer", [HALF, b"HTTP/1.1 200", b"no HTTP at all\r\n\r\n", b""])
    async def test_that_has_no_end_is_none(
        self, started: Start, requests: KeptConnections, answer: bytes
    ) -> None:
        server = await started(Server(answer, closes=True))

        with pytest.raises(stripe.APIConnectionError):
            await ask(requests, server)

    async def test_that_takes_too_long_is_none(self, started: Start, requests: KeptConnections) -> None:
        server = await started(Server(HALF))

        with pytest.raises(stripe.APIConnectionError, match="TimeoutError"):
            await ask(requests, server)

    async def test_that_is_too_long_is_none(
        self, started: Start, requests: KeptConnections, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("processor.http_connection.LONGEST_ANSWER", 1)
        server = await started(Server(OK))

        with pytest.raises(stripe.APIConnectionError):
            await ask(requests, server)

    async def test_tells_its_headers_and_no_log_its_body(
        self, started: Start, requests: KeptConnections
    ) -> None:
        server = await started(Server(OK))

        body, _, headers = await requests.request_async("get", server.url, {})

        assert headers["request-id"] == "req_1"
        assert str(body) == "2 bytes"

    @pytest.mark.parametrize("line", [b"a: b\r\n", b"x"], ids=["many headers", "one header"])
    async def test_whose_head_has_no_end_is_none(
        self, started: Start, requests: KeptConnections, line: bytes
    ) -> None:
        head = b"HTTP/1.1 200 OK\r\na: " + line * (2**20 // len(line))
        server = await started(Server(head, ends=False))

        with pytest.raises(stripe.APIConnectionError, match="ConnectionBroken"):
            await ask(requests, server)

    async def test_takes_no_header_from_what_comes_after_its_body(
        self, started: Start, requests: KeptConnections
    ) -> None:
        trailer = b"Idempotent-Replayed: true\r\n\r\n"
        server = await started(Server(CHUNKED.removesuffix(b"\r\n") + trailer))

        _, status, headers = await requests.request_async("post", server.url, {}, "a=1")

        assert (status, "idempotent-replayed" in headers) == (200, False)

    async def test_that_changes_the_protocol_is_none(self, started: Start, requests: KeptConnections) -> None:
        server = await started(Server(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"))

        with pytest.raises(stripe.APIConnectionError, match="ConnectionBroken"):
            await ask(requests, server)


class TestRequest:
    async def test_is_sent_as_it_is(self, started: Start, requests: KeptConnections) -> None:
        server = await started(Server(OK))

        await ask(requests, server, **{"Idempotency-Key": "opr_1"})

        [sent] = server.requests
        assert sent.startswith(b"POST /v1/things HTTP/1.1\r\nHost: 127.0.0.1:")
        assert b"\r\nIdempotency-Key: opr_1\r\n" in sent
        assert sent.endswith(b"\r\nContent-Length: 3\r\n\r\na=1")

    @pytest.mark.parametrize("value", ["a\r\nX-Other: 1", "a\n", "a\0", "é"])
    async def test_with_another_line_in_a_header_is_refused(
        self, started: Start, requests: KeptConnections, value: str
    ) -> None:
        server = await started(Server(OK))

        with pytest.raises(ValueError, match=r"control character|ascii"):
            await ask(requests, server, Key=value)

        assert server.requests == []

    async def test_to_nobody_fails(self, requests: KeptConnections) -> None:
        with pytest.raises(stripe.APIConnectionError):
            await requests.request_async("get", "http://127.0.0.1:9/", {})


class TestAddresses:
    """127.0.0.1 is where the server listens; nobody does at 127.0.0.2."""

    @pytest.fixture
    def addresses(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Those of every host."""
        found: list[str] = []

        async def addresses_of(_origin: object) -> list[str]:
            return found

        monkeypatch.setattr(http_connecting, "addresses_of", addresses_of)
        return found

    async def test_that_refuse_are_passed_over(
        self, started: Start, requests: KeptConnections, addresses: list[str]
    ) -> None:
        addresses += ["127.0.0.2", "127.0.0.1"]
        server = await started(Server(OK))

        assert await ask(requests, server) == (200, "{}")

    async def test_that_say_nothing_are_passed_over(
        self,
        started: Start,
        requests: KeptConnections,
        addresses: list[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(http_connecting, "CONNECT_SECONDS", 0.4)
        server = await started(Server(OK))
        addresses += ["127.0.0.3", "127.0.0.1"]

        with silent("127.0.0.3", server.port):
            assert await ask(requests, server) == (200, "{}")

    async def test_that_all_refuse_are_told(
        self, started: Start, requests: KeptConnections, addresses: list[str]
    ) -> None:
        addresses += ["127.0.0.2", "127.0.0.2"]
        server = await started(Server(OK))

        with pytest.raises(stripe.APIConnectionError, match="ConnectionRefusedError"):
            await ask(requests, server)

    async def test_of_an_unknown_name_are_told(self, requests: KeptConnections) -> None:
        with pytest.raises(stripe.APIConnectionError, match="gaierror"):
            await requests.request_async("get", "http://nobody.invalid/", {})


@contextmanager
def silent(host: str, port: int) -> Iterator[None]:
    """A place where nobody takes connections, nor refuses them: so many wait there that others are not heard."""
    with socket.socket() as listener:
        listener.bind((host, port))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex((host, port))
        time.sleep(0.01)
        yield
        for each in waiting:
            each.close()


class TestConnections:
    async def test_are_kept(self, started: Start, requests: KeptConnections) -> None:
        server = await started(Server(OK, OK, CHUNKED))

        for _ in range(3):
            await ask(requests, server)

        assert server.connections == 1

    async def test_are_one_for_each_request_at_a_time(
        self, started: Start, requests: KeptConnections
    ) -> None:
        server = await started(Server(OK, OK))

        await asyncio.gather(ask(requests, server), ask(requests, server))

        assert server.connections == 2

    @pytest.mark.parametrize("answer", [OK, OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")])
    async def test_that_the_server_closes_are_replaced(
        self, started: Start, requests: KeptConnections, answer: bytes
    ) -> None:
        server = await started(Server(answer, OK, closes=answer == OK))

        await ask(requests, server)
        await asyncio.sleep(0.02)
        await ask(requests, server)

        assert server.connections == 2

    async def test_that_break_do_not_give_the_last_answer_again(
        self, started: Start, requests: KeptConnections
    ) -> None:
        """One without a body tells no length, as one does that ends with its connection."""
        server = await started(Server(b"HTTP/1.1 204 No Content\r\n\r\n", b"", ends=True))
        assert await ask(requests, server) == (204, "")

        with pytest.raises(stripe.APIConnectionError):
            await ask(requests, server)

        assert server.connections == 1

    async def test_that_were_idle_for_long_are_replaced(
        self, started: Start, requests: KeptConnections, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(http_requests, "KEPT_SECONDS", 0.01)
        server = await started(Server(OK, OK))

        await ask(requests, server)
        await asyncio.sleep(0.02)
        await ask(requests, server)

        assert server.connections == 2

    async def test_of_requests_that_were_given_up_are_closed(
        self, started: Start, requests: KeptConnections
    ) -> None:
        """Or the next would take that one's answer for its own."""
        server = await started(Server(b""))
        given_up = asyncio.create_task(ask(requests, server))
        await asyncio.sleep(0.02)

        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        await asyncio.sleep(0.02)
        server.answers = [OK]
        assert server.open == 0

        assert await ask(requests, server) == (200, "{}")
        assert server.connections == 2

    async def test_on_which_somebody_speaks_unasked_are_not_used_again(
        self, started: Start, requests: KeptConnections
    ) -> None:
        server = await started(Server(OK + OK.replace(b"{}", b"[]"), OK))

        assert [await ask(requests, server) for _ in range(2)] == [(200, "{}")] * 2

        assert server.connections == 2

    def test_with_something_in_them_that_nobody_asked_for_are_replaced(self) -> None:
        """Even where the loop was too busy to see it come."""
        with in_a_thread(OK, later=OK.replace(b"{}", b"[]")) as url:
            assert asyncio.run(asked(KeptConnections(timeout=0.5), url, times=2)) == ["{}", "{}"]

    def test_that_have_not_sent_all_of_a_request_are_not_used_again(self) -> None:
        """An answer may come early, and the rest of the request would stand before the next."""
        with in_a_thread(OK, is_patient=False) as url:
            found = asyncio.run(asked(KeptConnections(timeout=0.5), url, times=2, body="a" * 20_000_000))

        assert found == ["{}", "{}"]

    @pytest.mark.filterwarnings("ignore:unclosed")
    def test_of_a_loop_that_has_ended_are_left_alone(self) -> None:
        requests = KeptConnections(timeout=0.5)

        with in_a_thread(OK) as url:
            first = asyncio.run(asked(requests, url, closes=False))
            second = asyncio.run(asked(requests, url))
            gc.collect()  # The transport of the first loop warns while it is to be expected.

        assert first == second == ["{}"]

    async def test_are_not_kept_by_who_was_closed(self, started: Start, requests: KeptConnections) -> None:
        server = await started(Server(OK))
        running = asyncio.create_task(ask(requests, server))
        await asyncio.sleep(0)

        await requests.close_async()

        assert await running == (200, "{}")
        await asyncio.sleep(0.02)
        assert server.open == 0


async def asked(
    requests: KeptConnections, url: str, *, times: int = 1, body: str = "a=1", closes: bool = True
) -> list[str]:
    """Nothing of the loop runs between two requests."""
    found = []
    for _ in range(times):
        answer, _, _ = await requests.request_async("post", url, {}, body)
        found.append(answer.decode())
        time.sleep(0.1)  # noqa: ASYNC251 - that is the point
    if closes:
        await requests.close_async()
        await asyncio.sleep(0.01)
    return found


@contextmanager
def in_a_thread(answer: bytes, *, later: bytes = b"", is_patient: bool = True) -> Iterator[str]:
    """A server that answers whatever it reads, and a moment later says something more; or reads no more at all."""

    class Talk(BaseRequestHandler):
        def handle(self) -> None:
            while self.request.recv(2**16):
                self.request.sendall(answer)
                time.sleep(0.03)
                self.request.sendall(later)
                if not is_patient:
                    time.sleep(0.3)
                    return

    with ThreadingTCPServer(("127.0.0.1", 0), Talk) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1/things"
        server.shutdown()


class TestEncryption:
    async def test_needs_a_certificate_that_somebody_vouches_for(
        self, started: Start, requests: KeptConnections, tmp_path: Path
    ) -> None:
        server = await started(Server(OK, tls=own_certificate(tmp_path)))

        with pytest.raises(stripe.APIConnectionError, match="SSLCertVerificationError"):
            await ask(requests, server)

    async def test_lets_requests_pass_otherwise(
        self, started: Start, requests: KeptConnections, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server = await started(Server(OK, OK, tls=own_certificate(tmp_path)))
        monkeypatch.setattr(stripe, "ca_bundle_path", str(tmp_path / "certificate.pem"))

        assert [await ask(requests, server) for _ in range(2)] == [(200, "{}")] * 2
        assert server.connections == 1


def own_certificate(folder: Path) -> ssl.SSLContext:
    """A server's, signed by itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    kept = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    kept.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(kept, folder / "key.pem")
    return context


class TestProxy:
    @pytest.mark.parametrize(
        ("environment", "kind"),
        [
            ({}, NamedRequests),
            ({"https_proxy": "http://proxy:3128"}, ProxiedRequests),
            ({"all_proxy": "http://proxy:3128"}, ProxiedRequests),
            ({"http_proxy": "http://proxy:3128"}, NamedRequests),
            ({"https_proxy": "http://proxy:3128", "no_proxy": "api.stripe.com"}, NamedRequests),
        ],
        ids=["none", "one", "one for all", "one for others", "one, but not for Stripe"],
    )
    async def test_that_the_environment_names_is_used(
        self, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], kind: type
    ) -> None:
        for name in ("https_proxy", "http_proxy", "no_proxy", "all_proxy"):
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(name.upper(), raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

        requests = requests_to("https://api.stripe.com")

        assert type(requests) is kind
        await requests.close_async()  # type: ignore[no-untyped-call]  # stripe leaves it unannotated.
