"""Statistics as an admin asks for them."""

from datetime import timedelta
from typing import Any

import pytest

from domain.ports import Database
from domain.statistics.facts import Delta, Measure, Traits
from gql.ids import parsed_id
from tests.api import Api
from tests.gql.belongings import Sells
from tests.gql.many_payments import START

REPORT = """query($input: StatsInput!) { stats(input: $input) {
    buckets { start end values { ...Value } } totals { ...Value } generatedAt
} }
fragment Value on StatsValue { metric group currency count money { minor decimal currency } ratio }"""
WHEN = {"from": "2026-03-01T00:00:00Z", "to": "2026-03-03T00:00:00Z"}


@pytest.fixture
async def happened(database: Database) -> None:
    visa = Traits(livemode=False, currency="EUR", brand="visa")
    async with database.work() as work:
        await work.statistics.append(
            [
                Delta(
                    at=START,
                    traits=visa,
                    amounts={Measure.MADE: 4, Measure.COMPLETED: 3, Measure.FAILED: 1, Measure.GROSS: 1250},
                ),
                Delta(
                    at=START + timedelta(days=1),
                    traits=Traits(livemode=False, currency="JPY"),
                    amounts={Measure.MADE: 1, Measure.COMPLETED: 1, Measure.GROSS: 500},
                ),
            ]
        )


async def asked(api: Api, **given: Any) -> dict[str, Any]:
    report: dict[str, Any] = (await api.run(REPORT, {"input": {**WHEN, **given}}))["stats"]
    return report


@pytest.mark.usefixtures("happened")
class TestStats:
    async def test_are_told_per_bucket_and_in_total(self, admins: Api) -> None:
        report = await asked(
            admins, metrics=["PAYMENTS_COUNT", "SUCCESS_RATE"], interval="DAY", timezone="Asia/Tokyo"
        )

        assert [(bucket["start"], bucket["end"]) for bucket in report["buckets"]] == [
            ("2026-03-01T00:00:00Z", "2026-03-01T15:00:00Z"),
            ("2026-03-01T15:00:00Z", "2026-03-02T15:00:00Z"),
            ("2026-03-02T15:00:00Z", "2026-03-03T00:00:00Z"),
        ]
        assert [[value["count"] for value in bucket["values"]] for bucket in report["buckets"]] == [
            [4, None], [1, None], [0, None],
        ]  # fmt: skip
        assert [[value["ratio"] for value in bucket["values"]] for bucket in report["buckets"]] == [
            [None, 0.75], [None, 1.0], [None, None],
        ]  # fmt: skip
        assert report["totals"][0] == {
            "metric": "PAYMENTS_COUNT", "group": [], "currency": None, "count": 5, "money": None, "ratio": None,
        }  # fmt: skip

    async def test_are_amounts_per_currency(self, admins: Api) -> None:
        report = await asked(admins, metrics=["GROSS_VOLUME"], groupBy=["BRAND"])

        assert report["buckets"] == []
        assert report["totals"] == [
            {
                "metric": "GROSS_VOLUME",
                "group": [group],
                "currency": currency,
                "count": None,
                "money": {"minor": minor, "decimal": decimal, "currency": currency},
                "ratio": None,
            }
            for group, currency, minor, decimal in [("", "JPY", 500, "500"), ("visa", "EUR", 1250, "12.50")]
        ]

    async def test_name_plans_by_the_ids_that_find_them(
        self, admins: Api, sells: Sells, database: Database
    ) -> None:
        plan = await sells()
        sold = Traits(livemode=False, currency="EUR", plan_id=parsed_id(plan)[1])
        async with database.work() as work:
            await work.statistics.append([Delta(at=START, traits=sold, amounts={Measure.GROSS: 999})])

        report = await asked(admins, metrics=["GROSS_VOLUME"], groupBy=["CURRENCY", "PLAN"])

        assert [value["group"] for value in report["totals"]] == [["EUR", ""], ["EUR", plan], ["JPY", ""]]
        assert (await admins.run("query($id: ID!) { node(id: $id) { id } }", {"id": plan}))["node"]

    @pytest.mark.parametrize("caller", ["api", "supports", "services"])
    async def test_are_for_admins_alone(
        self, caller: str, admins: Api, request: pytest.FixtureRequest
    ) -> None:
        other: Api = request.getfixturevalue(caller)

        assert await other.refusals(REPORT, {"input": {**WHEN, "metrics": ["MRR"]}}) == ["FORBIDDEN"]

    @pytest.mark.parametrize(
        ("given", "argument"),
        [
            ({"timezone": "Moon"}, ["timezone"]),
            ({"to": WHEN["from"]}, ["to"]),
            ({"from": "1990-01-01T00:00:00Z"}, ["from"]),
            ({"from": "9999-12-01T00:00:00Z", "to": "9999-12-31T23:55:00Z"}, ["to"]),
            ({"interval": "HOUR", "to": "2026-06-01T00:00:00Z"}, ["interval"]),
            ({"groupBy": ["BRAND", "TRIGGER"]}, ["groupBy"]),
            ({"metrics": []}, ["metrics"]),
        ],
    )
    async def test_are_refused_with_the_argument_that_is_to_blame(
        self, admins: Api, given: dict[str, Any], argument: list[str]
    ) -> None:
        body = await admins.answer(REPORT, {"input": {**WHEN, "metrics": ["MRR"], **given}})

        [error] = body["errors"]
        assert error["extensions"]["code"] == "INVALID_INPUT"
        assert error["extensions"]["argument"] == argument


class TestPaying:
    async def test_is_counted_at_once(self, api: Api, admins: Api) -> None:
        await api.add_card()
        paid = await api.pay("createdAt status")
        declined = await api.pay("status", paymentMethodId=await api.add_card("pm_card_chargeCustomerFail"))
        assert (paid["status"], declined["status"]) == ("COMPLETED", "FAILED")

        span = {"from": paid["createdAt"], "to": "2035-01-01T00:00:00Z"}
        counts = await asked(
            admins, **span, metrics=["PAYMENTS_COUNT", "DECLINES", "SUCCESS_RATE", "GROSS_VOLUME"]
        )
        brands = await asked(admins, **span, metrics=["PAYMENTS_COUNT"], groupBy=["BRAND"])

        assert [value["count"] or value["ratio"] or value["money"]["minor"] for value in counts["totals"]] == [
            2, 1, 0.5, 1250,
        ]  # fmt: skip
        assert [(value["group"], value["count"]) for value in brands["totals"]] == [(["visa"], 2)]
