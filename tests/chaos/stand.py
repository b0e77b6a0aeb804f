"""A stand in the laboratory: a world with a running gateway, a shop in it, and clients."""

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from tests.acceptance.world import World
from tests.chaos.clients import Clients, clients
from tests.chaos.fleet import Fleet, Replicas, Single
from tests.chaos.laboratory import Laboratory
from tests.chaos.referee import Referee
from tests.chaos.shop import Shop

Fleets = type[Single] | type[Replicas]
NOTHING: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, kw_only=True)
class Stand:
    world: World
    fleet: Fleet
    shop: Shop
    clients: Clients
    referee: Referee
    dice: random.Random


@asynccontextmanager
async def stand(
    laboratory: Laboratory, name: str, *, fleet: Fleets = Single, settings: Mapping[str, str] = NOTHING
) -> AsyncIterator[Stand]:
    """`name` is what the dice go by."""
    async with laboratory.world() as world, opened(laboratory, world, name, fleet, settings) as made:
        yield made


@asynccontextmanager
async def opened(
    laboratory: Laboratory, world: World, name: str, fleet: Fleets, settings: Mapping[str, str]
) -> AsyncIterator[Stand]:
    """Fails where wishes were judged and not judged again at the end."""
    shop, referee = Shop(world=world), Referee(world=world)
    await shop.sell_a_plan()
    running: Fleet = fleet(world=world, settings=settings)
    await running.start()
    await shop.learn_plan()
    dice = laboratory.dice(name)
    async with clients(running.urls, dice) as asking:
        yield Stand(world=world, fleet=running, shop=shop, clients=asking, referee=referee, dice=dice)
    assert not referee.is_open, "the last look is missing: see Referee.closing"
