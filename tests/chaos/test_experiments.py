"""The short form of each experiment of docs/reliability.md, with one seed. The long form is `make chaos`."""

import pytest

from tests.chaos.catalogue import Experiment
from tests.chaos.crashes import CRASHES, Crash, crashed
from tests.chaos.duplicates import on_two_replicas, one_per_plan, refunds, reused_keys
from tests.chaos.faults import every_fault
from tests.chaos.flood import flood
from tests.chaos.keys import on_every_post
from tests.chaos.laboratory import Laboratory
from tests.chaos.outages import without_postgres
from tests.chaos.weather import bad_day

EXPERIMENTS = {
    "M3 one per plan": one_per_plan,
    "M4": reused_keys,
    "M5": every_fault,
    "M6": refunds,
    "M7 at once": on_two_replicas,
    "M10": flood,
    "M12": without_postgres,
    "bad day": bad_day,
}
KILLED = {f"{crash.experiment} {crash.kind.made}": crash for crash in (*CRASHES["M1"][1:], CRASHES["M7"][0])}
"""Of the payments of one server, tests/acceptance/test_crashes.py has each point."""


class TestExperiment:
    @pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=EXPERIMENTS.keys())
    async def test_in_short_holds(self, laboratory: Laboratory, experiment: Experiment) -> None:
        found = await experiment(laboratory)

        assert [each for each in found if not each.holds] == []
        assert [each for each in await on_every_post(laboratory) if not each.holds] == []


class TestKill:
    @pytest.mark.parametrize("crash", KILLED.values(), ids=KILLED.keys())
    async def test_before_and_after_stripe_charges_once(self, laboratory: Laboratory, crash: Crash) -> None:
        found = await crashed(laboratory, crash)

        assert found.holds, found
