from typing import Any

import pytest

from domain.payment import Payment
from tests.api import Api
from tests.gql.many_payments import PAGE, hexes, ids, page

COUNT = "query($filter: PaymentFilter) { payments(filter: $filter) { totalCount } }"


class TestFilters:
    @pytest.mark.parametrize(
        ("wanted", "numbers"),
        [
            ({}, [0, 1, 2, 3, 4, 5, 6]),
            ({"status": ["COMPLETED"]}, [0, 3, 6]),
            ({"status": ["COMPLETED", "PENDING"]}, [0, 1, 2, 3, 4, 5, 6]),
            ({"status": []}, []),
            ({"ids": []}, []),
            ({"trigger": ["ADMIN"]}, []),
            ({"currency": ["EUR"]}, [1, 3, 5]),
            ({"currency": ["EUR", "USD"], "status": ["COMPLETED"]}, [0, 3, 6]),
            ({"currency": ["XXX"]}, []),
            ({"amount": {"gte": 1001, "lte": 1002}}, [2, 3, 4, 5]),
            ({"amount": {"gte": "1003"}}, [6]),
            ({"createdAt": {"gte": "2026-03-01T12:02:00Z", "lt": "2026-03-01T12:04:00Z"}}, [2, 3]),
            ({"createdAt": {"gte": "2026-03-01T14:02:00+02:00"}}, [2, 3, 4, 5, 6]),
            ({"disputed": False}, [0, 1, 2, 3, 4, 5, 6]),
            ({"disputed": True}, []),
            ({"mediaItemId": "film-17"}, []),
            ({"subscriptionId": f"sbn_{0:032x}"}, []),
            ({"updatedAt": {"lt": "2026-03-01T12:01:00Z"}}, [0]),
        ],
    )
    async def test_match_exactly(
        self, api: Api, made: list[Payment], wanted: dict[str, Any], numbers: list[int]
    ) -> None:
        found = await page(api, filter=wanted, orderBy=[{"direction": "ASC"}])

        assert ids(found) == [hexes(made)[number] for number in numbers]
        assert await api.run(COUNT, {"filter": wanted}) == {"payments": {"totalCount": len(numbers)}}

    async def test_by_ids(self, api: Api, made: list[Payment]) -> None:
        assert set(ids(await page(api, filter={"ids": hexes(made[:2])}))) == set(hexes(made[:2]))

    @pytest.mark.parametrize(
        ("wanted", "code"),
        [
            ({"ids": ["nonsense"]}, "NOT_FOUND"),
            ({"ids": [f"mth_{0:032x}"]}, "NOT_FOUND"),
            ({"paymentMethodId": "nonsense"}, "NOT_FOUND"),
            ({"userId": "nonsense"}, "NOT_FOUND"),
            ({"subscriptionId": "nonsense"}, "NOT_FOUND"),
            ({"mediaItemId": "\0"}, "INVALID_INPUT"),
            ({"ids": [f"pay_{0:032x}"] * 101}, "INVALID_INPUT"),
            ({"currency": ["EUR"] * 40_000}, "INVALID_INPUT"),
        ],
    )
    async def test_refuse_what_no_payment_could_match(
        self, api: Api, wanted: dict[str, Any], code: str
    ) -> None:
        assert await api.refusals(PAGE, {"filter": wanted}) == [code]

    @pytest.mark.parametrize(
        "wanted",
        [
            {"status": ["PAID"]},
            {"status": [1]},
            {"amount": {"gte": 1.5}},
            {"amount": {"gte": True}},
            {"amount": {"gte": "--5"}},
            {"amount": {"gte": "٣"}},
            {"amount": {"gte": 2**53}},
            {"amount": {"gte": "1e3"}},
            {"currency": ["eur"]},
            {"currency": ["EURO"]},
            {"createdAt": {"gte": "yesterday"}},
            {"createdAt": {"gte": "2026-03-01"}},
            {"createdAt": {"gte": "2026-03-01T12:00:00"}},
            {"createdAt": {"gte": "0001-01-01T00:00:00+14:00"}},
            {"createdAt": {"gte": 1772366400}},
            {"nonsense": 1},
        ],
    )
    async def test_refuse_values_of_another_form(self, api: Api, wanted: dict[str, Any]) -> None:
        [code] = await api.refusals(PAGE, {"filter": wanted})

        assert code in {"INVALID_INPUT", "BAD_USER_INPUT"}
