import pytest
from stripe import Customer, Price, StripeClient, Subscription

from sandbox import Sandbox
from tests.sandbox.billing import (
    change,
    go_to,
    invoice_of,
    invoices_of,
    moment,
    plan,
    read,
    stop_at,
    subscribe,
    subscriber,
)


@pytest.fixture
async def ada(client: StripeClient, sandbox: Sandbox) -> Customer:
    stop_at(sandbox, "2027-01-31T12:00:00")
    return await subscriber(client)


@pytest.fixture
async def basic(client: StripeClient) -> Price:
    return await plan(client, 1500)


@pytest.fixture
async def subscription(client: StripeClient, ada: Customer, basic: Price) -> Subscription:
    return await subscribe(client, ada, basic)


class TestPause:
    async def test_voids_what_falls_due_and_resumes_by_itself(
        self, client: StripeClient, sandbox: Sandbox, subscription: Subscription
    ) -> None:
        resumes_at = moment("2027-03-15T00:00:00")
        await change(client, subscription, pause_collection={"behavior": "void", "resumes_at": resumes_at})

        go_to(sandbox, moment("2027-03-31T14:00:00"))

        after = await read(client, subscription)
        assert (after.status, after.pause_collection) == ("active", None)
        assert [one.status for one in await invoices_of(client, subscription)] == ["paid", "void", "paid"]

    @pytest.mark.parametrize(
        ("behavior", "status"), [("keep_as_draft", "draft"), ("mark_uncollectible", "uncollectible")]
    )
    async def test_other_ways_of_not_collecting(
        self, client: StripeClient, sandbox: Sandbox, subscription: Subscription, behavior: str, status: str
    ) -> None:
        await change(client, subscription, pause_collection={"behavior": behavior})

        go_to(sandbox, moment("2027-03-01T00:00:00"))

        assert invoice_of(await read(client, subscription)).status == status
        assert sandbox.ledger()["totals"]["captures"] == 1

    async def test_is_lifted_on_request(
        self, client: StripeClient, sandbox: Sandbox, subscription: Subscription
    ) -> None:
        await change(client, subscription, pause_collection={"behavior": "void"})

        lifted = await change(client, subscription, pause_collection="")
        go_to(sandbox, moment("2027-03-01T00:00:00"))

        assert lifted.pause_collection is None
        assert invoice_of(await read(client, subscription)).status == "paid"
