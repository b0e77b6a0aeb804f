"""The invariants are in the database, whatever the code above it does."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError

from domain.account import BillingAccount
from domain.actor import SYSTEM
from domain.audit import audit_record
from domain.errors import Busy, ProcessorUnavailable
from domain.identity import new_id
from domain.operation import ObjectKind, OperationState
from domain.payment_status import PaymentStatus
from domain.ports import Database
from gateway.wiring import Gateway
from tests.domain.values import NOON, a_method, a_payment, an_operation

pytestmark = pytest.mark.usefixtures("owner")

S = PaymentStatus
IMPOSSIBLE: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "an amount of zero": ("ck_payments_amount", {"amount": 0}),
    "a negative amount": ("ck_payments_amount", {"amount": -1}),
    "captured beyond the amount": ("ck_payments_captured_amount", {"captured_amount": 2501}),
    "captured less than nothing": ("ck_payments_captured_amount", {"captured_amount": -1}),
    "authorised beyond the amount": ("ck_payments_authorized_amount", {"authorized_amount": 2501}),
    "a currency in small letters": ("ck_payments_currency", {"currency": "usd"}),
    "completed at no time": ("ck_payments_completed_at", {"status": S.COMPLETED}),
    "a time of completion too early": ("ck_payments_completed_at", {"completed_at": NOON}),
    "failed for no reason": ("ck_payments_decline", {"status": S.FAILED}),
    "no version": ("ck_payments_version", {"version": 0}),
    "an unknown owner": ("fk_payments_user_id", {"user_id": new_id()}),
    "an unknown method": ("fk_payments_payment_method_id", {"payment_method_id": new_id()}),
}


class TestPayments:
    @pytest.mark.parametrize(("constraint", "changes"), IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
    async def test_refuse_what_cannot_be(
        self, database: Database, constraint: str, changes: Mapping[str, Any]
    ) -> None:
        with pytest.raises(IntegrityError, match=constraint):
            async with database.work() as work:
                await work.payments.add(a_payment(**changes))

    async def test_belong_to_one_intent_each(self, database: Database) -> None:
        async with database.work() as work:
            await work.payments.add(a_payment(processor_payment_id="pi_1"))

        with pytest.raises(IntegrityError, match="uq_payments_processor_payment_id"):
            async with database.work() as work:
                await work.payments.add(a_payment(processor_payment_id="pi_1"))

    async def test_come_back_as_they_were(self, database: Database) -> None:
        payment = a_payment(
            description="Zwei Kaffee ☕", details={"a": [1, None, {"b": "ü"}]}, amount=999_999_999_999
        )

        async with database.work() as work:
            await work.payments.add(payment)

        async with database.reads() as reads:
            assert await reads.payments.get(payment.id) == payment


class TestPaymentMethods:
    async def test_have_one_default_per_user(self, database: Database) -> None:
        async with database.work() as work:
            await work.payment_methods.add(a_method(processor_method_id="pm_1", is_default=True))

        with pytest.raises(IntegrityError, match="uq_payment_methods_default"):
            async with database.work() as work:
                await work.payment_methods.add(a_method(processor_method_id="pm_2", is_default=True))

    async def test_are_no_default_once_removed(self, database: Database) -> None:
        with pytest.raises(IntegrityError, match="ck_payment_methods_default_is_attached"):
            async with database.work() as work:
                await work.payment_methods.add(a_method(is_default=True, detached_at=NOON))

    async def test_are_known_once(self, database: Database) -> None:
        async with database.work() as work:
            first = await work.payment_methods.add(a_method(processor_method_id="pm_1"))
            second = await work.payment_methods.add(a_method(processor_method_id="pm_1"))

        assert (first, second) == (True, False)

    async def test_stay_while_a_payment_names_them(self, database: Database, gateway: Gateway) -> None:
        method = a_method()
        async with database.work() as work:
            await work.payment_methods.add(method)
            await work.payments.add(a_payment(payment_method_id=method.id))

        with pytest.raises(IntegrityError, match="fk_payments_payment_method_id"):
            async with gateway.engine.begin() as connection:
                await connection.exec_driver_sql("DELETE FROM payment_methods")


class TestOperations:
    async def test_use_a_key_once_per_caller_and_mutation(self, database: Database) -> None:
        first = an_operation()
        others = [
            replace(first, id=new_id(), caller_id=new_id()),
            replace(first, id=new_id(), mutation="other"),
        ]

        async with database.work() as work:
            added = [
                await work.operations.add(each) for each in (first, replace(first, id=new_id()), *others)
            ]

        assert added == [True, False, True, True]

    async def test_are_open_once_per_object(self, database: Database) -> None:
        first = an_operation(object_id=new_id())
        async with database.work() as work:
            await work.operations.add(first)

        with pytest.raises(Busy):
            async with database.work() as work:
                await work.operations.add(an_operation(object_id=first.object_id))
        async with database.work() as work:
            await work.operations.save(first.ended(object_id=None, verdict=None, at=NOON))
            assert await work.operations.add(an_operation(object_id=first.object_id))

    async def test_about_no_object_do_not_stand_in_each_others_way(self, database: Database) -> None:
        async with database.work() as work:
            assert await work.operations.add(an_operation())
            assert await work.operations.add(an_operation())

    @pytest.mark.parametrize(
        "changes",
        [{"state": OperationState.SUCCEEDED}, {"finished_at": NOON}, {"key": "short"}, {"key": "x" * 256}],
    )
    async def test_refuse_what_cannot_be(self, database: Database, changes: Mapping[str, Any]) -> None:
        with pytest.raises(IntegrityError, match="ck_operations"):
            async with database.work() as work:
                await work.operations.add(an_operation(**changes))

    async def test_failed_for_no_reason_are_refused(self, database: Database) -> None:
        operation = an_operation(state=OperationState.FAILED, finished_at=NOON)

        with pytest.raises(IntegrityError, match="ck_operations_error"):
            async with database.work() as work:
                await work.operations.add(operation)

    async def test_abandoned_are_leased_oldest_first_and_to_one_asker(self, database: Database) -> None:
        abandoned = [an_operation(leased_until=NOON - timedelta(minutes=age)) for age in (1, 3, 2)]
        running = an_operation(leased_until=NOON + timedelta(minutes=1))
        async with database.work() as work:
            for each in (*abandoned, running):
                await work.operations.add(each)

        until = NOON + timedelta(minutes=5)
        async with database.work() as one, database.work() as other:
            first = await one.operations.lease_abandoned(at=NOON, until=until, limit=2)
            second = await other.operations.lease_abandoned(at=NOON, until=until, limit=2)

        assert {each.id for each in first} == {abandoned[1].id, abandoned[2].id}
        assert [each.id for each in second] == [abandoned[0].id]
        assert {(each.attempts, each.leased_until) for each in (*first, *second)} == {(2, until)}

    async def test_end_once(self, database: Database, owner: BillingAccount) -> None:
        running = an_operation(object_id=new_id())
        refused = running.ended(object_id=None, verdict=ProcessorUnavailable(), at=NOON)
        async with database.work() as work:
            await work.operations.add(running)

            ends = [await work.operations.end(ended) for ended in (refused, replace(refused, attempts=9))]

            assert ends == [True, False]
            assert await work.operations.locked(running.id) == refused

    async def test_that_have_gone_cannot_be_locked(self, database: Database) -> None:
        async with database.work() as work:
            with pytest.raises(LookupError, match="has gone"):
                await work.operations.locked(new_id())


class TestAccounts:
    async def test_have_one_customer_each(self, database: Database, owner: BillingAccount) -> None:
        other = replace(owner, user_id=new_id())
        async with database.work() as work:
            await work.accounts.ensure(other)
            await work.accounts.set_customer(owner.user_id, "cus_1", at=NOON)

        with pytest.raises(IntegrityError, match="uq_billing_accounts_processor_customer_id"):
            async with database.work() as work:
                await work.accounts.set_customer(other.user_id, "cus_1", at=NOON)

    async def test_keep_their_first_customer(self, database: Database, owner: BillingAccount) -> None:
        async with database.work() as work:
            linked = await work.accounts.set_customer(owner.user_id, "cus_1", at=NOON)
            again = await work.accounts.set_customer(owner.user_id, "cus_2", at=NOON)
            kept = await work.accounts.get(owner.user_id)

        assert linked == replace(owner, processor_customer_id="cus_1", updated_at=NOON)
        assert (again, kept) == (None, linked)


class TestAuditTrail:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE audit_records SET action = 'nothing.happened'",
            "DELETE FROM audit_records",
            "TRUNCATE audit_records",
        ],
    )
    async def test_only_grows(self, database: Database, gateway: Gateway, statement: str) -> None:
        payment = a_payment()
        async with database.work() as work:
            await work.audit.add(audit_record("payment.created", None, payment, at=NOON, by=SYSTEM))

        with pytest.raises(DBAPIError, match="only ever added"):
            async with gateway.engine.begin() as connection:
                await connection.exec_driver_sql(statement)

        async with database.reads() as reads:
            [record] = await reads.audit.of_object(ObjectKind.PAYMENT, payment.id)
        assert (record.action, record.actor_role) == ("payment.created", SYSTEM.role)
        assert record.changes["amount"] == [None, 2500]
        assert not {"description", "details"} & record.changes.keys()
