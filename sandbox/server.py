"""The sandbox as a whole: its state, its application, and the background deliveries."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from sandbox.api.connection import SCOPE_KEY, Connection
from sandbox.api.endpoint import Call
from sandbox.api.gateway import ApiGateway
from sandbox.api.idempotency import Answers
from sandbox.api.service import Service
from sandbox.billing.periods import DAY
from sandbox.cards.claims import Claim
from sandbox.control import cards, dashboard
from sandbox.control import routes as control
from sandbox.control.chaos import Chaos
from sandbox.control.faults import Faults
from sandbox.control.guards import Guards
from sandbox.control.ledger import ledger
from sandbox.control.requests import RequestLog
from sandbox.pages import authentication, home, invoice, portal, receipt
from sandbox.resources import CHORES, disputes, prices, refunds, webhook_endpoints
from sandbox.settings import SandboxSettings
from sandbox.state.clock import Clock
from sandbox.state.database import Database
from sandbox.state.objects import Objects, StripeObject, visible
from sandbox.webhooks.deliveries import Deliveries
from sandbox.webhooks.dispatcher import Dispatcher
from sandbox.webhooks.events import Events


class Sandbox:
    """
    A Stripe-compatible server in one object. Serve `app` with its lifespan, which runs the deliveries.

    `clock`, `faults`, `chaos`, `guards`, `requests` and `dispatcher` are what a test in the same process turns; the
    same is offered to other processes under `/_sandbox/`.
    """

    def __init__(self, settings: SandboxSettings | None = None) -> None:
        self.settings = settings or SandboxSettings()
        self._database = Database(self.settings.state)
        self.clock = Clock(self._database, behind=self.settings.begins_days_ago * DAY)
        self.objects = Objects(self._database)
        self.deliveries = Deliveries(self._database)
        self.chaos = Chaos(self.settings.chaos)
        self.dispatcher = Dispatcher(self.deliveries, self.objects, self.settings, self.chaos)
        self.faults = Faults()
        self.guards = Guards()
        self.requests = RequestLog(self.settings.remembered_requests)
        self._service = Service(
            settings=self.settings,
            database=self._database,
            objects=self.objects,
            events=Events(self.objects, self.deliveries, self.clock, self.chaos),
            clock=self.clock,
            answers=Answers(self._database, self.clock),
            guards=self.guards,
        )
        for target in self.settings.webhooks:
            webhook_endpoints.install(self.objects, self.clock, target)
        self.app = self._application()

    def advance(self, seconds: float) -> None:
        """Move the clock forward, and let happen what was due in that time."""
        self.clock.advance(seconds)
        for chore in CHORES:
            self._service.transact(chore)

    def put_on_sale(
        self,
        name: str,
        *,
        lookup_key: str,
        amount: int,
        currency: str,
        interval: str,
        trial_days: int = 0,
        features: str = "",
    ) -> StripeObject:
        """Make a product with one recurring price, as in the Stripe Dashboard; the price."""
        recurring: dict[str, Any] = {"interval": interval}
        if trial_days:
            recurring["trial_period_days"] = trial_days
        params = {
            "product_data": {"name": name, "metadata": {"features": features}},
            "lookup_key": lookup_key,
            "unit_amount": amount,
            "currency": currency,
            "recurring": recurring,
        }
        return visible(self._service.transact(lambda call: prices.create(replace(call, params=params))))

    def spoil_card(self, payment_method: str, decline_code: str = "generic_decline") -> None:
        """Let a saved card be declined from now on, for the reason of this decline code."""
        self._service.transact(lambda call: cards.spoil(call, payment_method, decline_code))

    def mend_card(self, payment_method: str) -> None:
        """Let a spoilt card be accepted again."""
        self._service.transact(lambda call: cards.mend(call, payment_method))

    def replace_card(self, payment_method: str, *, last4: str, exp_month: int, exp_year: int) -> None:
        """Let the bank replace a saved card: the payment method stays, with another number and expiry."""
        self._service.transact(
            lambda call: cards.replace(
                call, payment_method, last4=last4, exp_month=exp_month, exp_year=exp_year
            )
        )

    def ledger(self) -> dict[str, Any]:
        """What was captured, subscribed to and asked for, one by one and in total: the referee of a test."""
        return ledger(self.objects, self._service.answers)

    def refund(
        self, payment_intent: str, *, amount: int | None = None, reason: str | None = None
    ) -> StripeObject:
        """Refund a payment by hand, as in the Stripe Dashboard: without metadata, and under no key."""

        def refund(call: Call) -> StripeObject:
            charge = refunds.charge_of(call, call.target("payment_intent"))
            return refunds.make(call, charge, amount=amount, reason=reason)

        return self._happening(refund, payment_intent)

    def decide_refund(
        self, refund: str, status: str, *, failure_reason: str = refunds.USUAL_FAILURE
    ) -> StripeObject:
        """Settle a refund: a pending one as succeeded, failed or canceled, a succeeded one as failed."""

        def decide(call: Call) -> StripeObject:
            return refunds.decide(call, call.target("refund"), status, failure_reason=failure_reason)

        return self._happening(decide, refund)

    def dispute(
        self,
        payment_intent: str,
        *,
        reason: str = "fraudulent",
        amount: int | None = None,
        is_inquiry: bool = False,
    ) -> StripeObject:
        """Let the cardholder's bank dispute a payment: what is left of it, or an amount in minor units."""
        claim = Claim(reason=reason, is_inquiry=is_inquiry)

        def dispute(call: Call) -> StripeObject:
            charge = refunds.charge_of(call, call.target("payment_intent"))
            return disputes.open_(call, charge, claim, amount=amount)

        return self._happening(dispute, payment_intent)

    def decide_dispute(self, dispute: str, status: str) -> StripeObject:
        """Let the bank decide, and change its mind as often as it likes; the money follows."""
        return self._happening(lambda call: disputes.move(call, call.target("dispute"), status), dispute)

    def _happening(self, action: Callable[[Call], StripeObject], id_: str) -> StripeObject:
        """What happens outside the API, to the object with this id; the outcome as the API shows it."""
        return visible(self._service.transact(action, id_))

    def _application(self) -> Starlette:
        api = ApiGateway(self._service, self.faults, self.chaos, self.requests)
        return _Application(
            lifespan=self._lifespan,
            routes=[
                Route("/", home.home),
                *authentication.routes(self._service),
                receipt.route(self.objects),
                *invoice.routes(self.objects),
                portal.route(self.objects),
                *control.routes(self),
                *dashboard.routes(self),
                Mount("/v1", _open_to_browsers(api)),
            ],
        )

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        running = [asyncio.create_task(self.dispatcher.run()), asyncio.create_task(self._live())]
        try:
            yield
        finally:
            for task in running:
                task.cancel()
            await asyncio.wait(running)
            self._database.close()
            for task in running:
                with suppress(asyncio.CancelledError):
                    task.result()

    async def _live(self) -> None:
        """Time passes by itself, too, and what is due happens at the latest a little later."""
        while True:
            await asyncio.sleep(self.settings.chore_seconds)
            self.advance(0)


class _Application(Starlette):
    """Starlette, with the connection noted before any middleware hides it: a fault may have to cut it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope[SCOPE_KEY] = Connection(send)
        await super().__call__(scope, receive, send)


def _open_to_browsers(api: ApiGateway) -> CORSMiddleware:
    """Web pages may call the API, as they may call Stripe's: with a publishable key and a client secret."""
    return CORSMiddleware(
        api,
        allow_origins=["*"],
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "Stripe-Version"],
        expose_headers=["Request-Id", "Stripe-Should-Retry"],
    )
