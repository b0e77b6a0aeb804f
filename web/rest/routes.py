"""From the table to Starlette's routes."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gql.context import Services
from web.auth import Authentication
from web.rates.limits import UNLIMITED, RateLimits
from web.rest.endpoint import Endpoint
from web.rest.legacy import Legacy, LegacyHeaders
from web.rest.route import BASE, RestRoute
from web.rest.table import ROUTES


class Address:
    """All methods of one path: whoever asks for another one hears of each of them."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._by_method: Mapping[str, Endpoint] = {each.route.method: each for each in endpoints}

    async def answer(self, request: Request) -> Response:
        return await self._by_method["GET" if request.method == "HEAD" else request.method].answer(request)


def rest_routes(
    authentication: Authentication,
    services: Services,
    legacy: Legacy,
    limits: RateLimits = UNLIMITED,
    table: Sequence[RestRoute] = ROUTES,
) -> list[BaseRoute]:
    """Each path with and without a slash at its end; those without an id first, since an id may look like anything."""
    rows = sorted(table, key=lambda row: (row.path.startswith("/{id}"), row.path))
    found: list[BaseRoute] = []
    for path, same in groupby(rows, key=lambda row: row.path):
        of_path = list(same)
        address = Address([Endpoint(row, authentication, services, limits) for row in of_path])
        headers = Middleware(LegacyHeaders, by_method={row.method: legacy.headers(row) for row in of_path})
        found += [
            Route(
                f"{BASE}{path}{end}",
                address.answer,
                methods=[row.method for row in of_path],
                middleware=[headers],
            )
            for end in ("", "/")
        ]
    return found
