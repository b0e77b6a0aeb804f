import re
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from domain.events import InboxEvent, Unhandled
from domain.identity import new_id
from gateway.app import GRAPHQL, STRIPE_WEBHOOK
from gateway.cli import app as command
from gateway.settings import settings_table
from processor.stripe_client import API_VERSION
from processor.stripe_events import StripeNews
from sandbox.webhooks.types import EVENT_TYPES
from web.health import LIVENESS, READINESS

ROOT = Path(__file__).parents[2]
KINDS = (
    "charge",
    "customer.subscription",
    "invoice",
    "invoice_payment",
    "payment_intent",
    "payment_method",
    "price",
    "product",
    "refund",
    "setup_intent",
    "subscription_schedule",
)
EVENT_TYPE = re.compile(rf"`((?:{'|'.join(map(re.escape, KINDS))})\.[a-z_.]+)`")
ANY_OBJECT = {
    "id": "thing_1",
    "object": "thing",
    "customer": "cus_1",
    "invoice": "in_1",
    "product": "prod_1",
    "recurring": {"interval": "month"},
    "subscription": "sub_1",
}
"""With what an event's object names, for types of which Stripe's examples have none."""

READ_AS_THEY_ARE = ("charge.", "payment_intent.", "payment_method.", "refund.", "setup_intent.")
"""Of these there are examples of all that matter."""


@pytest.fixture(scope="module")
def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def handled_types() -> set[str]:
    """The types of those of Stripe's example events, and of further ones of the sandbox, that change something here."""
    samples = [orjson.loads(sample.read_bytes()) for sample in (ROOT / "tests/stripe/events").glob("*.json")]
    without_sample = set(EVENT_TYPES) - {sample["type"] for sample in samples}
    further = [{**samples[0], "type": kind, "data": {"object": ANY_OBJECT}} for kind in without_sample]
    hints = [event for event in further if not event["type"].startswith(READ_AS_THEY_ARE)]
    return {sample["type"] for sample in [*samples, *hints] if not is_unhandled(sample)}


def is_unhandled(sample: dict[str, object]) -> bool:
    now = datetime.now(UTC)
    event = InboxEvent(
        id=new_id(),
        processor_event_id=str(sample["id"]),
        type=str(sample["type"]),
        livemode=False,
        api_version=API_VERSION,
        payload=orjson.dumps(sample).decode(),
        occurred_at=now,
        received_at=now,
    )
    return isinstance(StripeNews(()).read(event), Unhandled)


class TestReadme:
    def test_has_the_table_of_settings_as_the_command_prints_it(self, readme: str) -> None:
        table = re.search(r"<!-- settings: [^>]*-->\n(.*?)\n<!-- /settings -->", readme, re.DOTALL)

        assert table is not None
        assert table[1] == settings_table()

    def test_asks_for_exactly_the_events_that_are_handled(self, readme: str) -> None:
        assert set(EVENT_TYPE.findall(readme)) == handled_types()

    @pytest.mark.parametrize("fact", [API_VERSION, STRIPE_WEBHOOK, GRAPHQL, LIVENESS, READINESS])
    def test_names_what_an_operator_must_enter_elsewhere(self, readme: str, fact: str) -> None:
        assert fact in readme

    def test_lists_every_command(self, readme: str) -> None:
        names = [each.name or each.callback.__name__ for each in command.registered_commands if each.callback]
        names += [
            f"{group.name} {each.name or each.callback.__name__}"
            for group in command.registered_groups
            if group.typer_instance
            for each in group.typer_instance.registered_commands
            if each.callback
        ]

        assert names
        assert [name for name in names if f"`payments-gateway {name}" not in readme] == []

    def test_leads_to_files_that_are_there(self, readme: str) -> None:
        targets = re.findall(r"\]\(([^)#:]+)\)", readme)

        assert [target for target in targets if not (ROOT / target).exists()] == []
