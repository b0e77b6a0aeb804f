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
_TELLER = re.compile(r"^# as: (.+)$", re.MULTILINE)
_PLACEHOLDER = re.compile(r"{{([a-z]+:[a-z-]+)}}")


DEMO_USER = "demo user"
"""Who sends what no story names anybody for."""


Tab = TypedDict("Tab", {"title": str, "query": str, "variables": str, "as": str})
"""`as` names the person who sends it."""


class Person(TypedDict):
    """Somebody to be signed in as; `authorization` is the whole header value, such as `Bearer …`."""

    name: str
    authorization: str


class Configuration(TypedDict):
    """What the page reads from `/explorer/config.json`."""

    endpoint: str
    people: list[Person]
    tabs: list[Tab]
    notice: str
    clock: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """
    One tab: a commented document and the text of its variables.

    The variables hold placeholders. The server fills `{{card:…}}` and its like with the ids of
    demo objects; the browser fills `{{fresh-key}}` and `{{origin}}` when it opens the page.
    """

    title: str
    query: str
    variables: str
    told_by: str

    @property
    def placeholders(self) -> frozenset[str]:
        """What the server has to fill, such as `card:declined`."""
        return frozenset(_PLACEHOLDER.findall(self.variables))

    def tab(self, substitutions: Mapping[str, str]) -> Tab:
        """The story with its cards filled in; KeyError names a missing one."""
        variables = _PLACEHOLDER.sub(lambda found: _json_text(substitutions[found[1]]), self.variables)
        return {"title": self.title, "query": self.query, "variables": variables, "as": self.told_by}


@cache
def stories() -> tuple[Story, ...]:
    """Every story, in the order in which a newcomer should run them."""
    return tuple(_story(document) for document in sorted(_STORIES.glob("*.graphql"), key=_place))


def _place(document: Path) -> int:
    """The number with which its name begins."""
    return int(document.stem.partition("-")[0])


def placeholders() -> frozenset[str]:
    """Every substitution that `configuration` needs for all stories to be told."""
    return frozenset().union(*(story.placeholders for story in stories()))


def configuration(
    endpoint: str,
    people: Mapping[str, str],
    substitutions: Mapping[str, str],
    *,
    notice: str = "",
    clock: str | None = None,
) -> Configuration:
    """
    Shape what the page shows: the endpoint's path, one tab per story, and a line above them.

    `people` maps names to authorization headers, the usual one first; the page asks for a new configuration once
    one is refused. `clock` is the path of a clock that may be moved on. A story could not run, and is left out,
    where its cards are not all among the substitutions or nobody is there to tell it.
    """
    told = [story for story in stories() if story.placeholders <= substitutions.keys()]
    tabs = [story.tab(substitutions) for story in told if not people or story.told_by in people]
    persons = [Person(name=name, authorization=header) for name, header in people.items()]
    return Configuration(endpoint=endpoint, people=persons, tabs=tabs, notice=notice, clock=clock)


def _story(document: Path) -> Story:
    query = document.read_text(encoding="utf-8").strip()
    variables = document.with_suffix(".json").read_text(encoding="utf-8").strip()
    teller = _TELLER.search(query)
    return Story(
        title=_title(query), query=query, variables=variables, told_by=teller[1] if teller else DEMO_USER
    )


def _title(query: str) -> str:
    first_line = _TITLE.match(query)
    if first_line is None:
        raise ValueError(f"A story begins with its title as a comment, not with {query[:40]!r}")
    return first_line[1]


def _json_text(value: str) -> str:
    return json.dumps(value)[1:-1]
