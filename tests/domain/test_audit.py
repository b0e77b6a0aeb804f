"""What a record says, and its one spelling for hashing."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from domain.actor import Actor, Role
from domain.audit import GENESIS, AuditRecord, audit_record, digest
from domain.identity import new_id
from domain.json_value import JsonValue
from domain.payment_status import PaymentStatus
from tests.domain.values import NOON, a_payment

ADMIN = Actor(role=Role.ADMIN, user_id=new_id(), request_id="request-1", ip="192.0.2.7")


def a_record(changes: dict[str, Any] | None = None, **known: Any) -> AuditRecord:
    record = audit_record("payment.created", None, a_payment(), at=NOON, by=ADMIN)
    return replace(record, **known) if changes is None else replace(record, changes=changes, **known)


class TestRecord:
    def test_tells_who_from_where_and_what_changed(self) -> None:
        before = a_payment()
        after = replace(before, status=PaymentStatus.COMPLETED, captured_amount=2500, completed_at=NOON)

        record = audit_record("payment.completed", before, after, at=NOON, by=ADMIN, note="by hand")

        assert (record.actor_role, record.actor_id, record.ip) == (Role.ADMIN, ADMIN.user_id, "192.0.2.7")
        assert record.before == {"status": "PENDING", "captured_amount": 0, "completed_at": None}
        assert record.after == {
            "status": "COMPLETED",
            "captured_amount": 2500,
            "completed_at": NOON.isoformat(),
        }
        assert record.note == "by hand"

    def test_keeps_lists_and_what_is_in_them(self) -> None:
        failure: JsonValue = {"at": NOON.isoformat(), "code": "generic_decline", "charge_id": None}
        before = a_payment()

        record = audit_record(
            "payment.failed", before, replace(before, failures=[failure]), at=NOON, by=ADMIN
        )

        assert record.before == {"failures": []}
        assert record.after == {"failures": [failure]}

    def test_of_a_new_object_has_nothing_before(self) -> None:
        assert a_record(previous_hash=GENESIS).before is None

    def test_without_a_note_has_none_though_an_attribute_of_that_name_changed(self) -> None:
        record = a_record({"note": [None, "hidden"]})

        assert record.note is None
        assert record.after == {"note": "hidden"}


class TestFacts:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (1e16, 10**16),
            (9.3e18, 9_300_000_000_000_000_000),
            (1e22, 1e22),
            (-0.0, 0),
            (2.0, 2),
            ({"b": 1, "a": [2.0]}, {"a": [2], "b": 1.0}),
        ],
    )
    def test_spell_equal_values_alike(self, one: Any, other: Any) -> None:
        assert a_record({"x": one}, id=ADMIN.known_id, object_id=ADMIN.known_id).facts == (
            a_record({"x": other}, id=ADMIN.known_id, object_id=ADMIN.known_id).facts
        )

    @pytest.mark.parametrize(("one", "other"), [(1, True), (0, None), (0.1, 0.10000000000000002), ("1", 1)])
    def test_spell_different_values_differently(self, one: Any, other: Any) -> None:
        record = a_record({"x": one})

        assert record.facts != replace(record, changes={"x": other}).facts

    def test_spell_an_instant_alike_in_every_zone(self) -> None:
        at = datetime(2026, 7, 1, 12, 0, 0, 1, tzinfo=UTC)
        record = a_record(at=at)

        assert replace(record, at=at.astimezone(timezone(timedelta(hours=5)))).facts == record.facts
        assert json.loads(record.facts)["at"] == "2026-07-01T12:00:00.000001+00:00"

    def test_leave_out_what_is_not_known_so_that_new_kinds_of_facts_may_come(self) -> None:
        assert "occurred_at" not in json.loads(a_record().facts)

    def test_refuse_what_json_cannot_say(self) -> None:
        with pytest.raises(ValueError, match="JSON"):
            _ = a_record({"x": float("nan")}).facts

    @pytest.mark.parametrize(
        "change",
        [
            {"id": new_id()},
            {"at": NOON + timedelta(microseconds=1)},
            {"occurred_at": NOON},
            {"actor_role": Role.USER},
            {"actor_id": None},
            {"ip": None},
            {"request_id": "request-2"},
            {"action": "payment.failed"},
            {"object_id": new_id()},
            {"changes": {}},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_are_all_in_the_hash(self, change: dict[str, Any]) -> None:
        record = a_record()

        assert digest(GENESIS, replace(record, **change)) != digest(GENESIS, record)

    def test_are_in_the_hash_with_the_hash_before(self) -> None:
        assert digest("1" * 64, a_record()) != digest(GENESIS, a_record())
