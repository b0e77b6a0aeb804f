"""
Card numbers (PANs) that stand where none may: in metadata, descriptions, notes and logs.

PCI DSS 4.0.1 lets nobody keep account data without need (requirement 3.2), show more of a number than
its issuer and last four digits (3.4), or store it readable (3.5). This gateway needs none, so it
refuses and redacts them all.

What counts as a number: 13 to 19 digits of any script, with at most one space, dash or dot between two
of them, that pass the Luhn check (ISO/IEC 7812-1, annex B) and have an opening and a length that some
card network issues. One in ten random numbers passes Luhn; asking for the opening as well keeps out
time stamps in milli- and nanoseconds (they begin with 1 until 2033) and most order numbers. The price
is a blind spot for private cards outside those ranges. A number begins and ends where its group of
digits does, so no part of a longer run is taken for one.

Meant for mistakes, not for evasion: who wants to smuggle a number through will spell it out.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from typing import TypeAlias
from unicodedata import decimal as digit_value

REDACTED = "[card number]"

_SHORTEST, _LONGEST = 13, 19
_ENOUGH_DIGITS = re.compile(rf"[0-9](?:[ .-]?[0-9]){{{_SHORTEST - 1}}}")
_GROUP = rf"[0-9]{{1,{_LONGEST}}}(?![0-9])"
_RUN = re.compile(rf"(?<![0-9]){_GROUP}(?:[ .-]{_GROUP})*")
_FOREIGN_SEPARATOR = re.compile(
    r"[\u00a0\u2000-\u200d\u202f\u205f\u2060\u3000\ufeff"  # spaces, also those of no width
    r"\u00ad\u2010-\u2015\u2212\ufe58\ufe63\uff0d"  # hyphens, dashes, minus signs
    r"\u00b7\u2022\u2024\u2027\uff0e]"  # full stops and dots
)

_HEX = "[0-9A-Fa-f]"
_UUID = re.compile(rf"(?<!{_HEX}){_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}(?!{_HEX})")
_HASH_BEFORE = re.compile(r"[0-9][A-Fa-f]{1,32}\Z")
_HASH_AFTER = re.compile(r"[A-Fa-f]{1,32}[0-9]")
_PLUS_OF_A_PHONE = re.compile(r"(?:\A|[^0-9A-Za-z])\+\Z")
_LONGEST_PHONE = 15  # ITU-T E.164
_CONTEXT = 33  # what _HASH_BEFORE can match

_USUAL = (16, 17, 18, 19)
_LENGTHS: Mapping[str, Sequence[int]] = {
    **{str(opening): _USUAL for opening in range(22, 28)},  # Mastercard, Mir
    **dict.fromkeys(("30", "36", "38", "39"), (14, *_USUAL)),  # Diners Club
    **dict.fromkeys(("34", "37"), (15,)),  # American Express
    "35": _USUAL,  # JCB
    **{str(opening): (13, 16, 19) for opening in range(40, 50)},  # Visa
    **{str(opening): _USUAL for opening in range(50, 70)},  # Mastercard, Maestro, Discover, UnionPay, RuPay
    **dict.fromkeys(("81", "82"), _USUAL),  # UnionPay, RuPay
    "97": (16,),  # Troy
}
"""The first two digits of the networks' ranges, and how many digits they issue under them."""

_VALUES = bytes.maketrans(b"0123456789", bytes(range(10)))
_DOUBLED = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))

Path: TypeAlias = tuple[str | int, ...]
"""The keys and indexes that lead to a value inside nested mappings and sequences."""


def contains_card_number(text: str) -> bool:
    """Whether a card number stands anywhere in the text."""
    if len(text) < _SHORTEST or (text.isascii() and not _ENOUGH_DIGITS.search(text)):
        return False
    return next(_places(text), None) is not None


def redacted(text: str) -> str:
    """The text with every card number replaced as a whole; the same text when there is none."""
    kept: list[str] = []
    end = 0
    for start, stop in _merged(_places(text)):
        kept += (text[end:start], REDACTED)
        end = stop
    return "".join((*kept, text[end:]))


def find_in(value: object) -> Path | None:
    """
    Where the first card number stands in a JSON-like value (mappings, sequences, texts, numbers), or None.

    The path is safe to show: a key that is itself a card number comes redacted.
    """
    pending = [_Node(value)]
    while pending:
        node = pending.pop()
        if node.holds_card_number():
            return node.path()
        pending.extend(reversed(list(node.children())))
    return None


