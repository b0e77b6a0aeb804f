"""Subscribing, changing and cancelling as apps do it."""

from typing import Any

from sandbox import Sandbox
from tests.api import Api, fresh_key
from tests.gql.belongings import Sells

SUBSCRIPTION = "subscription { id status plan { id } pendingPlan { id } cancelAtPeriodEnd metadata actions }"
CHARGE = "charge { id status trigger amount { minor currency } }"
ERRORS = "errors { code path retry }"
ALL = f"{SUBSCRIPTION} {CHARGE} operation {{ state replayed resource {{ id }} }} {ERRORS}"
PREVIEW = (
    "id at expiresAt lines { label amount { minor } proration } subtotal { minor } tax { minor } "
    "creditApplied { minor } dueNow { minor currency } nextRenewal { minor }"
)
OF_START = f"""query($planId: ID!, $useTrial: Boolean! = true) {{
    previewSubscription(planId: $planId, useTrial: $useTrial) {{ {PREVIEW} }} }}"""
OF_CHANGE = f"query($input: PreviewPlanChangeInput!) {{ previewPlanChange(input: $input) {{ {PREVIEW} }} }}"
OF_END = """query($id: ID!, $timing: CancelTiming!) { previewCancellation(subscriptionId: $id, timing: $timing) {
    endsAccessAt stopsRetries voids { minor } refund { minor } } }"""
NEXT = f"query($id: ID!) {{ subscription(id: $id) {{ currentPeriodEnd nextCharge {{ {PREVIEW} }} }} }}"


async def subscribed(api: Api, plan: str, **given: Any) -> dict[str, Any]:
    """The payload of createSubscription."""
    return await api.mutate(
        "createSubscription", {"idempotencyKey": fresh_key(), "planId": plan, **given}, ALL
    )


