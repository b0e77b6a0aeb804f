"""Every experiment by its name; the order is that of the table."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from tests.chaos import crashes, duplicates, faults, flood, hardship, keys, orders, outages, weather
from tests.chaos.finding import Finding
from tests.chaos.laboratory import Laboratory

Experiment: TypeAlias = Callable[[Laboratory], Awaitable[list[Finding]]]

EXPERIMENTS: Final[Mapping[str, Experiment]] = {
    "m1": crashes.retried,
    "m2": crashes.left,
    "m3": duplicates.on_one_server,
    "m4": duplicates.reused_keys,
    "m5": faults.every_fault,
    "m6": duplicates.refunds,
    "m7": duplicates.on_two_replicas,
    "m7-crashes": crashes.beside_a_replica,
    "m8": orders.of_payments,
    "m9": orders.of_subscriptions,
    "m10": flood.flood,
    "m11": faults.slow,
    "m12": outages.without_postgres,
    "m13": hardship.hardship,
    "weather": weather.bad_day,
    "m14": keys.on_every_post,
}
