import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
import stripe
from stripe import StripeClient, WebhookSignature

from sandbox import Sandbox, SandboxSettings, WebhookTarget
from tests.sandbox.payments import payment
from tests.sandbox.serving import HOOK_PATH, Receiver, Stage

ROOT = Path(__file__).parents[2]
SECRET = "whsec_0123456789"
FORM = {
    "amount": "2000",
    "currency": "usd",
    "payment_method": "pm_card_visa",
    "confirm": "true",
    "off_session": "true",
}
KEYED = {"Authorization": "Bearer sk_test_sandbox", "Idempotency-Key": "order-17"}

Start = Callable[..., tuple["subprocess.Popen[str]", str]]


class TestClock:
    async def test_sets_created(
        self, client: StripeClient, http: httpx2.AsyncClient, sandbox: Sandbox
    ) -> None:
        ahead = sandbox.clock.status().ahead
        before = await client.v1.customers.create_async()
        status = (await http.post("/_sandbox/clock", json={"advance": 86_400})).json()
        after = await client.v1.customers.create_async()

        assert 86_400 <= after.created - before.created < 86_460
        assert (status["ahead"], status["is_frozen"]) == (ahead + 86_400, False)

    async def test_stands_still_when_frozen(self, sandbox: Sandbox, http: httpx2.AsyncClient) -> None:
        frozen = (await http.post("/_sandbox/clock", json={"freeze": True})).json()
        moved = (await http.post("/_sandbox/clock", json={"advance": 10})).json()
        await http.post("/_sandbox/clock", json={"freeze": False})

        assert frozen["is_frozen"]
        assert moved["now"] == frozen["now"] + 10
        assert 0 <= sandbox.clock.now() - moved["now"] <= 2

    @pytest.mark.parametrize("body", [{"advance": -1}, {"advance": "1"}, {"rewind": 1}])
    async def test_refuses_what_it_cannot_do(self, http: httpx2.AsyncClient, body: dict[str, object]) -> None:
        assert (await http.post("/_sandbox/clock", json=body)).status_code == 400

    @pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
    async def test_takes_json_objects_only(self, http: httpx2.AsyncClient, body: bytes) -> None:
        headers = {"Content-Type": "application/json"}

        assert (await http.post("/_sandbox/clock", content=body, headers=headers)).status_code == 400
        assert (await http.post("/_sandbox/clock", content=b"{}")).status_code == 400


class TestRestart:
    """The same file, opened by a second sandbox."""

    @pytest.fixture
    def settings(self, tmp_path: Path, url: str) -> SandboxSettings:
        target = WebhookTarget(url=url + HOOK_PATH, secret=SECRET)
        return SandboxSettings(state=tmp_path / "state.db", webhooks=(target,), webhook_backoff=(0.01,) * 50)

    @asynccontextmanager
    async def running(self, stage: Stage, settings: SandboxSettings) -> AsyncIterator[Sandbox]:
        sandbox = Sandbox(settings)
        async with sandbox.app.router.lifespan_context(sandbox.app):
            stage.app = sandbox.app
            yield sandbox

    async def test_objects_keys_and_clock_survive(
        self, stage: Stage, receiver: Receiver, settings: SandboxSettings, client: StripeClient
    ) -> None:
        async with self.running(stage, settings) as first:
            intent = await client.v1.payment_intents.create_async(payment(), {"idempotency_key": "order-17"})
            first.advance(3_600)
            ledger = first.ledger()

        async with self.running(stage, settings) as second:
            again = await client.v1.payment_intents.create_async(payment(), {"idempotency_key": "order-17"})
            assert again.id == intent.id
            assert second.ledger() == ledger
            assert second.clock.status().ahead == 3_600

    async def test_undelivered_webhooks_go_on(
        self, stage: Stage, receiver: Receiver, settings: SandboxSettings, client: StripeClient
    ) -> None:
        async with self.running(stage, settings) as first:
            first.dispatcher.pause()
            await client.v1.customers.create_async({"name": "Ada"})
        assert receiver.received == []

        async with self.running(stage, settings):
            [received] = await receiver.until(1)

        assert received.event["data"]["object"]["name"] == "Ada"
        assert WebhookSignature.verify_header(received.body.decode(), received.signature, SECRET, tolerance=5)