class TestCreateSubscription:
    async def test_shows_the_subscription_and_its_charge(self, api: Api, sells: Sells) -> None:
        await api.add_card()
        plan = await sells()

        payload = await subscribed(api, plan, metadata={"from": "banner"})

        subscription, charge = payload["subscription"], payload["charge"]
        assert payload["errors"] == []
        assert (subscription["status"], subscription["plan"]) == ("ACTIVE", {"id": plan})
        assert subscription["metadata"] == {"from": "banner"}
        assert (charge["status"], charge["trigger"]) == ("COMPLETED", "SUBSCRIPTION_START")
        assert charge["amount"] == {"minor": 1500, "currency": "USD"}
        assert payload["operation"]["resource"] == {"id": subscription["id"]}

    async def test_again_with_the_same_key_is_a_replay(
        self, api: Api, sells: Sells, sandbox: Sandbox
    ) -> None:
        await api.add_card()
        given = {"planId": await sells(), "idempotencyKey": fresh_key()}

        first, again = [await api.mutate("createSubscription", given, ALL) for _ in range(2)]

        assert again["operation"]["replayed"]
        assert (first["subscription"], first["charge"]) == (again["subscription"], again["charge"])
        assert sandbox.ledger()["totals"]["captures"] == 1

    async def test_to_the_same_plan_shows_the_first(self, api: Api, sells: Sells) -> None:
        await api.add_card()
        plan = await sells()
        first = await subscribed(api, plan)

        payload = await api.mutate(
            "createSubscription",
            {"idempotencyKey": fresh_key(), "planId": plan},
            "subscription { id } operation { id } "
            "errors { code path ... on DuplicateError { existing { id } override } }",
        )

        [error] = payload["errors"]
        assert (payload["subscription"], payload["operation"]) == (None, None)
        assert (error["code"], error["path"]) == ("ALREADY_SUBSCRIBED", ["input", "planId"])
        assert error["existing"] == {"id": first["subscription"]["id"]}
        assert error["override"] is None

    async def test_with_a_trial_that_was_had_says_so(self, api: Api, sells: Sells) -> None:
        await api.add_card()
        trial = {"interval": "month", "trial_period_days": 7}
        await subscribed(api, await sells(recurring=trial))

        payload = await subscribed(api, await sells(recurring=trial))

        [error] = payload["errors"]
        assert (error["code"], error["retry"]) == ("TRIAL_USED", "NEW_KEY")
        assert error["path"] == ["input", "useTrial"]

    async def test_declined_is_incomplete_and_an_error(self, api: Api, sells: Sells) -> None:
        await api.add_card("pm_card_chargeCustomerFail")

        payload = await subscribed(api, await sells())

        assert [error["code"] for error in payload["errors"]] == ["DECLINED"]
        assert payload["subscription"]["status"] == "INCOMPLETE"
        assert payload["charge"]["status"] == "FAILED"
        assert "RETRY_RENEWAL" in payload["subscription"]["actions"]

    async def test_that_needs_the_cardholder_has_a_next_action(self, api: Api, sells: Sells) -> None:
        await api.add_card("pm_card_authenticationRequired")
        selection = """subscription { status nextAction { kind clientSecret } }
            charge { status nextAction { kind } } errors { code }"""

        payload = await api.mutate(
            "createSubscription", {"idempotencyKey": fresh_key(), "planId": await sells()}, selection
        )

        assert payload["errors"] == []
        assert payload["subscription"]["status"] == "INCOMPLETE"
        assert payload["subscription"]["nextAction"]["kind"] == "USE_STRIPE_SDK"
        assert payload["subscription"]["nextAction"]["clientSecret"]
        assert payload["charge"] == {"status": "REQUIRES_ACTION", "nextAction": {"kind": "USE_STRIPE_SDK"}}

    async def test_charges_what_the_preview_showed(self, api: Api, sells: Sells) -> None:
        await api.add_card()
        plan = await sells(777, currency="jpy")

        preview = (await api.run(OF_START, {"planId": plan}))["previewSubscription"]
        payload = await subscribed(api, plan, previewId=preview["id"])

        assert preview["dueNow"] == {"minor": 777, "currency": "JPY"}
        assert payload["charge"]["amount"] == preview["dueNow"]

    async def test_whose_preview_went_stale_subscribes_to_nothing(
        self, api: Api, sells: Sells, sandbox: Sandbox
    ) -> None:
        await api.add_card()
        plan = await sells()
        preview = (await api.run(OF_START, {"planId": plan}))["previewSubscription"]
        [customer] = sandbox.objects.all("customer")
        sandbox.objects.save({**customer, "balance": -500})

        payload = await api.mutate(
            "createSubscription",
            {"idempotencyKey": fresh_key(), "planId": plan, "previewId": preview["id"]},
            "subscription { status } charge { id } "
            "errors { code ... on PreviewStaleError { fresh { id dueNow { minor } } } }",
        )

        [error] = payload["errors"]
        assert (error["code"], error["fresh"]["dueNow"]) == ("PREVIEW_STALE", {"minor": 1000})
        assert (payload["subscription"], payload["charge"]) == ({"status": "EXPIRED"}, None)
        assert list(sandbox.objects.all("subscription")) == []
        again = await subscribed(api, plan, previewId=error["fresh"]["id"])
        assert again["charge"]["amount"]["minor"] == 1000


class TestPreviewSubscription:
    async def test_of_a_trial_charges_later(self, api: Api, sells: Sells) -> None:
        plan = await sells(recurring={"interval": "month", "trial_period_days": 7})

        preview = (await api.run(OF_START, {"planId": plan}))["previewSubscription"]
        without = (await api.run(OF_START, {"planId": plan, "useTrial": False}))["previewSubscription"]

        assert (preview["dueNow"]["minor"], preview["nextRenewal"]["minor"]) == (0, 1500)
        assert (without["dueNow"]["minor"], without["nextRenewal"]["minor"]) == (1500, 1500)
        assert preview["at"] > without["at"]
        assert [line["amount"] for line in preview["lines"]] == [{"minor": 1500}]

    async def test_needs_a_token(self, anonymous: Api, sells: Sells) -> None:
        assert await anonymous.refusals(OF_START, {"planId": await sells()}) == ["UNAUTHENTICATED"]

    async def test_is_no_node(self, api: Api, sells: Sells) -> None:
        preview = (await api.run(OF_START, {"planId": await sells()}))["previewSubscription"]

        codes = await api.refusals("query($id: ID!) { node(id: $id) { id } }", {"id": preview["id"]})

        assert codes == ["NOT_FOUND"]


