import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypedDict

ASSETS_PATH = "/explorer"
"""Where the page expects its assets and its configuration; the built files name it."""

STATIC = Path(__file__).parent / "static"
"""The built page: `index.html`, scripts, styles, and the licences of the packages inside them."""

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # Monaco positions every line of text with style attributes.
        "font-src 'self' data:",
        "img-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'none'",
    )
)
"""All that the page needs: it asks nothing of another host."""

_STORIES = Path(__file__).parent / "stories"
_TITLE = re.compile(r"# (.+)")
_PLACEHOLDER = re.compile(r"{{(card:[a-z-]+)}}")


class Tab(TypedDict):
    title: str
    query: str
    variables: str


class Configuration(TypedDict):
    """What the page reads from `/explorer/config.json`."""

    endpoint: str
    authorization: str | None
    tabs: list[Tab]
    notice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """
    One tab: a commented document and the text of its variables.

    The variables hold placeholders. The server fills `{{card:…}}` with the id of a
    saved card; the browser fills `{{fresh-key}}` and `{{origin}}` when it opens the page.
    """

    title: str
    query: str
    variables: str

    @property
    def placeholders(self) -> frozenset[str]:
        """What the server has to fill, such as `card:declined`."""
        return frozenset(_PLACEHOLDER.findall(self.variables))

    def tab(self, substitutions: Mapping[str, str]) -> Tab:
        """The story with its cards filled in; KeyError names a missing one."""
        variables = _PLACEHOLDER.sub(lambda found: _json_text(substitutions[found[1]]), self.variables)
        return Tab(title=self.title, query=self.query, variables=variables)


@cache
def stories() -> tuple[Story, ...]:
    """Every story, in the order in which a newcomer should run them."""
    return tuple(_story(document) for document in sorted(_STORIES.glob("*.graphql")))


def placeholders() -> frozenset[str]:
    """Every substitution that `configuration` needs for all stories to be told."""
    return frozenset().union(*(story.placeholders for story in stories()))


def configuration(
    endpoint: str, authorization: str | None, substitutions: Mapping[str, str], *, notice: str = ""
) -> Configuration:
    """
    Shape what the page shows: the endpoint's path, one tab per story, and a line above them.

    `authorization` is the whole header value, such as `Bearer …`; the page sends it with
    every request and asks for a new configuration once it is refused. A story whose cards
    are not all among the substitutions could not run and is left out.
    """
    told = [story for story in stories() if story.placeholders <= substitutions.keys()]
    tabs = [story.tab(substitutions) for story in told]
    return Configuration(endpoint=endpoint, authorization=authorization, tabs=tabs, notice=notice)


def _story(document: Path) -> Story:
    query = document.read_text(encoding="utf-8").strip()
    variables = document.with_suffix(".json").read_text(encoding="utf-8").strip()
    return Story(title=_title(query), query=query, variables=variables)


def _title(query: str) -> str:
    first_line = _TITLE.match(query)
    if first_line is None:
        raise ValueError(f"A story begins with its title as a comment, not with {query[:40]!r}")
    return first_line[1]


def _json_text(value: str) -> str:
    return json.dumps(value)[1:-1]