class TestProcess:
    @pytest.fixture
    def start(self, tmp_path: Path) -> Iterator[Start]:
        started: list[subprocess.Popen[str]] = []

        def start(*options: str) -> tuple[subprocess.Popen[str], str]:
            command = [
                sys.executable,
                "-m",
                "sandbox",
                "--port",
                "0",
                "--state",
                str(tmp_path / "s.db"),
                *options,
            ]
            process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603  # Our own program.
            started.append(process)
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("sandbox ready on http://127.0.0.1:")
            return process, line.split()[-1]

        yield start
        for process in started:
            process.kill()
            process.communicate()

    async def test_an_executed_request_is_remembered_after_a_kill(self, start: Start) -> None:
        process, base = start()
        async with httpx2.AsyncClient(base_url=base, headers=KEYED) as http:
            rule = {"path": "payment_intents", "kind": "hang_after", "seconds": 60}
            await http.post("/_sandbox/faults", json={"rules": [rule]})
            with pytest.raises(httpx2.ReadTimeout):
                await http.post("/v1/payment_intents", data=FORM, timeout=0.5)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

        _, base = start()
        async with httpx2.AsyncClient(base_url=base, headers=KEYED) as http:
            again = await http.post("/v1/payment_intents", data=FORM)
            ledger = (await http.get("/_sandbox/ledger")).json()

        assert again.headers["idempotent-replayed"] == "true"
        assert again.json()["status"] == "succeeded"
        assert ledger["totals"]["captures"] == 1

    async def test_ends_within_a_second_although_a_request_hangs(self, start: Start) -> None:
        process, base = start()
        async with httpx2.AsyncClient(base_url=base, headers=KEYED) as http:
            rule = {"path": "customers", "kind": "hang_before", "seconds": 60}
            await http.post("/_sandbox/faults", json={"rules": [rule]})
            with pytest.raises(httpx2.ReadTimeout):
                await http.post("/v1/customers", timeout=0.05)
        asked_at = time.monotonic()

        process.terminate()

        assert process.wait(timeout=5) == 0
        assert time.monotonic() - asked_at < 1

    async def test_takes_its_keys_and_webhooks_from_the_command_line(
        self, start: Start, receiver: Receiver, stage: Stage, url: str
    ) -> None:
        _, base = start(
            *("--secret-key", "sk_test_mine", "--webhook-url", url + HOOK_PATH, "--webhook-secret", SECRET),
            *("--webhook-event", "customer.created", "--webhook-backoff", "0.1,0.1"),
        )
        async with httpx2.AsyncClient(
            base_url=base, headers={"Authorization": "Bearer sk_test_mine"}
        ) as http:
            assert (await http.post("/v1/customers")).status_code == 200
        [received] = await receiver.until(1)

        event = stripe.Webhook.construct_event(received.body, received.signature, SECRET)
        assert event.type == "customer.created"


class TestBeginning:
    def test_is_in_the_past_where_that_is_asked(self, tmp_path: Path) -> None:
        sandbox = Sandbox(SandboxSettings(state=tmp_path / "state", begins_days_ago=90))

        assert abs(time.time() - sandbox.clock.now() - 90 * 86_400) < 5

    def test_is_remembered_and_never_set_back_again(self, tmp_path: Path) -> None:
        settings = SandboxSettings(state=tmp_path / "state", begins_days_ago=90)
        Sandbox(settings).advance(90 * 86_400)

        assert abs(time.time() - Sandbox(settings).clock.now()) < 5
