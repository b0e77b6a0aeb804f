"""Statistics, over the REST API."""

from datetime import datetime, timedelta

from tests.rest import Rest, error_of, faults

WRONG = [
    ({"date_from": "2026-02-02", "date_to": "2026-02-01"}, ("date_to", "from < to")),
    ({"date_to": "2000-01-05"}, ("date_from", "from >= 2000")),
    ({"date_from": "1999-12-31"}, ("date_from", "outOfRange")),
    ({"date_to": "0001-01-05"}, ("date_to", "outOfRange")),
    ({"date_to": "2100-01-01"}, ("date_to", "outOfRange")),
    ({"date_to": "9999-12-31T23:59:59Z"}, ("date_to", "outOfRange")),
    (
        {"date_from": "2020-01-01", "date_to": "2026-01-01", "interval": "hour"},
        ("interval", "at most 1000 buckets"),
    ),
    ({"interval": "year"}, ("interval", "oneOf")),
    ({"currency": "euro"}, ("currency", "pattern")),
]
"""What is asked for, and the field at fault."""


class TestStats:
    async def test_tell_totals_and_the_same_in_buckets(self, rest: Rest, admins: Rest) -> None:
        await rest.add_card()
        payment = await rest.paid()
        await rest.paid(amount=300, currency="USD")
        await admins.post(f"/{payment['id']}/refund", {"amount": 250, "reason": "other"})

        told = await admins.data("/stats", interval="day")

        totals = told["totals"]
        assert (totals["payments_count"], totals["success_rate"]) == (2, 1.0)
        assert totals["gross_volume"] == [
            {"currency": "EUR", "amount": 1250},
            {"currency": "USD", "amount": 300},
        ]
        assert totals["refunded_volume"][0] == {"currency": "EUR", "amount": 250}
        assert totals["refund_rate"][0] == {"currency": "EUR", "rate": 0.2}
        assert sum(bucket["payments_count"] for bucket in told["buckets"]) == 2
        assert datetime.fromisoformat(told["date_to"]) - datetime.fromisoformat(
            told["date_from"]
        ) >= timedelta(30)

    async def test_of_days_that_are_named_cover_all_of_them(self, admins: Rest) -> None:
        told = await admins.data("/stats", date_from="2026-02-01", date_to="2026-02-28", currency="EUR")

        assert (told["date_from"], told["date_to"]) == ("2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z")
        assert (told["buckets"], told["totals"]["payments_count"], told["totals"]["mrr"]) == ([], 0, [])

    async def test_asked_for_wrongly_are_refused(self, admins: Rest) -> None:
        answers = [await admins.get("/stats", **asked) for asked, _ in WRONG]

        assert {each.status_code for each in answers} == {422}
        assert [list(faults(each).items()) for each in answers] == [[fault] for _, fault in WRONG]

    async def test_are_for_admins(self, rest: Rest, supports: Rest) -> None:
        refused = [await each.get("/stats") for each in (rest, supports)]

        assert [(each.status_code, error_of(each)["code"]) for each in refused] == [(403, "FORBIDDEN")] * 2
