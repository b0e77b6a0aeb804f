"""The same question, answered by a plan and by graphql-core."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from domain.actor import Actor, Role
from domain.identity import new_id
from gql.context import Context, Services
from gql.execution import Executor, Request
from gql.json import written_body
from gql.limits import Limits
from gql.policy import Policy

LENIENT: Final = Limits(cost=1_000_000, aliases=200)
"""What is refused tells nothing of plans."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """`differs` is empty where both say the same."""

    planned: Mapping[str, Any]
    resolved: Mapping[str, Any]
    took_plan: bool
    has_plan: bool
    """Whether it may take one, as far as what it asks for goes."""

    @property
    def differs(self) -> str:
        """Both answers, where a plan says other data, or goes on where resolvers meet an error."""
        is_exact = self.took_plan or not (self.planned.get("errors") and self.has_errors)
        one, other = shown(self.planned, is_exact=is_exact), shown(self.resolved, is_exact=is_exact)
        return "" if one == other else f"by plan:       {one}\nby resolvers:  {other}"

    @property
    def has_errors(self) -> bool:
        return bool(self.resolved.get("errors"))


class Comparison:
    """Both executors know the documents that they were asked before, as a server does."""

    def __init__(self, services: Services) -> None:
        self._services = services
        policy = Policy(limits=LENIENT, tells_cost=False)
        self._by_plan, self._by_resolvers = Executor(policy), Executor(replace(policy, by_plans=False))

    async def of(
        self, text: str, variables: Mapping[str, Any], actor: Actor, name: str | None = None
    ) -> Compared:
        request = Request(query=text, variables=variables, operation_name=name)
        planned, took_plan = await self._answer(self._by_plan, request, actor)
        resolved, _ = await self._answer(self._by_resolvers, request, actor)
        known = self._by_plan.asked(request, by=actor).document.plans.get(name)
        has_plan = known is not None and None not in known._plans.values()
        return Compared(planned=planned, resolved=resolved, took_plan=took_plan, has_plan=has_plan)

    async def _answer(
        self, executor: Executor, request: Request, actor: Actor
    ) -> tuple[Mapping[str, Any], bool]:
        context = Context(actor=actor, services=self._services)
        response = await executor.execute(executor.asked(request, by=actor), context)
        return orjson.loads(written_body(response.body)), context.is_planned


def shown(body: Mapping[str, Any], *, is_exact: bool) -> str:
    """
    Errors come in any order, that of the fields that fail first.

    Of those that take the same object away, graphql-core tells the first, which is another each time. So where it
    answered both, errors are errors.
    """
    errors = sorted(
        json.dumps(error, sort_keys=True, default=str) for error in body.get("errors", ()) if is_exact
    )
    return json.dumps({"data": body.get("data"), "errors": errors}, default=str)


def everybody(owner: Actor) -> Sequence[Actor]:
    """Who asks: an owner of some objects and an admin most often, and others in every role."""
    others = [
        Actor(role=role, user_id=new_id()) for role in (Role.USER, Role.SUPPORT, Role.ADMIN, Role.SERVICE)
    ]
    return [
        replace(each, request_id="differential")
        for each in (owner, owner, *others, Actor(role=Role.ANONYMOUS))
    ]
