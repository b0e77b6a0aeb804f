"""Every experiment by its name; the order is that of the table."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from tests.chaos.finding import Finding
from tests.chaos.flood import flood
from tests.chaos.laboratory import Laboratory

Experiment: TypeAlias = Callable[[Laboratory], Awaitable[list[Finding]]]

EXPERIMENTS: Final[Mapping[str, Experiment]] = {"m10": flood}
