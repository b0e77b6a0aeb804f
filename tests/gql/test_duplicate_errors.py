import pytest

from gateway.settings import Settings
from tests.api import EURO, Api, fresh_key

SELECTION = """payment { id }
    errors { code path retry ... on DuplicateError { override existing { id } } }"""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"duplicate_window_seconds": 300})


class TestLikelyDuplicate:
    async def test_shows_the_payment_that_stands_in_the_way_and_how_to_pay_again(self, api: Api) -> None:
        await api.add_card()
        first = await api.pay()
        given = {"idempotencyKey": fresh_key(), "charge": EURO}

        payload = await api.mutate("createPayment", given, SELECTION)
        paid = await api.mutate("createPayment", {**given, "allowDuplicate": True}, SELECTION)

        assert payload["payment"] is None
        assert payload["errors"] == [
            {
                "code": "DUPLICATE_SUSPECTED",
                "path": ["input", "allowDuplicate"],
                "retry": "AFTER_CUSTOMER_ACTION",
                "override": "allowDuplicate",
                "existing": {"id": first["id"]},
            }
        ]
        assert paid["errors"] == []
        assert paid["payment"]["id"] != first["id"]
