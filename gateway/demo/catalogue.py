"""What the demo's shop sells: plans, which live at the processor, and films, which live in the Media Service."""

from dataclasses import dataclass
from typing import Final

from domain.money import Money
from domain.plan import Plan
from gateway.wiring import Gateway
from sandbox import Sandbox

HD, ARCHIVE, OFFLINE = "hd", "archive", "offline"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPlan:
    code: str
    name: str
    price: Money
    interval: str = "month"
    trial_days: int = 0
    features: tuple[str, ...] = (HD,)


PLANS: Final = (
    DemoPlan(code="basic", name="Basic", price=Money(minor=799, currency="EUR")),
    DemoPlan(
        code="plus",
        name="Plus",
        price=Money(minor=1299, currency="EUR"),
        trial_days=14,
        features=(HD, OFFLINE),
    ),
    DemoPlan(
        code="premium",
        name="Premium",
        price=Money(minor=1999, currency="EUR"),
        features=(HD, OFFLINE, ARCHIVE),
    ),
    DemoPlan(
        code="plus-yearly",
        name="Plus, by the year",
        price=Money(minor=12_900, currency="EUR"),
        interval="year",
        features=(HD, OFFLINE),
    ),
    DemoPlan(
        code="plus-usd",
        name="Plus (US)",
        price=Money(minor=1399, currency="USD"),
        trial_days=14,
        features=(HD, OFFLINE),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    media_item_id: str
    title: str
    price: Money


FILMS: Final = (
    Film(
        media_item_id="film-quiet-harbour", title="The Quiet Harbour", price=Money(minor=1299, currency="EUR")
    ),
    Film(media_item_id="film-night-train", title="Night Train", price=Money(minor=499, currency="USD")),
    Film(media_item_id="concert-kyoto", title="Concert in Kyoto", price=Money(minor=1800, currency="JPY")),
    Film(media_item_id="series-moor", title="The Moor, season one", price=Money(minor=2500, currency="GBP")),
    Film(media_item_id="short-tide", title="Tide", price=Money(minor=350, currency="EUR")),
    Film(media_item_id="film-paper-moons", title="Paper Moons", price=Money(minor=899, currency="USD")),
)


async def plans_on_sale(gateway: Gateway, sandbox: Sandbox) -> dict[str, Plan]:
    """The demo's plans by their codes, put on sale at the first start."""
    on_sale = {price["lookup_key"] for price in sandbox.objects.all("price")}
    for plan in PLANS:
        if plan.code not in on_sale:
            sandbox.put_on_sale(
                plan.name,
                lookup_key=plan.code,
                amount=plan.price.minor,
                currency=plan.price.currency.lower(),
                interval=plan.interval,
                trial_days=plan.trial_days,
                features=",".join(plan.features),
            )
    await gateway.services.plans.sync()
    return {plan.code: plan for plan in await gateway.services.plans.listed()}
