"""The page at `/`: what this server is, its endpoints, and the test cards."""

from html import escape

from starlette.requests import Request
from starlette.responses import Response

from sandbox.cards.catalog import ALIASES, CARDS, METHOD_PREFIX, Card, Refunds
from sandbox.pages.html import document
from sandbox.resources import ENDPOINTS
from sandbox.settings import API_VERSION

INTRODUCTION = f"""
<p>A sandbox that speaks the Stripe API, version <code>{API_VERSION}</code>, for development and tests.
No money moves and no real card is accepted.</p>
"""


async def home(_request: Request) -> Response:
    return document(
        "Payments sandbox",
        INTRODUCTION
        + _table("Endpoints", [(endpoint.method, endpoint.path) for endpoint in ENDPOINTS])
        + _table("Test cards", [(METHOD_PREFIX + name, _behaviour(card)) for name, card in _cards().items()]),
    )


def _cards() -> dict[str, Card]:
    return CARDS | {alias: CARDS[name] for alias, name in ALIASES.items()}


def _behaviour(card: Card) -> str:
    traits = [f"{card.brand} {card.last4}, {card.country}, {card.funding}"]
    if card.decline is not None:
        traits.append(f"declined: {card.decline.decline_code}")
    if card.authentication.name != "ON_REQUEST":
        traits.append(f"3-D Secure: {card.authentication.value}")
    if card.claim is not None:
        kind = "inquiry" if card.claim.is_inquiry else "disputed"
        traits.append(f"{kind}: {card.claim.reason}")
    if card.refunds is not Refunds.AT_ONCE:
        traits.append(f"refunds: {card.refunds.value}")
    return "; ".join(traits)


def _table(title: str, rows: list[tuple[str, str]]) -> str:
    lines = "".join(
        f"<tr><td><code>{escape(left)}</code></td><td>{escape(right)}</td></tr>" for left, right in rows
    )
    return f"<h2>{escape(title)}</h2><table>{lines}</table>"