class TestChangePlan:
    async def test_charges_what_the_preview_showed(self, api: Api, sells: Sells) -> None:
        await api.add_card()
        cheap, dear = await sells(1500), await sells(4200)
        subscription = (await subscribed(api, cheap))["subscription"]
        given = {"subscriptionId": subscription["id"], "planId": dear, "proration": "INVOICE_NOW"}

        preview = (await api.run(OF_CHANGE, {"input": given}))["previewPlanChange"]
        payload = await api.mutate(
            "changePlan", {**given, "idempotencyKey": fresh_key(), "previewId": preview["id"]}, ALL
        )

        assert payload["errors"] == []
        assert payload["subscription"]["plan"] == {"id": dear}
        assert payload["charge"]["amount"] == preview["dueNow"]
        assert payload["charge"]["trigger"] == "PLAN_CHANGE"

    async def test_that_collects_nothing_now_shows_no_charge(self, api: Api, sells: Sells) -> None:
        await api.add_card()
        subscription = (await subscribed(api, await sells()))["subscription"]

        payload = await api.mutate(
            "changePlan",
            {
                "idempotencyKey": fresh_key(),
                "subscriptionId": subscription["id"],
                "planId": await sells(100),
                "timing": "PERIOD_END",
            },
            ALL,
        )

        assert payload["subscription"]["pendingPlan"] is not None
        assert payload["charge"] is None

    async def test_whose_preview_went_stale_comes_with_a_fresh_one(
        self, api: Api, sells: Sells, sandbox: Sandbox
    ) -> None:
        await api.add_card()
        cheap, dear = await sells(1500), await sells(4200)
        subscription = (await subscribed(api, cheap))["subscription"]
        given = {"subscriptionId": subscription["id"], "planId": dear, "proration": "INVOICE_NOW"}
        preview = (await api.run(OF_CHANGE, {"input": given}))["previewPlanChange"]
        [customer] = sandbox.objects.all("customer")
        sandbox.objects.save({**customer, "balance": -500})

        payload = await api.mutate(
            "changePlan",
            {**given, "idempotencyKey": fresh_key(), "previewId": preview["id"]},
            f"{SUBSCRIPTION} {CHARGE} errors {{ code path retry "
            "... on PreviewStaleError { fresh { id dueNow { minor } creditApplied { minor } } } }",
        )

        [error] = payload["errors"]
        assert (error["code"], error["retry"]) == ("PREVIEW_STALE", "NEW_KEY")
        assert error["fresh"]["creditApplied"] == {"minor": 500}
        assert error["fresh"]["dueNow"]["minor"] == preview["dueNow"]["minor"] - 500
        assert payload["subscription"]["plan"] == {"id": cheap}
        assert payload["charge"] is None

    async def test_names_the_field_that_is_to_blame(self, api: Api, sells: Sells) -> None:
        await api.add_card()
        plan = await sells()
        subscription = (await subscribed(api, plan))["subscription"]

        payload = await api.mutate(
            "changePlan",
            {"idempotencyKey": fresh_key(), "subscriptionId": subscription["id"], "planId": plan},
            ALL,
        )

        assert [error["path"] for error in payload["errors"]] == [["input", "planId"]]


