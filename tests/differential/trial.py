"""Random documents over many objects, asked as everybody."""

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from domain.account import BillingAccount
from domain.actor import Actor, Role
from gql.executor import SCHEMA
from gql.ids import id_of
from tests.differential.comparing import Compared, Comparison, everybody
from tests.differential.writing import Writer, Written
from tests.fuzz.stage import bare_gateway
from tests.gql.many_of_each import many_of_each

MOSTLY: Final = 200


@dataclass(slots=True, kw_only=True)
class Tally:
    documents: int = 0
    refused: int = 0
    with_errors: int = 0
    without_plan: int = 0
    """Since they ask for what often fails; those with errors are not among them."""
    by_resolvers: int = 0
    """Of those without errors that have a plan."""

    def add(self, found: Compared) -> None:
        self.documents += 1
        self.refused += "data" not in found.resolved
        self.with_errors += found.has_errors
        self.without_plan += not found.has_errors and not found.has_plan
        self.by_resolvers += not found.has_errors and found.has_plan and not found.took_plan

    @property
    def planned_share(self) -> float:
        """Of the answers without errors, where there is a plan."""
        clean = self.documents - self.with_errors - self.without_plan
        return 1 - self.by_resolvers / clean if clean else 0.0


class Difference(Exception):
    """Plan and resolvers do not say the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    comparison: Comparison
    ids: Mapping[str, Sequence[str]]
    users: Sequence[UUID]
    people: Sequence[Actor]

    async def run(self, seed: int, documents: int) -> Tally:
        """Raises Difference, which tells the document."""
        tally = Tally()
        for number in range(documents):
            tally.add(await self.one(seed, number))
        return tally

    async def one(self, seed: int, number: int) -> Compared:
        dice = random.Random(f"{seed} {number}")  # noqa: S311 - a schedule, not a secret
        actor = dice.choice(self.people)
        written = self.written(dice, actor)
        found = await self.comparison.of(written.text, written.variables, actor)
        if found.differs:
            raise Difference(
                f"Seed {seed}, document {number}, asked as {actor.role}:\n{written.text}\n"
                f"{written.variables}\n{found.differs}"
            )
        return found

    def written(self, dice: random.Random, actor: Actor) -> Written:
        """Three of four are careful; who may not see everything asks mostly for what is the owner's."""
        is_careful, sees_all = dice.random() < 0.75, actor.sees_everybody
        ids = {
            name: found if sees_all else [*[found[0]] * MOSTLY, *found] for name, found in self.ids.items()
        }
        users = [str(user) for user in (self.users if sees_all else (*[self.users[0]] * MOSTLY, *self.users))]
        return Writer(schema=SCHEMA, dice=dice, ids=ids, users=users, is_careful=is_careful).document()


@asynccontextmanager
async def trial(folder: Path) -> AsyncIterator[Trial]:
    async with bare_gateway(folder) as gateway:
        ids = await many_of_each(gateway.services.database)
        users = [id_of(BillingAccount, text, "id") for text in ids["BillingAccount"]]
        comparison = Comparison(gateway.services)
        people = everybody(Actor(role=Role.USER, user_id=users[0]))
        for each in people:  # At first sight an account is opened, which must not happen in between.
            await comparison.of("{ viewer { id } }", {}, each)
        yield Trial(comparison=comparison, ids=ids, users=users, people=people)
