"""
What mutations answer, rendered by plans.

graphql-core executes the mutations, one after the other, and each of them once. Only what one has returned is shown by
a plan; where that is surprised, graphql-core shows the very same payload.
"""

from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

import structlog
from graphql import GraphQLObjectType
from graphql.execution.values import VariableValues
from graphql.pyutils import Path

from domain.ports import ALL, Shown
from gql.compiled.plan import Plans
from gql.compiled.surprise import NotPlanned
from gql.compiled.ways import Branch
from gql.context import Context
from gql.executor import LeanExecutor

log = structlog.get_logger()


@dataclass(slots=True)
class Payloads:
    """Those of one request."""

    plans: Plans
    planned: int = 0
    others: int = 0

    @property
    def are_planned(self) -> bool:
        return self.planned > 0 and self.others == 0

    async def shown(self, key: str, payload: Any, variables: VariableValues, context: Context) -> Any:
        """That of the mutation with this name in the answer. Raises NotPlanned, or whatever surprises the plan."""
        plan = self.plans.plan(variables)
        branch = plan.root.fields[key]
        if not isinstance(branch, Branch):
            raise NotPlanned(key)
        context.show(Shown(plan.glances))
        [answer] = await branch.place.column([payload], self.plans.run(variables, context))
        self.planned += 1
        return answer


class PayloadExecutor(LeanExecutor):
    def __init__(self, *args: Any, payloads: Payloads, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._payloads = payloads

    def collect_and_execute_subfields(
        self,
        return_type: GraphQLObjectType,
        field_details_list: Any,
        path: Path,
        result: Any,
        position_context: None,
    ) -> Any:
        resolved = super().collect_and_execute_subfields
        if path.prev is not None:
            return resolved(return_type, field_details_list, path, result, position_context)

        async def shown() -> Any:
            if (answer := await self._planned(path, result)) is not None:
                return answer
            self._payloads.others += 1
            answer = resolved(return_type, field_details_list, path, result, position_context)
            return await answer if isawaitable(answer) else answer

        return shown()

    async def _planned(self, path: Path, payload: Any) -> Any:
        """None where graphql-core has to show it."""
        context: Context = self.context_value
        try:
            return await self._payloads.shown(str(path.key), payload, self.variable_values, context)
        except NotPlanned:
            return None
        except Exception as surprise:  # noqa: BLE001 - graphql-core meets it again, and tells of it
            log.debug("plan.surprised", cause=type(surprise).__name__)
            return None
        finally:
            context.show(ALL)
