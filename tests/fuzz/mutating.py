"""Documents that nobody thought of: those of somebody else, spoilt at random."""

import random
import re
from collections.abc import Iterator, Sequence
from typing import Final

from tests.fuzz.hostile import LONGEST, Hostile

TOKEN: Final = re.compile(r'"""[\s\S]*?"""|"[^"\n]*"|\.\.\.|[A-Za-z_]\w*|-?\d+(?:\.\d+)?|\s+|.', re.DOTALL)
LONGEST_SPAN: Final = 400
MOST_COPIES: Final = 60


def mutations(texts: Sequence[str], dice: random.Random, count: int) -> Iterator[Hostile]:
    for number in range(count):
        text = dice.choice(texts)
        for _ in range(dice.randint(1, 6)):
            text = dice.choice(WAYS)(text, texts, dice)
        yield Hostile(kind=f"mutation {number}", query=text.encode()[:LONGEST].decode(errors="ignore"))


def _span(parts: Sequence[str], dice: random.Random) -> tuple[int, int]:
    begin = dice.randrange(len(parts) + 1)
    return begin, min(len(parts), begin + dice.randint(1, LONGEST_SPAN))


def _without(text: str, _: Sequence[str], dice: random.Random) -> str:
    parts = TOKEN.findall(text)
    begin, end = _span(parts, dice)
    return "".join([*parts[:begin], *parts[end:]])


def _again(text: str, _: Sequence[str], dice: random.Random) -> str:
    parts = TOKEN.findall(text)
    begin, end = _span(parts, dice)
    return "".join([*parts[:end], *(parts[begin:end] * dice.randint(1, MOST_COPIES)), *parts[end:]])


def _mixed(text: str, texts: Sequence[str], dice: random.Random) -> str:
    """With a piece of another one in the middle."""
    parts, others = TOKEN.findall(text), TOKEN.findall(dice.choice(texts))
    begin, end = _span(others, dice)
    at = dice.randrange(len(parts) + 1)
    return "".join([*parts[:at], *others[begin:end], *parts[at:]])


def _swapped(text: str, _: Sequence[str], dice: random.Random) -> str:
    parts = TOKEN.findall(text)
    if len(parts) > 1:
        one, other = dice.randrange(len(parts)), dice.randrange(len(parts))
        parts[one], parts[other] = parts[other], parts[one]
    return "".join(parts)


def _garbled(text: str, _: Sequence[str], dice: random.Random) -> str:
    at = dice.randrange(len(text) + 1)
    return (
        text[:at]
        + dice.choice(["\0", "\ufeff", "\U0001f600", "\\", '"', '"""', "{", "}", "$", "@"])
        + text[at:]
    )


WAYS: Final = (_without, _again, _again, _mixed, _swapped, _garbled)