class TestChargeOfAReplay:
    async def change(self, api: Api, subscription: str, plan: str, **given: Any) -> dict[str, Any]:
        """The input of a changePlan that was carried out, to send it again."""
        wanted = {"idempotencyKey": fresh_key(), "subscriptionId": subscription, "planId": plan, **given}
        payload = await api.mutate("changePlan", wanted, ALL)
        assert payload["errors"] == []
        return wanted

    async def test_is_its_own_where_a_later_change_charged_too(self, api: Api, sells: Sells) -> None:
        await api.add_card()
        subscription = (await subscribed(api, await sells()))["subscription"]["id"]
        first = await self.change(api, subscription, await sells(3000))
        own = (await api.mutate("changePlan", first, ALL))["charge"]
        second = await self.change(api, subscription, await sells(6000))

        again = [await api.mutate("changePlan", each, ALL) for each in (first, second)]

        assert [payload["operation"]["replayed"] for payload in again] == [True, True]
        assert again[0]["charge"] == own
        assert again[1]["charge"]["id"] != own["id"]

    async def test_that_charged_nothing_is_none_although_an_earlier_one_is_refunded(
        self, api: Api, admins: Api, sells: Sells
    ) -> None:
        await api.add_card()
        subscription = (await subscribed(api, await sells()))["subscription"]["id"]
        dear = await self.change(api, subscription, await sells(3000))
        charge = (await api.mutate("changePlan", dear, ALL))["charge"]
        planned = await self.change(api, subscription, await sells(100), timing="PERIOD_END")
        given = {"paymentId": charge["id"], "reason": "CUSTOMER_REQUEST", "idempotencyKey": fresh_key()}
        assert await admins.codes("refundPayment", given) == []

        again = await api.mutate("changePlan", planned, ALL)

        assert again["operation"]["replayed"]
        assert again["charge"] is None

    async def test_that_was_declined_is_as_a_later_retry_left_it(self, api: Api, sells: Sells) -> None:
        await api.add_card("pm_card_chargeCustomerFail")
        start = {"idempotencyKey": fresh_key(), "planId": await sells()}
        declined = await api.mutate("createSubscription", start, ALL)
        retry = {
            "id": declined["subscription"]["id"],
            "idempotencyKey": fresh_key(),
            "paymentMethodId": await api.add_card(),
        }
        await api.mutate("retryRenewal", retry, ALL)

        again = await api.mutate("createSubscription", start, ALL)

        assert again["charge"]["id"] == declined["charge"]["id"]
        assert again["charge"]["status"] == "COMPLETED"


class TestEveryOtherCommand:
    async def test_shows_what_it_did(self, api: Api, sells: Sells) -> None:
        await api.add_card()
        card = await api.add_card("pm_card_mastercard")
        subscription = (await subscribed(api, await sells()))["subscription"]
        given = {"id": subscription["id"], "idempotencyKey": fresh_key()}

        for mutation, more, expected in (
            ("cancelSubscription", {"reason": "UNUSED"}, {"status": "ACTIVE", "cancelAtPeriodEnd": True}),
            ("keepSubscription", {}, {"status": "ACTIVE", "cancelAtPeriodEnd": False}),
            ("pauseSubscription", {}, {"status": "PAUSED"}),
            ("resumeSubscription", {}, {"status": "ACTIVE"}),
            ("updateSubscription", {"metadata": {"seat": 4}}, {"metadata": {"seat": 4}}),
            ("updateSubscription", {"paymentMethodId": card}, {"status": "ACTIVE"}),
            ("cancelSubscription", {"timing": "NOW"}, {"status": "CANCELLED", "actions": []}),
        ):
            payload = await api.mutate(mutation, {**given, **more, "idempotencyKey": fresh_key()}, ALL)
            assert payload["errors"] == [], mutation
            assert payload["subscription"].items() >= expected.items(), mutation
            assert payload["charge"] is None

    async def test_in_the_wrong_state_tells_what_is_allowed(self, api: Api, sells: Sells) -> None:
        await api.add_card()
        subscription = (await subscribed(api, await sells()))["subscription"]

        payload = await api.mutate(
            "resumeSubscription",
            {"id": subscription["id"], "idempotencyKey": fresh_key()},
            "errors { code ... on StateConflictError { current allowed allowedSubscriptionActions } }",
        )

        [error] = payload["errors"]
        assert (error["code"], error["current"], error["allowed"]) == ("STATE_CONFLICT", "ACTIVE", [])
        assert error["allowedSubscriptionActions"] == subscription["actions"]

    async def test_retry_shows_the_charge(self, api: Api, sells: Sells) -> None:
        await api.add_card("pm_card_chargeCustomerFail")
        subscription = (await subscribed(api, await sells()))["subscription"]
        good = await api.add_card()

        payload = await api.mutate(
            "retryRenewal",
            {"id": subscription["id"], "idempotencyKey": fresh_key(), "paymentMethodId": good},
            ALL,
        )

        assert payload["errors"] == []
        assert payload["subscription"]["status"] == "ACTIVE"
        assert (payload["charge"]["status"], payload["charge"]["trigger"]) == (
            "COMPLETED",
            "CUSTOMER_RETRY",
        )

    async def test_of_another_users_finds_none(self, api: Api, others: Api, sells: Sells) -> None:
        await api.add_card()
        subscription = (await subscribed(api, await sells()))["subscription"]

        for mutation in ("cancelSubscription", "pauseSubscription", "keepSubscription", "retryRenewal"):
            given = {"id": subscription["id"], "idempotencyKey": fresh_key()}
            assert await others.codes(mutation, given) == ["NOT_FOUND"]


