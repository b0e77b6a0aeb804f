"""Rates hold for both APIs together."""

from dataclasses import replace

from gateway.app import application
from gateway.wiring import Gateway
from sandbox import Sandbox
from tests.api import Api
from tests.rest import Rest, error_of
from tests.web.in_process import client_of
from web.rates.limits import RateLimits


class TestRates:
    async def test_of_payments_are_counted_together_with_graphqls(
        self, gateway: Gateway, rest: Rest, sandbox: Sandbox
    ) -> None:
        await rest.add_card()
        settings = gateway.settings.model_copy(update={"rate_limits": True, "rate_limit_payments": 2})
        limited = replace(gateway, rate_limits=RateLimits(rules=settings.rates))

        async with client_of(application(limited)) as http:
            ours = Rest(http=http, headers=rest.headers)
            await Api(http=http, headers=rest.headers).pay()
            second, third = [await ours.pay() for _ in range(2)]
            read = await ours.get("")

        assert (second.status_code, third.status_code, read.status_code) == (201, 429, 200)
        assert error_of(third)["code"] == "RATE_LIMITED"
        assert int(third.headers["retry-after"]) > 0
        assert third.headers["ratelimit-remaining"] == "0"
        assert sandbox.ledger()["totals"]["captures"] == 2
