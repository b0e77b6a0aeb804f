"""`payments-gateway forget-user`: asks first, tells what it did, and says what stands in the way."""

import json
from collections.abc import Callable
from uuid import uuid4

import pytest

from domain.actor import Actor
from gateway.wiring import Gateway
from tests.domain.shopping import Shopper
from tests.gateway.test_cli import Run, logging_restored, run
from tests.gateway.test_metadata_command import environment

__all__ = ["environment", "logging_restored", "run"]


@pytest.fixture
def forget(run: Run, gateway: Gateway, environment: dict[str, str], actor: Actor) -> Callable[..., object]:
    settings = {**environment, "STRIPE_API_BASE": gateway.settings.stripe_api_base}
    return lambda *options: run("forget-user", str(actor.known_id), *options, **settings)


class TestForgetUser:
    async def test_tells_what_it_did(self, forget: Run, gateway: Gateway, actor: Actor) -> None:
        await Shopper(gateway=gateway, actor=actor).saves()

        told = await forget("--yes", "--json")
        again = await forget("--yes")

        done = json.loads(told.stdout)
        assert (told.exit_code, again.exit_code) == (0, 0)
        assert (done["methods_removed"], done["is_customer_deleted"]) == (1, True)
        assert "payment methods removed" in again.stdout

    async def test_does_nothing_unless_it_is_meant(self, forget: Run, gateway: Gateway, actor: Actor) -> None:
        shopper = Shopper(gateway=gateway, actor=actor)
        await shopper.saves()

        unanswered = await forget()

        assert unanswered.exit_code == 1
        assert len(await shopper.methods()) == 1

    async def test_of_somebody_unknown_is_refused(self, run: Run, environment: dict[str, str]) -> None:
        result = await run("forget-user", str(uuid4()), "--yes", **environment)

        assert (result.exit_code, "There is no such user here." in result.stderr) == (1, True)
