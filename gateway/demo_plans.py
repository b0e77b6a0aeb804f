"""Plans for the sandbox, as a merchant sets them up in Stripe's Dashboard, once."""

from collections.abc import Mapping
from typing import Final

import httpx

PRODUCTS: Final[Mapping[str, Mapping[str, str]]] = {
    "prod_demo_basic": {
        "name": "Basic",
        "description": "Films and series on one screen.",
        "metadata[features]": "films,series",
    },
    "prod_demo_premium": {
        "name": "Premium",
        "description": "Everything, on four screens, with downloads.",
        "metadata[features]": "films,series,concerts,downloads",
    },
}
PRICES: Final[Mapping[str, Mapping[str, str]]] = {
    "basic-monthly": {"product": "prod_demo_basic", "unit_amount": "799", "recurring[interval]": "month"},
    "basic-yearly": {"product": "prod_demo_basic", "unit_amount": "7990", "recurring[interval]": "year"},
    "premium-monthly": {
        "product": "prod_demo_premium",
        "unit_amount": "1499",
        "recurring[interval]": "month",
        "recurring[trial_period_days]": "14",
    },
}
"""By their lookup keys, which become the plans' codes."""
CURRENCY: Final = "eur"


async def sell_demo_plans(sandbox: str, secret_key: str) -> None:
    """Have the products and prices that are not there yet; `sandbox` is its address."""
    async with httpx.AsyncClient(base_url=f"{sandbox}/v1", auth=(secret_key, "")) as stripe:
        for product_id, product in PRODUCTS.items():
            if (await stripe.get(f"/products/{product_id}")).is_error:
                await _made(stripe, "/products", {"id": product_id, **product})
        for code, price in PRICES.items():
            known = await stripe.get("/prices", params={"lookup_keys[0]": code})
            if not known.raise_for_status().json()["data"]:
                await _made(stripe, "/prices", {"lookup_key": code, "currency": CURRENCY, **price})


async def _made(stripe: httpx.AsyncClient, path: str, form: Mapping[str, str]) -> None:
    (await stripe.post(path, data=dict(form))).raise_for_status()
