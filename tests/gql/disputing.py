"""What happens beside the API: a payer's bank disputes a payment, and Stripe tells us."""

from typing import Any

from domain.payment import Payment
from gateway.wiring import Gateway
from gql.ids import id_of
from sandbox import Sandbox
from tests.news import deliver_news


async def disputed_by_its_bank(gateway: Gateway, sandbox: Sandbox, payment_id: str, **choices: Any) -> None:
    async with gateway.services.database.reads() as reads:
        payment = await reads.payments.get(id_of(Payment, payment_id))
    assert payment is not None
    sandbox.dispute(payment.processor_payment_id or "", **choices)
    await deliver_news(sandbox, gateway)
