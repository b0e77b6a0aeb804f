"""What a newcomer gets from one command, and that nothing of it stays behind."""

import signal
import socket
from pathlib import Path

import httpx2
import pytest

from gateway import demo
from gateway.demo.showcase import CARDS as CARDS_OF_THE_DEMO
from gql.explorer.page import stories
from tests.acceptance.processes import running_over
from tests.acceptance.stack import STOP_SECONDS, developing
from tests.api import Api

COUNT = "{ payments { totalCount nodes { id status } } paymentMethods { id } }"
PURCHASES, CARDS = len(demo.PURCHASES) + 2, len(CARDS_OF_THE_DEMO)
"""With the first payment of a subscription, and the renewal of another that failed."""


class TestDevelop:
    async def test_serves_graphiql_and_the_api_with_demo_data(self, tmp_path: Path) -> None:
        with developing(tmp_path / "data") as stack:
            await stack.is_ready()
            async with httpx2.AsyncClient(base_url=stack.url) as http:
                page = await http.get("/graphql", headers={"Accept": "text/html"})
                config = (await http.get("/explorer/config.json")).json()
                tokens = [stack.token("demo user"), stack.token("admin")]
                roles = [
                    await Api(http=http, headers={"Authorization": f"Bearer {token}"}).answer(
                        "{ payments(first: 1) { nodes { stripe { objectId } } } }"
                    )
                    for token in tokens
                ]
                home = await http.get(stack.sandbox_url)
            await stack.search()

        assert page.status_code == home.status_code == 200
        assert "/explorer/graphiql.js" in page.text
        assert len(config["tabs"]) == len(stories())
        assert config["people"][0]["authorization"].startswith("Bearer ")
        assert roles[0]["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert "errors" not in roles[1]

    async def test_goes_on_with_the_same_data_after_ctrl_c_sigterm_and_kill(self, tmp_path: Path) -> None:
        folder, seen = tmp_path / "data", []

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGTERM):
            with developing(folder) as stack:
                await stack.is_ready()
                async with stack.demo_user() as api:
                    seen.append(await api.run(COUNT))
                    await api.pay()
                family = stack.program.family()
                stack.program.send(number)
                code = await stack.program.ended(seconds=STOP_SECONDS)
                if number is signal.SIGKILL:
                    continue  # PostgreSQL outlives its owner, and the next start ends it.
                assert code == 0, stack.program.written
                assert await family.survivors() == []
        assert running_over(folder / "postgres" / "data") == []

        counts = [data["payments"]["totalCount"] for data in seen]
        assert counts == [PURCHASES, PURCHASES + 1, PURCHASES + 2, PURCHASES + 3]
        assert [len(data["paymentMethods"]) for data in seen] == [CARDS] * 4
        assert {node["status"] for node in seen[-1]["payments"]["nodes"]} == {
            "COMPLETED",
            "FAILED",
            "AUTHORIZED",
        }

    @pytest.mark.parametrize("variable", ["PORT", "SANDBOX_PORT"])
    async def test_with_a_taken_port_says_the_way_out(self, tmp_path: Path, variable: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            with developing(tmp_path / "data", **{variable: str(port)}) as stack:
                code = await stack.program.ended(seconds=30)

        assert code == 1
        assert f"Choose another port: {variable}={port + 1}" in " ".join(stack.program.written.split())
        assert "Traceback" not in stack.program.written

    async def test_twice_in_one_folder_says_who_has_it(self, tmp_path: Path) -> None:
        with developing(tmp_path / "data") as first:
            await first.is_ready()
            with developing(tmp_path / "data") as second:
                code = await second.program.ended(seconds=30)

        assert code == 1
        assert f"already used by process {first.program.process.pid}" in " ".join(
            second.program.written.split()
        )
        assert "Traceback" not in second.program.written
