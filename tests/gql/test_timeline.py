"""What happened to a payment, as its owner and as the staff may know it."""

from datetime import datetime
from typing import Any

from domain.actor import Actor
from gateway.wiring import Gateway
from sandbox import Sandbox
from tests.api import Api, fresh_key
from tests.gql.test_concealed_declines import CARDS, confirm_in_the_app
from tests.news import deliver_news
from tests.parts import RunningSandbox

FAILED = "payment_intent.payment_failed"
TIMELINE = """query($id: ID!, $first: Int, $after: String) { payment(id: $id) {
    timeline(first: $first, after: $after) {
        nodes { id type summary source occurredAt recordedAt changes actor { kind id } }
        pageInfo { hasNextPage endCursor }
    }
} }"""


async def timeline(caller: Api, payment: dict[str, Any], **asked: Any) -> list[dict[str, Any]]:
    data = await caller.run(TIMELINE, {"id": payment["id"], **asked})
    events: list[dict[str, Any]] = data["payment"]["timeline"]["nodes"]
    return events


class TestTimeline:
    async def test_tells_the_story_from_its_beginning(self, others: Api, other_actor: Actor) -> None:
        await others.add_card()
        payment = await others.pay()

        asked, collected = await timeline(others, payment)

        assert [asked["type"], collected["type"]] == ["payment.created", "payment.completed"]
        assert [asked["summary"], collected["summary"]] == [
            "The payment was asked for.",
            "The money was collected.",
        ]
        assert asked["actor"] == {"kind": "USER", "id": str(other_actor.user_id)}
        assert asked["changes"]["amount"] == {"before": None, "after": 1250}
        assert collected["changes"]["capturedAmount"] == {"before": 0, "after": 1250}
        assert collected["changes"]["status"] == {"before": "PENDING", "after": "COMPLETED"}
        assert {event["source"] for event in (asked, collected)} == {"API_CALL"}

    async def test_tells_of_stripes_news_and_when_it_happened_there(
        self, others: Api, sandbox: Sandbox, running_sandbox: RunningSandbox, gateway: Gateway
    ) -> None:
        payment = await others.pay("id nextAction { clientSecret }", confirm=False)
        await confirm_in_the_app(running_sandbox, payment["nextAction"]["clientSecret"], CARDS["stolen_card"])
        await deliver_news(sandbox, gateway)

        events = await timeline(others, payment)

        [failed] = [event for event in events if event["type"] == "payment.failed"]
        assert (failed["source"], failed["actor"]) == ("WEBHOOK", {"kind": "SYSTEM", "id": None})
        [news] = [event for event in sandbox.objects.all("event") if event["type"] == FAILED]
        assert datetime.fromisoformat(failed["occurredAt"]).timestamp() == news["created"]
        assert datetime.fromisoformat(failed["recordedAt"]).timestamp() > news["created"]

    async def test_conceals_from_the_payer_what_support_sees(
        self,
        others: Api,
        supports: Api,
        sandbox: Sandbox,
        running_sandbox: RunningSandbox,
        gateway: Gateway,
    ) -> None:
        payment = await others.pay("id nextAction { clientSecret }", confirm=False)
        await confirm_in_the_app(running_sandbox, payment["nextAction"]["clientSecret"], CARDS["stolen_card"])
        await deliver_news(sandbox, gateway)

        told, seen = str(await timeline(others, payment)), str(await timeline(supports, payment))

        for secret in ("stolen_card", "decline", "pi_", "pm_", "cus_", "ch_", "processor"):
            assert secret not in told, secret
        for fact in ("stolen_card", "declineCode", "pi_", "cus_"):
            assert fact in seen, fact

    async def test_tells_the_owner_that_staff_acted_and_not_who_or_why(
        self, others: Api, admins: Api, supports: Api, admin: Actor
    ) -> None:
        await others.add_card()
        payment = await others.pay(captureMethod="MANUAL")
        given = {"idempotencyKey": fresh_key(), "paymentId": payment["id"], "reason": "Looks like fraud"}
        await admins.mutate("cancelPayment", given, "errors { code }")

        told, seen = await timeline(others, payment), await timeline(supports, payment)

        assert told[-1]["type"] == "payment.cancelled"
        assert {str(event["actor"]) for event in told[-2:]} == {str({"kind": "ADMIN", "id": None})}
        assert "fraud" not in str(told)
        assert [event["changes"].get("note") for event in seen[-2:]] == ["Looks like fraud", None]
        assert {event["actor"]["id"] for event in seen[-2:]} == {str(admin.user_id)}

    async def test_pages(self, others: Api) -> None:
        await others.add_card()
        payment = await others.pay(captureMethod="MANUAL")
        everything = await timeline(others, payment)

        data = await others.run(TIMELINE, {"id": payment["id"], "first": 1})

        first = data["payment"]["timeline"]
        rest = await timeline(others, payment, after=first["pageInfo"]["endCursor"])
        assert first["pageInfo"]["hasNextPage"]
        assert first["nodes"] + rest == everything

    async def test_of_anothers_payment_is_not_found(self, others: Api, api: Api) -> None:
        await others.add_card()
        payment = await others.pay()

        assert await api.refusals(TIMELINE, {"id": payment["id"]}) == ["NOT_FOUND"]
