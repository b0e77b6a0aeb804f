"""May this user use that? Asked by the Media Service for many things at once, and by users for themselves."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from domain.access import AccessQuestion, Entitlement
from domain.access_decision import AccessDecision, decide
from domain.actor import Actor, Role
from domain.errors import InvalidInput
from domain.ports import Clock, Database
from domain.rules import Rules

MOST_QUESTIONS: Final = 100
ASKS_ABOUT_ANYBODY: Final = frozenset({Role.SERVICE, Role.ADMIN})


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessService:
    database: Database
    clock: Clock
    rules: Rules = field(default_factory=Rules)

    def must_answer(self, actor: Actor, *, count: int) -> None:
        """Other services and admins may ask about anybody, 100 things at a time. Raises Forbidden or InvalidInput."""
        actor.must_be(ASKS_ABOUT_ANYBODY)
        if count > MOST_QUESTIONS:
            raise InvalidInput(
                f"At most {MOST_QUESTIONS} targets at once.", path=("targets",), constraint="maxItems"
            )

    async def decisions(self, questions: Sequence[AccessQuestion]) -> list[AccessDecision]:
        """One decision per question, in their order; two statements, however many they are."""
        async with self.database.reads() as reads:
            rows = await reads.entitlements.answering(frozenset(questions))
            awaited = await reads.entitlements.awaited_by({each.user_id for each in questions})
        found: defaultdict[AccessQuestion, list[Entitlement]] = defaultdict(list)
        for row in rows:
            found[row.question].append(row)
        now = self.clock()
        return [
            decide(each, found[each], is_awaited=each in awaited, rules=self.rules, at=now)
            for each in questions
        ]
