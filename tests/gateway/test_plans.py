"""Plans at the start: what the command and `make run` do about them."""

from domain.plan import BillingInterval
from gateway.demo.catalogue import PLANS, plans_on_sale
from gateway.settings import Settings
from gateway.wiring import Gateway
from sandbox import Sandbox
from tests.dashboard import Dashboard
from tests.gateway.test_cli import Run, logging_restored, run

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
    async def test_are_put_on_sale_once_however_often_they_are_asked_for(
        self, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        first = await plans_on_sale(gateway, sandbox)

        again = await plans_on_sale(gateway, sandbox)

        assert again == first
        assert first.keys() == {plan.code for plan in PLANS}
        plus = first["plus"]
        assert (plus.amount, plus.currency, plus.interval) == (1299, "EUR", BillingInterval.MONTH)
        assert (plus.trial_days, list(plus.features)) == (14, ["hd", "offline"])
