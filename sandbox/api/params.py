"""The kinds of parameters an endpoint may declare; reading one either yields its value or a Stripe error."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sandbox.api.errors import InvalidRequest, MissingParameter, UnknownParameter
from sandbox.api.forms import Raw, join

Params = dict[str, Any]
KindT = TypeVar("KindT", bound="Kind")

WHOLE_NUMBER = re.compile(r"-?\d{1,18}")
LINK = re.compile(r"(?!javascript:|data:|vbscript:)[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """`clears`: an empty value takes the setting away (read as None) instead of being refused."""

    required: bool = False
    clears: bool = False

    def read(self, raw: Raw, name: str) -> Any:
        if raw == "":
            if self.clears:
                return None
            raise InvalidRequest(f"{name} must not be empty.", code="parameter_invalid_empty", param=name)
        return self.parse(raw, name)

    def parse(self, raw: Raw, name: str) -> Any:
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Kind):
    longest: int = 5_000

    def parse(self, raw: Raw, name: str) -> str:
        if not isinstance(raw, str):
            raise InvalidRequest(f"Expected a string for {name}.", param=name)
        if len(raw) > self.longest:
            raise InvalidRequest(
                f"{name} may have at most {self.longest} characters.",
                code="parameter_invalid_string_too_long" if self.longest < 5_000 else None,
                param=name,
            )
        return raw


@dataclass(frozen=True, slots=True, kw_only=True)
class Link(Text):
    """An address to send a browser to: a web page, or a deep link into an app."""

    def parse(self, raw: Raw, name: str) -> str:
        text = Text.parse(self, raw, name)
        if not LINK.fullmatch(text):
            raise InvalidRequest(f"Not a valid URL: {name}", code="url_invalid", param=name)
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Email(Text):
    longest: int = 512

    def parse(self, raw: Raw, name: str) -> str:
        text = Text.parse(self, raw, name)
        if not ADDRESS.fullmatch(text):
            raise InvalidRequest(f"Invalid email address: {text}", code="email_invalid", param=name)
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Kind):
    of: tuple[str, ...]

    def parse(self, raw: Raw, name: str) -> str:
        if not isinstance(raw, str) or raw not in self.of:
            raise InvalidRequest(f"Invalid {name}: must be one of {', '.join(self.of)}.", param=name)
        return raw


@dataclass(frozen=True, slots=True, kw_only=True)
class Integer(Kind):
    least: int | None = None
    most: int | None = None

    def parse(self, raw: Raw, name: str) -> int:
        if not isinstance(raw, str) or not WHOLE_NUMBER.fullmatch(raw):
            raise InvalidRequest(f"Invalid integer: {raw}", code="parameter_invalid_integer", param=name)
        value = int(raw)
        if self.least is not None and value < self.least:
            raise self._out_of_range(name, f"at least {self.least}")
        if self.most is not None and value > self.most:
            raise self._out_of_range(name, f"at most {self.most}")
        return value

    @staticmethod
    def _out_of_range(name: str, limit: str) -> InvalidRequest:
        return InvalidRequest(
            f"Invalid {name}: it must be {limit}.", code="parameter_invalid_integer", param=name
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag(Kind):
    def parse(self, raw: Raw, name: str) -> bool:
        if raw not in ("true", "false"):
            raise InvalidRequest(f"Invalid boolean: {raw}", param=name)
        return raw == "true"


@dataclass(frozen=True, slots=True, kw_only=True)
class Either(Kind):
    """A flag that may also be one of a few words, as `off_session` is."""

    words: tuple[str, ...]

    def parse(self, raw: Raw, name: str) -> bool | str:
        return Flag().parse(raw, name) if raw in ("true", "false") else Choice(of=self.words).parse(raw, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment(Kind):
    """A time in seconds since the epoch, or one of a few words such as `now`."""

    words: tuple[str, ...] = ()

    def parse(self, raw: Raw, name: str) -> int | str:
        return raw if isinstance(raw, str) and raw in self.words else Integer(least=0).parse(raw, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf(Kind):
    item: Kind

    def parse(self, raw: Raw, name: str) -> list[Any]:
        if not isinstance(raw, dict) or not all(index.isdecimal() for index in raw):
            raise InvalidRequest(f"Invalid array for {name}.", param=name)
        ordered = sorted(raw.items(), key=lambda entry: int(entry[0]))
        return [self.item.read(value, join(name, index)) for index, value in ordered]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hash(Kind):
    fields: Mapping[str, Kind]

    def parse(self, raw: Raw, name: str) -> Params:
        if not isinstance(raw, dict):
            raise InvalidRequest(f"Invalid hash for {name}.", param=name)
        return read_fields(self.fields, raw, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata(Kind):
    """Up to 50 pairs (https://docs.stripe.com/api/metadata); an empty value removes its pair."""

    clears: bool = True

    def parse(self, raw: Raw, name: str) -> dict[str, str]:
        if not isinstance(raw, dict) or len(raw) > 50:
            raise InvalidRequest(f"{name} must be a hash of at most 50 pairs.", param=name)
        return {key: self._value(key, value, join(name, key)) for key, value in raw.items()}

    @staticmethod
    def _value(key: str, value: Raw, name: str) -> str:
        if len(key) > 40 or not isinstance(value, str) or len(value) > 500:
            raise InvalidRequest(
                f"{name}: keys may have 40 characters, and values are strings of up to 500.", param=name
            )
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Span(Kind):
    """A moment, or bounds around it: `created=1` or `created[gte]=1`. Read as bounds in any case."""

    def parse(self, raw: Raw, name: str) -> dict[str, int]:
        if isinstance(raw, str):
            moment = Integer().parse(raw, name)
            return {"gte": moment, "lte": moment}
        return read_fields({bound: Integer() for bound in ("gt", "gte", "lt", "lte")}, raw, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn(Kind):
    """A parameter that this API version no longer takes; Stripe says so with a code of its own."""

    code: str
    instead: str

    def parse(self, raw: Raw, name: str) -> Any:
        raise InvalidRequest(f"{name} is no longer supported; {self.instead}.", code=self.code, param=name)


def settled(kind: KindT) -> KindT:
    """The same kind where there is nothing yet that an empty value could clear."""
    return replace(kind, clears=False)


def read_fields(fields: Mapping[str, Kind], raw: Mapping[str, Raw], prefix: str = "") -> Params:
    """Only what was given: a caller can tell «not mentioned» from «cleared» (None)."""
    for name in raw:
        if name not in fields:
            raise UnknownParameter(join(prefix, name))
    for name, kind in fields.items():
        if kind.required and name not in raw:
            raise MissingParameter(join(prefix, name))
    return {name: fields[name].read(value, join(prefix, name)) for name, value in raw.items()}


def merged_metadata(current: Mapping[str, str], given: Mapping[str, str] | None) -> dict[str, str]:
    """What metadata becomes: pairs are added and replaced, empty ones go, and None clears them all."""
    if given is None:
        return {}
    return {key: value for key, value in {**current, **given}.items() if value != ""}
