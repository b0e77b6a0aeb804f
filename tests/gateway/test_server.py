import asyncio
import socket

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gateway.connections import ConnectionLimits
from gateway.development import address
from gateway.server import PortTaken, configuration, listening_socket, serving
from web.body_limit import BodyLimits


class TestListeningSocket:
    def test_takes_any_port_for_0(self) -> None:
        with listening_socket("127.0.0.1", 0) as listener:
            assert listener.getsockname()[1] > 0
            assert address(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"

    def test_takes_a_port_again_right_after_its_last_server_has_ended(self) -> None:
        with listening_socket("127.0.0.1", 0) as first:
            port = first.getsockname()[1]
            client = socket.create_connection(("127.0.0.1", port))
            accepted, _ = first.accept()
            accepted.close()
        client.close()

        listening_socket("127.0.0.1", port).close()

    def test_of_version_6_is_written_in_brackets(self) -> None:
        try:
            listener = listening_socket("::1", 0)
        except PortTaken:
            pytest.skip("There is no IPv6 here.")
        with listener:
            assert address(listener) == f"http://[::1]:{listener.getsockname()[1]}"

    def test_that_is_taken_names_the_variable_that_chooses_another(self) -> None:
        with listening_socket("127.0.0.1", 0) as listener:
            port = listener.getsockname()[1]

            with pytest.raises(PortTaken, match=f"Choose another port: SANDBOX_PORT={port + 1}"):
                listening_socket("127.0.0.1", port, variable="SANDBOX_PORT")


class TestConnection:
    async def test_sends_small_answers_without_delay(self) -> None:
        has_no_delay = asyncio.get_running_loop().create_future()

        def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted = writer.get_extra_info("socket")
            has_no_delay.set_result(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        with listening_socket("127.0.0.1", 0) as listener:
            async with await asyncio.start_server(connected, sock=listener):
                reader, writer = await asyncio.open_connection(*listener.getsockname())

                assert await has_no_delay
                await reader.read()
                writer.close()
                await writer.wait_closed()


class TestConfiguration:
    def test_names_no_server_and_leaves_the_logs_to_us(self) -> None:
        config = configuration(Starlette(), shutdown_seconds=7)

        assert (config.server_header, config.access_log, config.log_config) == (False, False, None)
        assert config.timeout_graceful_shutdown == 7

    def test_is_delivered_with_patience_that_ends_well_before_a_minute(self) -> None:
        limits = ConnectionLimits()

        assert limits.header_seconds + limits.linger_seconds < 15
        assert BodyLimits().read_seconds + limits.linger_seconds < 15


class TestServing:
    async def test_lets_a_running_request_end(self) -> None:
        has_begun, may_end = asyncio.Event(), asyncio.Event()

        async def slow(_: Request) -> Response:
            has_begun.set()
            await may_end.wait()
            return PlainTextResponse("done")

        app = Starlette(routes=[Route("/", slow)])
        with listening_socket("127.0.0.1", 0) as listener:
            async with httpx2.AsyncClient(base_url=address(listener)) as client:
                async with serving(app, listener, shutdown_seconds=10):
                    answer = asyncio.create_task(client.get("/"))
                    await has_begun.wait()
                    asyncio.get_running_loop().call_later(0.1, may_end.set)

                assert (await answer).text == "done"

    async def test_ends_with_what_the_body_raised(self) -> None:
        with listening_socket("127.0.0.1", 0) as listener, pytest.raises(ZeroDivisionError):
            async with serving(Starlette(), listener, shutdown_seconds=1):
                raise ZeroDivisionError

    async def test_names_no_server_in_its_answers(self) -> None:
        with listening_socket("127.0.0.1", 0) as listener:
            async with (
                serving(Starlette(), listener, shutdown_seconds=1),
                httpx2.AsyncClient(base_url=address(listener)) as client,
            ):
                answer = await client.get("/")

        assert "server" not in answer.headers