@dataclass(frozen=True, slots=True)
class _Node:
    """A value and the node above it, so that depth costs neither stack frames nor copies of the path."""

    value: object
    step: str | int = ""
    parent: "_Node | None" = None

    def holds_card_number(self) -> bool:
        return contains_card_number(_text_of(self.value)) or contains_card_number(str(self.step))

    def children(self) -> Iterator["_Node"]:
        if isinstance(self.value, Mapping):
            return (_Node(item, str(key), self) for key, item in self.value.items())
        if isinstance(self.value, Sequence) and not isinstance(self.value, str | bytes):
            return (_Node(item, index, self) for index, item in enumerate(self.value))
        return iter(())

    def path(self) -> Path:
        steps: list[str | int] = []
        node = self
        while node.parent is not None:
            steps.append(redacted(node.step) if isinstance(node.step, str) else node.step)
            node = node.parent
        return tuple(reversed(steps))


def _text_of(value: object) -> str:
    """What a scalar reads like; nothing for an integer of another length, whose text may be huge."""
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value) if 10 ** (_SHORTEST - 1) <= abs(value) < 10**_LONGEST else ""
    return str(value) if isinstance(value, float | Decimal) else ""


def _places(text: str) -> Iterator[tuple[int, int]]:
    """Where card numbers begin and end, by their beginning; they overlap where two readings are possible."""
    plain = text if text.isascii() else _in_ascii(text)
    if not _ENOUGH_DIGITS.search(plain):
        return
    plain = _UUID.sub(_blank, plain)
    for run in _RUN.finditer(plain):
        for start, stop in _numbers_in(run[0]):
            place = run.start() + start, run.start() + stop
            if not _is_something_else(plain, *place):
                yield place


def _numbers_in(run: str) -> Iterator[tuple[int, int]]:
    """
    Where card numbers begin and end in groups of digits with one separator between two of them.

    Linear in the run: a stretch passes Luhn when the running sums at both its ends are congruent, so
    every group is looked at once per possible length.
    """
    if len(run) < _SHORTEST:
        return
    groups = run.replace(".", " ").replace("-", " ").split(" ")
    digits = "".join(groups)
    bounds = list(accumulate(map(len, groups), initial=0))
    group_at = {bound: group for group, bound in enumerate(bounds)}
    sums = _luhn_sums(digits)
    for group, start in enumerate(bounds):
        for length in _LENGTHS.get(digits[start : start + 2], ()):
            stop = start + length
            running = sums[stop % 2]
            if running[stop] == running[start] and stop in group_at:
                yield start + group, stop + group_at[stop] - 1


def _luhn_sums(digits: str) -> tuple[Sequence[int], Sequence[int]]:
    """
    Running Luhn sums modulo ten, for stretches that stop before an even and before an odd index.

    Luhn doubles every second digit from the right, so the parity of the stop decides which are doubled.
    They run on past the last digit, with no value a sum can have.
    """
    values, doubled = digits.encode().translate(_VALUES), digits.encode().translate(_DOUBLED)
    stop_even, stop_odd = bytearray(values), bytearray(values)
    stop_even[0::2] = doubled[0::2]
    stop_odd[1::2] = doubled[1::2]
    return _running(stop_even), _running(stop_odd)


def _running(values: bytes | bytearray) -> Sequence[int]:
    return [total % 10 for total in accumulate(values, initial=0)] + [10] * _LONGEST


def _is_something_else(text: str, start: int, stop: int) -> bool:
    """Whether the digits belong to a hexadecimal hash or are a phone number in international form."""
    before = text[max(0, start - _CONTEXT) : start]
    if _HASH_BEFORE.search(before) or _HASH_AFTER.match(text, stop):
        return True
    is_short = sum(map(str.isdecimal, text[start:stop])) <= _LONGEST_PHONE
    return is_short and _PLUS_OF_A_PHONE.search(before) is not None


def _in_ascii(text: str) -> str:
    """The text, as long as it is, with the digits of every script as 0 to 9 and separators as dashes."""
    return text.translate({ord(char): _ascii_of(char) for char in set(text) if not char.isascii()})


def _ascii_of(char: str) -> str:
    if _FOREIGN_SEPARATOR.match(char):
        return "-"
    return str(digit_value(char)) if char.isdecimal() else char


def _blank(match: re.Match[str]) -> str:
    return "_" * len(match[0])


def _merged(places: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The same places with overlapping ones as one."""
    begin = end = 0
    for start, stop in places:
        if start >= end:
            if end:
                yield begin, end
            begin = start
        end = max(end, stop)
    if end:
        yield begin, end
