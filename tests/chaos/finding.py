"""What an experiment found: one line of the table."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`experiment` is its name in docs/reliability.md, such as M3; `tried` says with which counts it was made."""

    experiment: str
    tried: str
    measured: str
    target: str
    holds: bool
