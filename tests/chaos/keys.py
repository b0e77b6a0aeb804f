"""M14: every POST to Stripe carries an idempotency key, counted over all that ran before in this laboratory."""

from tests.chaos.finding import Finding
from tests.chaos.laboratory import Laboratory


async def on_every_post(laboratory: Laboratory) -> list[Finding]:
    tally = laboratory.tally
    return [
        Finding(
            experiment="M14",
            tried=f"every POST to Stripe of {tally.worlds} worlds, {tally.keys} keys",
            measured=f"{tally.without_key} without an idempotency key",
            target="0, and some with one",
            holds=tally.keys > 0 and tally.without_key == 0,
        )
    ]
