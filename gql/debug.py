"""What an answer took, beside it as `extensions.debug`: for development, where N+1 is to be seen at once."""

import time
from dataclasses import replace
from typing import Any

from gql.context import Context
from gql.execution import Asked, Executor, Response


class DebuggingExecutor(Executor):
    async def execute(self, asked: Asked, context: Context) -> Response:
        began = time.perf_counter()
        with context.services.database.counted() as statements:
            response = await super().execute(asked, context)
        return _extended(
            response,
            {
                "statements": sum(statements.values()),
                "statementsByTable": dict(statements),
                "cost": asked.cost or 0,
                "planned": context.is_planned,
                "milliseconds": round((time.perf_counter() - began) * 1000, 1),
            },
        )


def _extended(response: Response, debug: dict[str, Any]) -> Response:
    extensions = {**response.body.get("extensions", {}), "debug": debug}
    return replace(response, body={**response.body, "extensions": extensions})
