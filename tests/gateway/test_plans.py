"""Plans at the start: what the command and `make run` do about them."""

from domain.plan import BillingInterval
from gateway.demo_plans import PRICES, sell_demo_plans
from gateway.settings import DEVELOPMENT_STRIPE_KEY, Settings
from gateway.wiring import Gateway
from sandbox import Sandbox
from tests.dashboard import Dashboard
from tests.gateway.test_cli import Run, logging_restored, run
from tests.parts import RunningSandbox

__all__ = ["logging_restored", "run"]


def environment(settings: Settings, **changed: str) -> dict[str, str]:
    return {
        "ENVIRONMENT": "development",
        "DATABASE_URL": settings.database_url,
        "STRIPE_SECRET_KEY": settings.stripe_secret_key.get_secret_value(),
        "STRIPE_WEBHOOK_SECRET": settings.webhook_secrets[0],
        "STRIPE_API_BASE": settings.stripe_api_base,
        "JWT_SECRET": settings.jwt_secret.get_secret_value(),
        **changed,
    }


class TestPlansSync:
    async def test_takes_over_what_stripe_sells(
        self, run: Run, settings: Settings, dashboard: Dashboard
    ) -> None:
        await dashboard.sells(900)
        await dashboard.sells(1500)

        result = await run("plans", "sync", **environment(settings))

        assert (result.exit_code, result.stdout) == (0, "2 plans at Stripe, and here.\n")
        assert [plan.amount for plan in await dashboard.plans()] == [900, 1500]

    async def test_says_where_stripe_refuses(self, run: Run, settings: Settings) -> None:
        result = await run("plans", "sync", **environment(settings, STRIPE_SECRET_KEY="sk_test_wrong"))

        assert result.exit_code == 1
        assert "Stripe does not tell its plans" in result.stderr


class TestDemoPlans:
    async def test_are_sold_once_however_often_they_are_set_up(
        self, gateway: Gateway, running_sandbox: RunningSandbox, sandbox: Sandbox
    ) -> None:
        for _ in range(2):
            await sell_demo_plans(running_sandbox.url, DEVELOPMENT_STRIPE_KEY)

        assert await gateway.services.plans.sync() == len(PRICES)
        plans = {plan.code: plan for plan in await gateway.services.plans.listed()}
        assert plans.keys() == PRICES.keys()
        premium = plans["premium-monthly"]
        assert (premium.amount, premium.currency, premium.interval) == (1499, "EUR", BillingInterval.MONTH)
        assert (premium.trial_days, "downloads" in premium.features) == (14, True)