class TestMethodInUse:
    async def test_names_what_needs_it(self, api: Api, sells: Sells) -> None:
        card = await api.add_card()
        subscription = (await subscribed(api, await sells()))["subscription"]

        payload = await api.mutate(
            "deletePaymentMethod",
            {"id": card},
            "deletedId errors { code path ... on MethodInUseError { subscriptions { id } } }",
        )

        [error] = payload["errors"]
        assert payload["deletedId"] is None
        assert (error["code"], error["path"]) == ("METHOD_IN_USE", ["input", "id"])
        assert error["subscriptions"] == [{"id": subscription["id"]}]


class TestPreviewCancellation:
    async def test_tells_when_access_ends(self, api: Api, sells: Sells) -> None:
        await api.add_card()
        subscription = (await subscribed(api, await sells()))["subscription"]
        asked = {"id": subscription["id"], "timing": "PERIOD_END"}

        preview = (await api.run(OF_END, asked))["previewCancellation"]
        period = (await api.run(NEXT, {"id": subscription["id"]}))["subscription"]["currentPeriodEnd"]

        assert preview == {
            "endsAccessAt": period,
            "stopsRetries": False,
            "voids": None,
            "refund": None,
        }


class TestNextCharge:
    async def test_is_what_the_next_renewal_costs(self, api: Api, sells: Sells) -> None:
        await api.add_card()
        subscription = (await subscribed(api, await sells()))["subscription"]

        shown = (await api.run(NEXT, {"id": subscription["id"]}))["subscription"]

        charge = shown["nextCharge"]
        assert charge["nextRenewal"] == {"minor": 1500}
        assert (charge["at"], charge["dueNow"]["minor"]) == (shown["currentPeriodEnd"], 0)
        assert (charge["id"], charge["expiresAt"]) == (None, None)

    async def test_is_of_the_plan_that_follows(self, api: Api, sells: Sells) -> None:
        await api.add_card()
        subscription = (await subscribed(api, await sells()))["subscription"]
        await api.mutate(
            "changePlan",
            {
                "idempotencyKey": fresh_key(),
                "subscriptionId": subscription["id"],
                "planId": await sells(12000, recurring={"interval": "year"}),
                "timing": "PERIOD_END",
            },
            ALL,
        )

        shown = (await api.run(NEXT, {"id": subscription["id"]}))["subscription"]

        assert shown["nextCharge"]["nextRenewal"] == {"minor": 12000}

    async def test_is_null_where_nothing_will_be_charged(self, api: Api, sells: Sells) -> None:
        await api.add_card()
        subscription = (await subscribed(api, await sells()))["subscription"]
        given = {"id": subscription["id"], "idempotencyKey": fresh_key()}
        await api.mutate("cancelSubscription", given, ALL)

        shown = (await api.run(NEXT, {"id": subscription["id"]}))["subscription"]

        assert shown["nextCharge"] is None


class TestCreatePortalLink:
    LINK = "url expiresAt operation { id } errors { code path }"

    async def test_leads_a_new_customer_to_stripe(self, api: Api) -> None:
        payload = await api.mutate(
            "createPortalLink", {"returnUrl": "https://shop.example/account"}, self.LINK
        )

        assert payload["errors"] == []
        assert payload["url"].startswith("http")
        assert payload["expiresAt"]
        assert payload["operation"] is None

    async def test_back_to_nowhere_is_refused(self, api: Api) -> None:
        payload = await api.mutate(
            "createPortalLink", {"returnUrl": "javascript:alert(1)"}, "errors { code }"
        )

        assert payload["errors"] == [{"code": "INVALID_INPUT"}]

    async def test_needs_a_token(self, anonymous: Api) -> None:
        document = """mutation { createPortalLink(input: { returnUrl: "https://shop.example" }) { url } }"""

        assert await anonymous.refusals(document) == ["UNAUTHENTICATED"]
