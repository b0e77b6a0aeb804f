"""
The chart that the README shows: one panel per operation, and one for memory, as an SVG of our own.

It has a background of its own and heeds the reader's preference, so that it can be read on a light page and on a dark
one. Colour is not all that tells the gateway from the others: it is in bold, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as Xml

from bench.peers.result import Result
from bench.peers.servers import GATEWAY_NAME

WIDTH: Final = 880
COLUMNS: Final = 2
MARGIN: Final = 24
GAP: Final = 32
ROW: Final = 22
BAR: Final = 14
HEADING: Final = 78
PANEL_HEAD: Final = 30
NAMES: Final = 130
VALUES: Final = 116
PANEL: Final = (WIDTH - 2 * MARGIN - GAP * (COLUMNS - 1)) / COLUMNS
LONGEST: Final = PANEL - NAMES - VALUES
STYLE: Final = """
text { font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
.heading { font-size: 16px; font-weight: 600 }
.panel { font-size: 13px; font-weight: 600 }
.quiet { fill: #59636e }
.ours { font-weight: 600 }
.page { fill: #ffffff; stroke: #d1d9e0 }
.bar { fill: #afb8c1 }
.bar.ours { fill: #0969da }
.cut { stroke: #ffffff; stroke-width: 3 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .quiet { fill: #9198a1 }
  .page { fill: #0d1117; stroke: #3d444d }
  .bar { fill: #565e68 }
  .bar.ours { fill: #4493f8 }
  .cut { stroke: #0d1117 }
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Figures by server; less is better."""

    title: str
    unit: str
    figures: Mapping[str, float]

    @property
    def ranked(self) -> list[tuple[str, float]]:
        return sorted(self.figures.items(), key=lambda each: each[1])

    @property
    def scale(self) -> float:
        """The figure of the longest bar. One that would dwarf all others is cut, and says so."""
        largest, *others = sorted(self.figures.values(), reverse=True)
        return others[0] * 1.25 if others and largest > 2 * others[0] else largest

    def words(self, server: str, figure: float) -> str:
        told = f"{figure:,.0f} {self.unit}"
        ours = self.figures.get(GATEWAY_NAME)
        return f"{told} · {figure / ours:.2g}×" if ours and server != GATEWAY_NAME else told


def panels(result: Result) -> list[Panel]:
    operations = [
        Panel(
            title=operation[0].upper() + operation[1:] if operation.islower() else operation,
            unit="µs",
            figures={
                server: one.figures.cpu_ms * 1000
                for server in result.servers
                if (one := result.of(operation, server))
            },
        )
        for operation in result.operations
    ]
    memory = {each.server: each.resident for each in result.footprints}
    return [*operations, Panel(title="Memory of the process", unit="MiB", figures=memory)]


def svg(result: Result) -> str:
    shown = panels(result)
    lines = [shown[at : at + COLUMNS] for at in range(0, len(shown), COLUMNS)]
    heights = [max(map(height, line)) for line in lines]
    image = canvas(HEADING + sum(heights) + MARGIN)
    write(image, MARGIN, 32, "Processor time of the server per request", "heading")
    note = f"less is better; × is times this gateway's · {result.payments:,} payments · {result.on:%d %B %Y}"
    write(image, MARGIN, 54, note, "quiet")
    top = float(HEADING)
    for line, below in zip(lines, heights, strict=True):
        for column, panel in enumerate(line):
            draw(image, panel, left=MARGIN + column * (PANEL + GAP), top=top)
        top += below
    Xml.indent(image)
    return Xml.tostring(image, encoding="unicode") + "\n"


def height(panel: Panel) -> float:
    return PANEL_HEAD + ROW * len(panel.figures) + 14


def canvas(tall: float) -> Xml.Element:
    image = Xml.Element(
        "svg",
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {tall:.0f}",
        width=str(WIDTH),
        height=f"{tall:.0f}",
        role="img",
    )
    Xml.SubElement(image, "title").text = "Processor time per request of this gateway and of other servers"
    Xml.SubElement(image, "style").text = STYLE
    page = {"width": str(WIDTH - 1), "height": f"{tall - 1:.0f}", "x": "0.5", "y": "0.5", "rx": "8"}
    Xml.SubElement(image, "rect", {"class": "page", **page})
    return image


def draw(image: Xml.Element, panel: Panel, *, left: float, top: float) -> None:
    write(image, left, top + 16, panel.title, "panel")
    for row, (server, figure) in enumerate(panel.ranked):
        middle = top + PANEL_HEAD + row * ROW + ROW / 2
        owner = "ours" if server == GATEWAY_NAME else ""
        write(image, left + NAMES - 8, middle + 4, server, owner, anchor="end")
        long = bar(image, left + NAMES, middle, figure / panel.scale, owner)
        write(image, left + NAMES + long + 6, middle + 4, panel.words(server, figure), f"quiet {owner}")


def bar(image: Xml.Element, left: float, middle: float, share: float, owner: str) -> float:
    """How long it is."""
    long = max(min(share, 1.0) * LONGEST, 1.0)
    place = {"x": f"{left:.1f}", "y": f"{middle - BAR / 2:.1f}", "width": f"{long:.1f}", "height": str(BAR)}
    Xml.SubElement(image, "rect", {"class": f"bar {owner}".strip(), **place, "rx": "2"})
    if share > 1:
        cut(image, left + long - 24, middle)
    return long


def cut(image: Xml.Element, left: float, middle: float) -> None:
    for at in (left, left + 7):
        ends = {
            "x1": f"{at:.1f}",
            "x2": f"{at + 5:.1f}",
            "y1": f"{middle + 9:.1f}",
            "y2": f"{middle - 9:.1f}",
        }
        Xml.SubElement(image, "line", {"class": "cut", **ends})


def write(
    image: Xml.Element, left: float, line: float, text: str, kind: str = "", *, anchor: str = "start"
) -> None:
    place = {"x": f"{left:.1f}", "y": f"{line:.1f}", "text-anchor": anchor}
    Xml.SubElement(image, "text", {**place, **({"class": kind.strip()} if kind.strip() else {})}).text = text
