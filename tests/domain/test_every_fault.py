"""
Every command that reaches Stripe, spoilt in every way: in the end it was carried out once, and everybody knows.

By default three faults stand for all, as a command can tell no more apart: it was not carried out; it was, and the
answer got lost; it was, and an error is stored as the answer. FULL=1 tries every kind.
"""

import os
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.actor import Actor
from domain.attempt import KEYS_ARE_KNOWN_FOR
from domain.commands.catalogue import COMMANDS
from domain.errors import ProcessorRefused, ProcessorUnavailable
from domain.operation import OperationState
from gateway.wiring import Gateway
from sandbox import Sandbox
from sandbox.control.faults import Kind, Rule
from tests.dashboard import Dashboard
from tests.domain.every_command import SCENARIOS, Prepared, Scene
from tests.domain.faults import HANGING
from tests.domain.shopping import Cardholder, Post
from tests.domain.subscriptions.conftest import gateway, sandbox_settings
from tests.domain.subscriptions.subscribing import Subscriber

__all__ = ["gateway", "sandbox_settings"]

KEY = "fault-017"
FULL = os.environ.get("FULL") == "1"
ENOUGH = 4
"""Attempts of one call."""
REPRESENTATIVE = [
    (Kind.RESET_BEFORE, ENOUGH),
    (Kind.RESET_AFTER, ENOUGH),
    (Kind.ERROR_AFTER, 1),
]
FAULTS = [(kind, times) for kind in Kind for times in (1, ENOUGH)] if FULL else REPRESENTATIVE

pytestmark = pytest.mark.usefixtures("impatient")


@pytest.fixture
def scene(
    gateway: Gateway,
    actor: Actor,
    admin: Actor,
    dashboard: Dashboard,
    sandbox: Sandbox,
    post: Post,
    cardholder: Cardholder,
) -> Scene:
    return Scene(
        user=Subscriber(gateway=gateway, actor=actor, dashboard=dashboard),
        clerk=Subscriber(gateway=gateway, actor=admin, dashboard=dashboard),
        sandbox=sandbox,
        post=post,
        cardholder=cardholder,
    )


def spoil(scene: Scene, prepared: Prepared, kind: Kind, times: int) -> None:
    """A delay is longer than we wait for an answer."""
    seconds = 5.0 if kind in HANGING else 0.4
    rule = Rule(
        path=re.compile(prepared.path), kind=kind, method=prepared.method, times=times, seconds=seconds
    )
    scene.sandbox.faults.add([rule])


async def settled(prepared: Prepared) -> OperationState:
    """After as many visits of the worker, an hour apart, as the fault may last."""
    for hours in range(1, ENOUGH + 1):
        operation = await prepared.by.operation(prepared.command.mutation, KEY)
        if operation.has_ended:
            break
        await resumed_after(prepared.by.gateway, timedelta(hours=hours))
    return (await prepared.by.operation(prepared.command.mutation, KEY)).state


async def resumed_after(gateway: Gateway, pause: timedelta) -> None:
    commands = gateway.services.commands
    later = commands.clock() + pause
    await replace(commands, clock=lambda: later).resume_abandoned()


class TestScenarios:
    async def test_leave_no_command_out_that_reaches_stripe(self, scene: Scene) -> None:
        reaching = {name for name, command in COMMANDS.items() if not command.is_local}

        assert {scenario.mutation for scenario in SCENARIOS.values()} == reaching


@pytest.mark.parametrize(("kind", "times"), FAULTS)
@pytest.mark.parametrize("name", SCENARIOS)
class TestSpoiltCommand:
    async def test_is_carried_out_once_and_everybody_knows(
        self, scene: Scene, name: str, kind: Kind, times: int
    ) -> None:
        prepared = await SCENARIOS[name].prepare(scene)
        spoil(scene, prepared, kind, times)

        first = (await prepared.by.does(prepared.command, key=KEY)).operation
        state = await settled(prepared)

        assert first.has_ended or isinstance(first.verdict, ProcessorUnavailable)
        assert state is OperationState.SUCCEEDED
        assert prepared.effect() == prepared.done


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name != "start_setup"])
class TestOperationOfYesterday:
    """
    Which nobody came to resume for more than a day, so that Stripe has forgotten its key.

    A set-up of yesterday is of no use to anybody, whether Stripe has it or not.
    """

    async def test_that_was_carried_out_has_succeeded(self, scene: Scene, name: str) -> None:
        prepared = await SCENARIOS[name].prepare(scene)
        await self.fails(scene, prepared, Kind.RESET_AFTER)

        await self.is_resumed_tomorrow(scene)

        operation = await prepared.by.operation(prepared.command.mutation, KEY)
        assert operation.state is OperationState.SUCCEEDED
        assert prepared.effect() == prepared.done

    async def test_that_was_not_is_given_up(self, scene: Scene, name: str) -> None:
        prepared = await SCENARIOS[name].prepare(scene)
        before = prepared.effect()
        await self.fails(scene, prepared, Kind.RESET_BEFORE)

        await self.is_resumed_tomorrow(scene)

        operation = await prepared.by.operation(prepared.command.mutation, KEY)
        assert isinstance(operation.verdict, ProcessorRefused)
        assert operation.verdict.reason == "too_late"
        assert prepared.effect() == before

    async def fails(self, scene: Scene, prepared: Prepared, kind: Kind) -> None:
        spoil(scene, prepared, kind, ENOUGH)
        operation = (await prepared.by.does(prepared.command, key=KEY)).operation
        assert operation.state is OperationState.OUTCOME_UNKNOWN
        scene.sandbox.faults.clear()

    async def is_resumed_tomorrow(self, scene: Scene) -> None:
        await resumed_after(scene.user.gateway, KEYS_ARE_KNOWN_FOR + timedelta(minutes=1))
