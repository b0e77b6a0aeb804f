"""Admins compare what we know with what Stripe knows."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from domain.reconciliation.run import ReconciliationRun
from gateway.settings import DEVELOPMENT_STRIPE_KEY
from gateway.wiring import Gateway
from gql.ids import global_id
from persistence.jobs import RECONCILE
from sandbox import Sandbox, SandboxSettings
from sandbox.control.faults import Kind
from tests.api import Api, fresh_key
from tests.dashboard import Dashboard
from tests.domain.faults import spoil

SINCE = (datetime.now(UTC) - timedelta(days=2)).isoformat()
FOUND = """
  id kind state dryRun scanned eventsRecovered driftsFound healed error requestedBy
  drifts { nodes { field local remote cause healed stripeId object { id } } }
"""
RUN = f"run {{ {FOUND} }} errors {{ code path }}"
RUNS = "{ reconciliationRuns(first: 5) { nodes { id state drifts { nodes { field } } } } }"


@pytest.fixture
def sandbox_settings() -> SandboxSettings:
    """At Stripe all has happened yesterday, so that nothing of it is on its way any more."""
    return SandboxSettings(secret_key=DEVELOPMENT_STRIPE_KEY, begins_days_ago=1)


@pytest.fixture
async def authorized(api: Api) -> dict[str, Any]:
    await api.add_card()
    return await api.pay(captureMethod="MANUAL")


async def cancelled_at_stripe(dashboard: Dashboard, sandbox: Sandbox) -> str:
    """The one payment, in the Dashboard."""
    [intent] = sandbox.objects.all("payment_intent")
    await dashboard.client.v1.payment_intents.cancel_async(intent["id"])
    return str(intent["id"])


class TestReconcile:
    async def test_answers_with_a_run_that_the_worker_carries_out(
        self,
        admins: Api,
        authorized: dict[str, Any],
        gateway: Gateway,
        dashboard: Dashboard,
        sandbox: Sandbox,
    ) -> None:
        intent = await cancelled_at_stripe(dashboard, sandbox)

        asked = await admins.mutate("reconcile", {"since": SINCE}, RUN)
        job = await queued(gateway)
        await gateway.reconciler.carry_out(job)

        assert (asked["errors"], asked["run"]["state"], asked["run"]["dryRun"]) == ([], "REQUESTED", True)
        assert asked["run"]["id"] == global_id(ReconciliationRun, job)
        document = f"query($id: ID!) {{ node(id: $id) {{ ... on ReconciliationRun {{ {FOUND} }} }} }}"
        run = (await admins.run(document, {"id": asked["run"]["id"]}))["node"]
        assert (run["state"], run["driftsFound"], run["healed"]) == ("FINISHED", 1, 0)
        assert run["drifts"]["nodes"] == [
            {
                "field": "status",
                "local": "AUTHORIZED",
                "remote": "CANCELLED",
                "cause": "MISSED_EVENT",
                "healed": False,
                "stripeId": intent,
                "object": {"id": authorized["id"]},
            }
        ]

    async def test_again_with_the_same_key_is_the_same_run(self, admins: Api) -> None:
        given = {"since": SINCE, "idempotencyKey": fresh_key()}

        first, second = [await admins.mutate("reconcile", given, "run { id }") for _ in range(2)]

        assert first == second

    async def test_of_what_is_to_come_is_refused(self, admins: Api) -> None:
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()

        payload = await admins.mutate("reconcile", {"since": tomorrow}, "run { id } errors { code path }")

        assert payload == {"run": None, "errors": [{"code": "INVALID_INPUT", "path": ["input", "since"]}]}

    async def test_is_for_admins(self, api: Api, supports: Api, services: Api) -> None:
        for caller in (api, supports, services):
            assert await caller.codes("reconcile", {"since": SINCE}) == ["FORBIDDEN"]
            assert await caller.refusals(RUNS) == ["FORBIDDEN"]

    async def test_runs_cannot_be_looked_up_by_others(self, admins: Api, supports: Api) -> None:
        run = (await admins.mutate("reconcile", {"since": SINCE}, "run { id }"))["run"]

        codes = await supports.refusals("query($id: ID!) { node(id: $id) { id } }", {"id": run["id"]})

        assert codes == ["FORBIDDEN"]

    async def test_is_in_the_audit_trail(self, admins: Api) -> None:
        run = (await admins.mutate("reconcile", {"since": SINCE}, "run { id }"))["run"]

        log = await admins.run(
            "query($id: ID!) { auditLog(objectId: $id) { nodes { action actor { kind } object { id } } } }",
            {"id": run["id"]},
        )

        assert log["auditLog"]["nodes"] == [
            {
                "action": "reconciliation_run.requested",
                "actor": {"kind": "ADMIN"},
                "object": {"id": run["id"]},
            }
        ]

    async def test_runs_are_listed_with_the_newest_first(self, admins: Api) -> None:
        first, second = [
            (await admins.mutate("reconcile", {"since": SINCE}, "run { id }"))["run"]["id"] for _ in range(2)
        ]

        found = (await admins.run(RUNS))["reconciliationRuns"]["nodes"]

        assert [each["id"] for each in found] == [second, first]


class TestResync:
    async def test_reads_the_object_at_once(
        self, admins: Api, authorized: dict[str, Any], dashboard: Dashboard, sandbox: Sandbox
    ) -> None:
        await cancelled_at_stripe(dashboard, sandbox)

        payload = await admins.mutate(
            "resync", {"id": authorized["id"]}, f"{RUN} resynced {{ id ... on Payment {{ status }} }}"
        )

        assert payload["errors"] == []
        assert payload["resynced"] == {"id": authorized["id"], "status": "CANCELLED"}
        [drift] = payload["run"]["drifts"]["nodes"]
        assert (drift["field"], drift["healed"], payload["run"]["kind"]) == ("status", True, "OBJECT")

    async def test_of_what_is_as_at_stripe_finds_nothing(
        self, admins: Api, authorized: dict[str, Any]
    ) -> None:
        payload = await admins.mutate("resync", {"id": authorized["id"]}, RUN)

        assert (payload["run"]["state"], payload["run"]["driftsFound"]) == ("FINISHED", 0)

    async def test_again_with_the_same_key_reads_nothing_anew(
        self, admins: Api, authorized: dict[str, Any], dashboard: Dashboard, sandbox: Sandbox
    ) -> None:
        given = {"id": authorized["id"], "idempotencyKey": fresh_key()}
        first = await admins.mutate("resync", given, "run { id }")
        await cancelled_at_stripe(dashboard, sandbox)

        second = await admins.mutate("resync", given, "run { id } resynced { ... on Payment { status } }")

        assert second == {**first, "resynced": {"status": "AUTHORIZED"}}

    async def test_that_stripe_did_not_answer_is_asked_again_with_the_same_key(
        self, admins: Api, authorized: dict[str, Any], sandbox: Sandbox
    ) -> None:
        given = {"id": authorized["id"], "idempotencyKey": fresh_key()}
        spoil(sandbox, "/v1/payment_intents", Kind.ERROR_BEFORE, method="GET", times=4)

        first = await admins.mutate("resync", given, "errors { code }")
        second = await admins.mutate("resync", given, "errors { code } run { state }")

        assert first == {"errors": [{"code": "PROVIDER_UNAVAILABLE"}]}
        assert second == {"errors": [], "run": {"state": "FINISHED"}}

    async def test_of_what_stripe_does_not_have_is_refused(self, admins: Api, api: Api) -> None:
        viewer = (await api.run("{ viewer { id } }"))["viewer"]

        assert await admins.codes("resync", {"id": viewer["id"]}) == ["NOT_FOUND"]

    async def test_is_for_admins(self, api: Api, authorized: dict[str, Any]) -> None:
        assert await api.codes("resync", {"id": authorized["id"]}) == ["FORBIDDEN"]


async def queued(gateway: Gateway) -> UUID:
    """The run that the worker is to carry out."""
    statement = text("SELECT payload FROM pgqueuer WHERE entrypoint = :job")
    async with gateway.engine.connect() as connection:
        payload = await connection.scalar(statement, {"job": RECONCILE})
    return UUID(bytes=payload)
