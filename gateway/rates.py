"""The settings' part in the rate limits: how much is allowed, and where it is counted."""

from gateway.settings import Settings
from web.rates.counters import Counters, SharedStore
from web.rates.limits import RateLimits


def rate_limits(settings: Settings) -> RateLimits:
    address = settings.rate_limit_store.get_secret_value()
    if not address:
        return RateLimits(rules=settings.rates)
    store = SharedStore(address)
    return RateLimits(
        rules=settings.rates, users=Counters(store), addresses=Counters(store), close=store.close
    )
