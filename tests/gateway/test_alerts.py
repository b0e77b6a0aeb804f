"""What docs/alerts.yml, docs/grafana.json and docs/operations.md speak of is there."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import REGISTRY

import gateway.worker  # noqa: F401 - servers load it only with the worker, and its metrics are told of, too.
from domain.events import InboxStatus
from domain.invariants import InvariantName
from domain.operation import OperationState
from gateway.metrics import OwnSigns, Read
from gql.outcome import RequestOutcome
from persistence.pool import PoolUse
from persistence.vital_signs import OPEN, WAITING, Reconciled, VitalSigns, Waiting

ROOT = Path(__file__).parents[2]
RULES = (ROOT / "docs/alerts.yml").read_text(encoding="utf-8")
DASHBOARD = (ROOT / "docs/grafana.json").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
ALARMS, LOGS, METRICS = (
    OPERATIONS.split(f"\n## {section}\n")[1].split("\n## ")[0] for section in ("Alarms", "Logs", "Metrics")
)
ROOMS = ("domain", "gateway", "gql", "persistence", "processor", "web")
METRIC = re.compile(r"\bpayments_[a-z_]+")
LABELLED = re.compile(r'(payments_[a-z_]+)\{(\w+)="(\w+)"\}')
COUNTED_LATER = ("payments_stripe_", "payments_graphql_")
"""Which have no series before something happens."""
EVENT = re.compile(r"`([a-z_]+\.[a-z_]+)`")
LOGGED = re.compile(r'\blog\.(?:debug|info|warning|error|exception)\(\s*"([a-z_]+\.[a-z_]+)"')
SUFFIX = re.compile("_(count|sum|bucket|total)$")

SIGNS = VitalSigns(
    operations={state: Waiting() for state in OPEN},
    events={status: Waiting() for status in WAITING},
    jobs={("handle_event", "failed"): 1, ("handle_event", "queued"): 1},
    violations={name.value: 0 for name in InvariantName},
    checked=1,
    reconciled={kind: Reconciled(age=1, unhealed=0) for kind in ("EVENTS", "OBJECTS")},
    unsealed=0,
)
OWN = OwnSigns(is_spared=False, pool=PoolUse(size=10, in_use=0, waiting=0))


def told() -> set[str]:
    """The names of all metrics."""
    read = {family.name for family in Read(SIGNS, OWN).collect()}
    return read | {family.name for family in REGISTRY.collect() if family.name.startswith("payments_")}


def written(text: str) -> set[str]:
    return {SUFFIX.sub("", name) for name in METRIC.findall(text)}


class TestAlerts:
    def test_are_about_metrics_that_are_there(self) -> None:
        assert written(RULES) <= told()

    def test_are_about_states_that_are_there(self) -> None:
        states = {
            (sample.name, *labels)
            for family in (*Read(SIGNS, OWN).collect(), *REGISTRY.collect())
            for sample in family.samples
            for labels in sample.labels.items()
        }
        named = {found for found in LABELLED.findall(RULES) if not found[0].startswith(COUNTED_LATER)}

        assert named
        assert named <= states
        assert {state for _, label, state in named if label == "state"} <= set(OperationState)
        assert {status for name, label, status in named if "webhook" in name} <= set(InboxStatus)

    def test_are_about_outcomes_that_are_there(self) -> None:
        outcomes = {
            value
            for name, label, value in LABELLED.findall(RULES)
            if "graphql" in name and label == "outcome"
        }

        assert outcomes
        assert outcomes <= set(RequestOutcome)

    def test_use_every_metric_that_the_dashboard_does_not(self) -> None:
        assert told() - written(RULES) - written(DASHBOARD) == set()

    def test_are_all_explained(self) -> None:
        assert set(re.findall(r"^\| (Payments\w+) ", ALARMS, re.MULTILINE)) == set(
            re.findall(r"alert: (\w+)", RULES)
        )
        assert written(ALARMS) <= told()

    def test_name_events_that_the_guide_explains(self) -> None:
        column = [row.split("|")[3] for row in re.findall(r"^\| Payments.*", ALARMS, re.MULTILINE)]
        events = set(EVENT.findall(" ".join(column)))

        assert "invariant.broken" in events
        assert events <= set(EVENT.findall(LOGS))

    def test_have_a_section_for_every_invariant(self) -> None:
        assert [name for name in InvariantName if f"`{name}`" not in OPERATIONS] == []


class TestGuide:
    def test_explains_every_metric_and_no_other(self) -> None:
        assert written(METRICS) == told()

    def test_explains_every_event_of_the_log_and_no_other(self) -> None:
        code = code_of(ROOMS)
        explained = set(EVENT.findall(LOGS))

        assert set(LOGGED.findall(code)) <= explained
        assert [event for event in explained if f'"{event}"' not in code] == []


def code_of(rooms: Iterable[str]) -> str:
    return "".join(file.read_text(encoding="utf-8") for room in rooms for file in (ROOT / room).rglob("*.py"))


class TestDashboard:
    def test_is_about_metrics_that_are_there(self) -> None:
        assert written(DASHBOARD) <= told()

    def test_has_a_title_and_a_question_in_each_panel_and_none_twice(self) -> None:
        panels = json.loads(DASHBOARD)["panels"]
        places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}

        assert len({panel["id"] for panel in panels}) == len(places) == len(panels) > 0
        assert all(panel["title"] and panel["targets"] for panel in panels)
        assert all(
            target["expr"].count("(") == target["expr"].count(")")
            for panel in panels
            for target in panel["targets"]
        )
