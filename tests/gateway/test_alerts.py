"""What docs/alerts.yml and docs/operations.md speak of is there."""

import re
from pathlib import Path

from prometheus_client import REGISTRY

from domain.events import InboxStatus
from domain.invariants import InvariantName
from domain.operation import OperationState
from gateway.metrics import Read
from persistence.vital_signs import OPEN, WAITING, Reconciled, VitalSigns, Waiting

ROOT = Path(__file__).parents[2]
RULES = (ROOT / "docs/alerts.yml").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
ALARMS = OPERATIONS.split("## Alarms\n")[1].split("\n## ")[0]
ROOMS = ("domain", "gateway", "gql", "persistence", "processor", "web")
METRIC = re.compile(r"\bpayments_[a-z_]+")
LABELLED = re.compile(r'(payments_[a-z_]+)\{(\w+)="(\w+)"\}')
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


def told() -> set[str]:
    """The names of all metrics."""
    read = {family.name for family in Read(SIGNS, is_spared=False).collect()}
    return read | {family.name for family in REGISTRY.collect() if family.name.startswith("payments_")}


def written(text: str) -> set[str]:
    return {SUFFIX.sub("", name) for name in METRIC.findall(text)}


class TestAlerts:
    def test_are_about_metrics_that_are_there(self) -> None:
        assert written(RULES) <= told()

    def test_are_about_states_that_are_there(self) -> None:
        states = {
            (sample.name, *labels)
            for family in (*Read(SIGNS, is_spared=False).collect(), *REGISTRY.collect())
            for sample in family.samples
            for labels in sample.labels.items()
        }
        named = {found for found in LABELLED.findall(RULES) if "stripe" not in found[0]}

        assert named
        assert named <= states
        assert {state for _, label, state in named if label == "state"} <= set(OperationState)
        assert {status for name, label, status in named if "webhook" in name} <= set(InboxStatus)

    def test_use_every_metric(self) -> None:
        counted_beside = {"payments_operations_open", "payments_webhook_events"}

        assert told() - written(RULES) == counted_beside

    def test_are_all_explained(self) -> None:
        assert set(re.findall(r"^\| (Payments\w+) ", ALARMS, re.MULTILINE)) == set(
            re.findall(r"alert: (\w+)", RULES)
        )
        assert written(ALARMS) <= told()

    def test_name_events_that_are_logged(self) -> None:
        column = [row.split("|")[3] for row in re.findall(r"^\| Payments.*", ALARMS, re.MULTILINE)]
        events = set(re.findall(r"`([a-z_]+\.[a-z_]+)`", " ".join(column)))
        code = "".join(
            file.read_text(encoding="utf-8") for room in ROOMS for file in (ROOT / room).rglob("*.py")
        )

        assert "invariant.broken" in events
        assert [event for event in events if f'"{event}"' not in code] == []

    def test_have_a_section_for_every_invariant(self) -> None:
        assert [name for name in InvariantName if f"`{name}`" not in OPERATIONS] == []
