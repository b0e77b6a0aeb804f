"""Finds the endpoint of a method and a path such as `/v1/customers/{id}`."""

from collections.abc import Iterable

from sandbox.api.endpoint import Endpoint
from sandbox.api.errors import UnrecognizedUrl


class Routes:
    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._by_length: dict[tuple[str, int], list[tuple[list[str], Endpoint]]] = {}
        for endpoint in endpoints:
            template = _segments(endpoint.path)
            self._by_length.setdefault((endpoint.method, len(template)), []).append((template, endpoint))

    def find(self, method: str, path: str) -> tuple[Endpoint, tuple[str, ...]]:
        """The endpoint, and the ids in the path; a fixed segment is preferred to an id in its place."""
        segments = _segments(path)
        found = [
            (endpoint, ids)
            for template, endpoint in self._by_length.get((method, len(segments)), ())
            if (ids := _match(template, segments)) is not None
        ]
        if not found:
            raise UnrecognizedUrl(f"Unrecognized request URL ({method}: {path}).")
        return min(found, key=lambda match: len(match[1]))


def _segments(path: str) -> list[str]:
    return path.strip("/").split("/")


def _match(template: list[str], segments: list[str]) -> tuple[str, ...] | None:
    ids = []
    for wanted, given in zip(template, segments, strict=True):
        if wanted.startswith("{"):
            ids.append(given)
        elif wanted != given:
            return None
    return tuple(ids)
