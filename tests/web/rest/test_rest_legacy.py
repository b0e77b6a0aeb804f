"""What answers tell of the API's age, and by which operation of GraphQL to replace them."""

from dataclasses import replace
from datetime import date

import pytest

from gateway.app import application
from gateway.settings import Settings
from gateway.wiring import Gateway
from tests.rest import Rest
from tests.web.in_process import client_of
from web.rest.route import BASE

GUIDE = "https://docs.example.com/migration"


class TestHeaders:
    async def test_name_the_operation_also_on_errors(self, rest: Rest, anonymous: Rest) -> None:
        answers = [await rest.get(""), await rest.get("", page=0), await anonymous.get("")]

        assert [each.status_code for each in answers] == [200, 422, 401]
        assert {each.headers["link"] for each in answers} == {
            '</graphql>; rel="successor-version"; title="payments"'
        }

    async def test_are_those_of_the_method(self, rest: Rest) -> None:
        answers = [await rest.get("/payment-methods"), await rest.post("/payment-methods", {})]

        titles = [each.headers["link"].partition("title=")[2] for each in answers]
        assert titles == ['"paymentMethods"', '"addPaymentMethod"']

    async def test_tell_since_when_it_is_deprecated(self, rest: Rest) -> None:
        answer = await rest.get("")

        assert answer.headers["deprecation"] == "@1796083200"
        assert "sunset" not in answer.headers

    async def test_tell_the_end_and_the_guide_where_they_are_set(self, gateway: Gateway) -> None:
        given = {"rest_sunset_on": date(2027, 12, 1), "rest_guide_url": GUIDE}

        answer = await first_answer(gateway, given)

        assert answer["sunset"] == "Wed, 01 Dec 2027 00:00:00 GMT"
        assert f'<{GUIDE}#list-payments>; rel="deprecation"; type="text/html"' in answer["link"]

    async def test_tell_nothing_that_is_not_so(self, gateway: Gateway) -> None:
        answer = await first_answer(gateway, {"rest_deprecated_on": None})

        assert "deprecation" not in answer


async def first_answer(gateway: Gateway, settings: dict[str, object]) -> dict[str, str]:
    """The headers under other settings."""
    changed = replace(gateway, settings=gateway.settings.model_copy(update=settings))
    async with client_of(application(changed)) as http:
        return dict((await http.get(BASE)).headers)


class TestSettings:
    def test_know_never(self, settings: Settings) -> None:
        asked = Settings.model_validate({**settings.model_dump(), "rest_deprecated_on": "never"})

        assert asked.legacy.deprecated_at is None

    @pytest.mark.parametrize("deprecated", [date(2027, 1, 2), None])
    def test_refuse_an_end_before_the_deprecation(self, settings: Settings, deprecated: date | None) -> None:
        unfit = settings.model_copy(
            update={"rest_deprecated_on": deprecated, "rest_sunset_on": date(2027, 1, 1)}
        )

        assert any("REST_SUNSET_ON" in problem for problem in unfit.problems())

    @pytest.mark.parametrize(
        "url",
        ["docs/migration.md", 'https://x.example/">; rel="next', "https://x.example/#a", "https://x\r\ny"],
    )
    def test_refuse_a_guide_that_is_no_address(self, settings: Settings, url: str) -> None:
        unfit = settings.model_copy(update={"rest_guide_url": url})

        assert any("REST_GUIDE_URL" in problem for problem in unfit.problems())
