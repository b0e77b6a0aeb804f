import re
from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import domain
from domain.actor import SYSTEM, Actor, Role
from domain.audit import KINDS, NOT_RECORDED, AuditRecord, audit_record
from domain.billing_event import MORE_IS_KNOWN, SHOWN_TO_OWNERS, SUMMARIES, billing_event, summary
from domain.dispute import DisputeStatus
from domain.identity import new_id
from domain.invoice import InvoiceStatus
from domain.payment_method import SetupStatus
from domain.payment_status import PaymentStatus, SyncSource
from domain.refund import RefundStatus
from domain.subscription_status import SubscriptionStatus
from tests.domain.values import NOON, OWNER, a_payment

PAYER = Actor(role=Role.USER, user_id=OWNER)
CLERK = Actor(role=Role.ADMIN, user_id=new_id(), request_id="request-1")
SUPPORT = Actor(role=Role.SUPPORT, user_id=new_id())


def a_failure(by: Actor = SYSTEM, **known: Any) -> AuditRecord:
    before = a_payment()
    after = replace(
        before,
        status=PaymentStatus.FAILED,
        decline_code="stolen_card",
        decline_advice="do_not_try_again",
        processor_payment_id="pi_1",
        last_event_id="evt_1",
        synced_by=SyncSource.WEBHOOK,
    )
    return audit_record("payment.failed", before, after, at=NOON, by=by, **known)


class TestPayer:
    def test_learns_the_status_and_nothing_that_is_concealed(self) -> None:
        event = billing_event(a_failure(note="looks like a thief"), seen_by=PAYER)

        assert event.changes == {"status": {"before": "PENDING", "after": "FAILED"}}

    def test_learns_that_staff_acted_but_not_who(self) -> None:
        event = billing_event(a_failure(by=CLERK), seen_by=PAYER)

        assert (event.actor_role, event.actor_id) == (Role.ADMIN, None)

    def test_is_told_of_themselves(self) -> None:
        assert billing_event(a_failure(by=PAYER), seen_by=PAYER).actor_id == OWNER


class TestSupport:
    def test_learns_everything(self) -> None:
        event = billing_event(a_failure(by=CLERK, note="looks like a thief"), seen_by=SUPPORT)

        assert event.actor_id == CLERK.user_id
        assert event.changes["decline_code"] == {"before": None, "after": "stolen_card"}
        assert event.changes["note"] == "looks like a thief"


class TestTimes:
    def test_are_the_processors_and_ours(self) -> None:
        earlier = NOON - timedelta(hours=3)

        late = billing_event(a_failure(occurred_at=earlier), seen_by=PAYER)
        own = billing_event(a_failure(), seen_by=PAYER)

        assert (late.occurred_at, late.recorded_at) == (earlier, NOON)
        assert (own.occurred_at, own.recorded_at) == (NOON, NOON)


class TestSource:
    @pytest.mark.parametrize(
        ("by", "changes", "source"),
        [
            (PAYER, {}, SyncSource.API_CALL),
            (SYSTEM, {}, SyncSource.WEBHOOK),
            (replace(SYSTEM, request_id="request-1"), {}, SyncSource.API_CALL),
            (replace(SYSTEM, request_id="evt_1"), {}, SyncSource.WEBHOOK),
            (SYSTEM, {"synced_by": ["WEBHOOK", "RECONCILIATION"]}, SyncSource.RECONCILIATION),
        ],
    )
    def test_is_what_the_record_tells(self, by: Actor, changes: dict[str, Any], source: SyncSource) -> None:
        record = replace(a_failure(by=by), changes=changes)

        assert billing_event(record, seen_by=PAYER).source is source

    def test_shown_to_owners_are_all_of_something_that_is_recorded(self) -> None:
        recorded = {part.name for audited in KINDS for part in fields(audited)} - NOT_RECORDED

        assert recorded >= SHOWN_TO_OWNERS


def recorded_actions() -> set[str]:
    """What the domain's sources name: whole actions, and those that end with a status."""
    kinds = "|".join(kind.lower() for kind in KINDS.values())
    sources = [source.read_text() for source in Path(domain.__path__[0]).rglob("*.py")]
    named = {
        action
        for source in sources
        if "SUMMARIES" not in source
        for action in re.findall(rf'"((?:{kinds})\.[a-z_]+)"', source)
    }
    by_status = {kind for source in sources for kind in re.findall(rf'f"({kinds})\.{{', source)}
    return named | {f"{kind}.{end}" for kind in by_status for end in ENDS[kind]}


ENDS: Mapping[str, Collection[str]] = {
    "dispute": [status.lower() for status in DisputeStatus],
    "entitlement": ["made", "changed", "restored", "revoked"],
    "invoice": [status.lower() for status in InvoiceStatus],
    "payment": [status.lower() for status in PaymentStatus],
    "payment_method_setup": [status.lower() for status in SetupStatus],
    "refund": [status.lower() for status in RefundStatus],
    "subscription": [status.lower() for status in SubscriptionStatus],
}


class TestSummary:
    def test_is_there_for_every_recorded_action_and_for_no_other(self) -> None:
        assert set(SUMMARIES) == recorded_actions()

    @pytest.mark.parametrize("sentence", SUMMARIES.values())
    def test_is_a_sentence(self, sentence: str) -> None:
        assert sentence[0].isupper()
        assert sentence.endswith(".")

    def test_of_an_unknown_action_is_its_own_words(self) -> None:
        assert summary(replace(a_failure(), action="payment.left_behind")) == "Payment left behind."

    def test_of_a_state_that_stays_says_that_more_is_known(self) -> None:
        record = replace(a_failure(), action="payment.completed", changes={"receipt_url": [None, "x"]})

        assert summary(record) == MORE_IS_KNOWN
