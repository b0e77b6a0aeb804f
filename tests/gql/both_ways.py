"""Payloads shown both ways: by a plan, as callers get them, and by graphql-core."""

from collections.abc import Iterator
from contextlib import contextmanager
from inspect import isawaitable
from typing import Any, ClassVar, Final, NamedTuple

from gql.compiled.payloads import PayloadExecutor
from gql.executor import LeanExecutor
from gql.json import written_body
from persistence import statements

NEVER_THE_SAME: Final = b'"fresh":'
"""A preview, which Stripe is asked for each time."""


@contextmanager
def uncounted() -> Iterator[None]:
    """Statements are not the request's own meanwhile."""
    token = statements._counts.set(None)
    try:
        yield
    finally:
        statements._counts.reset(token)


class Pair(NamedTuple):
    name: str
    by_plan: bytes
    usual: bytes

    @property
    def is_equal(self) -> bool:
        return self.by_plan == self.usual or NEVER_THE_SAME in self.by_plan


class BothWays(PayloadExecutor):
    pairs: ClassVar[list[Pair]] = []
    """Of the payloads that were shown by plan."""

    def collect_and_execute_subfields(
        self, return_type: Any, field_details_list: Any, path: Any, result: Any, position_context: Any
    ) -> Any:
        given = (return_type, field_details_list, path, result, position_context)
        planned = super().collect_and_execute_subfields(*given)
        if path.prev is not None:
            return planned

        async def compared() -> Any:
            before = self._payloads.planned
            answer = await planned
            if self._payloads.planned > before:
                with uncounted():
                    other = LeanExecutor.collect_and_execute_subfields(self, *given)
                    usual = await other if isawaitable(other) else other
                self.pairs.append(Pair(path.key, written_body(answer), written_body(usual)))
            return answer

        return compared()
