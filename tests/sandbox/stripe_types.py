"""
The referee of shapes: what stripe-python itself says about objects and parameters.

Its resource classes and `stripe.params` TypedDicts are annotated for every field, so an object or a
parameter that the sandbox made up, forgot or mistyped contradicts them. Enumerations are taken at their word:
where Stripe lists values, any other value counts as a mistake although its types leave room for new ones.
"""

import builtins
import sys
import types
import typing
from collections.abc import Mapping
from decimal import Decimal
from functools import cache, reduce
from typing import Any, ClassVar, Literal, NotRequired, Required, Union, get_args, get_origin

import stripe
import stripe.params
from stripe import ListObject, StripeObject
from stripe._stripe_object import UntypedStripeObject
from typing_extensions import is_typeddict

from sandbox.api import params
from sandbox.api.params import Kind


class _Names(dict[str, Any]):
    """Names that stripe's modules import for type checkers only; one that is nowhere to be found means Any."""

    def __init__(self, module: types.ModuleType) -> None:
        super().__init__()
        self._module = module

    def __missing__(self, name: str) -> Any:
        if hasattr(self._module, name) or hasattr(builtins, name):
            raise KeyError(name)
        homes = (stripe, stripe.params, typing)
        return next((getattr(home, name) for home in homes if hasattr(home, name)), Any)


@cache
def hints(cls: type) -> dict[str, Any]:
    module = sys.modules[cls.__module__]
    found = typing.get_type_hints(cls, vars(module), _Names(module), include_extras=True)
    return {
        name: hint
        for name, hint in found.items()
        if not name.startswith("_") and get_origin(hint) is not ClassVar
    }


def resource(name: str) -> type[StripeObject]:
    """The class of an `object`: `payment_intent` is stripe.PaymentIntent; a dot leads into a module."""
    *modules, last = name.split(".")
    home = reduce(getattr, modules, stripe)
    found: type[StripeObject] = getattr(home, "".join(part.capitalize() for part in last.split("_")))
    assert issubclass(found, StripeObject)
    return found


def mistakes_in_object(thing: Mapping[str, Any]) -> list[str]:
    """What is wrong with an object, or with every object of a list, by stripe's own annotations."""
    if thing["object"] == "list":
        return [mistake for item in thing["data"] for mistake in mistakes_in_object(item)]
    if thing.get("deleted"):
        return []
    if thing["object"] == "event":
        inner = thing["data"]["object"]
        if thing["type"] == "invoice.upcoming":  # It does not exist yet, so the event shows it without an id.
            inner = {**inner, "id": "in_upcoming"}
        return [
            *_in_hash(thing, stripe.Event, "event"),
            *_in_hash(inner, resource(inner["object"]), thing["type"]),
        ]
    return _in_hash(thing, resource(thing["object"]), thing["object"])


def _mistakes(value: Any, hint: Any, path: str) -> list[str]:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any or isinstance(hint, typing.TypeVar):
        return []
    if origin in (Union, types.UnionType):
        return _in_union(value, arguments, path)
    if hint is Decimal:  # On the wire it is a string.
        return [] if isinstance(value, str) and value.isdecimal() else [f"{path}: {value!r} is no decimal"]
    if origin is Literal:
        return [] if value in arguments else [f"{path}: {value!r} is not one of {arguments}"]
    if origin is list:
        if not isinstance(value, list):
            return [f"{path}: not a list"]
        return [
            m for index, item in enumerate(value) for m in _mistakes(item, arguments[0], f"{path}[{index}]")
        ]
    if origin is ListObject:
        return _mistakes(value.get("data"), list[arguments[0]], f"{path}.data")  # type: ignore[valid-type]  # Built at run time.
    if origin in (dict, UntypedStripeObject):
        return _in_mapping(value, arguments[-1], path)
    if isinstance(hint, type) and issubclass(hint, StripeObject):
        return _in_hash(value, hint, path)
    return [] if type(value) is hint or hint is object else [f"{path}: {value!r} is no {hint}"]


def _in_union(value: Any, options: tuple[Any, ...], path: str) -> list[str]:
    if value is None:
        return [] if type(None) in options else [f"{path}: null is not allowed"]
    listed = [option for option in options if get_origin(option) is Literal]
    if listed and isinstance(value, str):
        options = tuple(listed)
    attempts = [_mistakes(value, option, path) for option in options if option is not type(None)]
    return min(attempts, key=len)


def _in_mapping(value: Any, hint: Any, path: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path}: not a hash"]
    return [mistake for key, item in value.items() for mistake in _mistakes(item, hint, f"{path}.{key}")]


def _in_hash(value: Any, cls: type, path: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path}: not a hash"]
    known = hints(cls)
    if not known:
        return []
    unknown = [f"{path}.{name}: unknown field" for name in value if name not in known]
    missing = [
        f"{path}.{name}: missing"
        for name, hint in known.items()
        if name not in value and type(None) not in get_args(hint)
    ]
    inside = [
        m for name in value if name in known for m in _mistakes(value[name], known[name], f"{path}.{name}")
    ]
    return [*unknown, *missing, *inside]


def mistakes_in_params(fields: Mapping[str, Kind], declared: type, path: str = "") -> list[str]:
    """What is wrong with the sandbox's parameters of an endpoint, by stripe's TypedDict for it."""
    known = hints(declared)
    required: frozenset[str] = getattr(declared, "__required_keys__", frozenset())
    unknown = [
        f"{path}.{name}: unknown parameter"
        for name, kind in fields.items()
        if (name in known) is isinstance(kind, params.Withdrawn)
    ]
    optional = [
        f"{path}.{name}: is required" for name in required if name not in fields or not fields[name].required
    ]
    inside = [
        m for name in fields if name in known for m in _in_kind(fields[name], known[name], f"{path}.{name}")
    ]
    return [*unknown, *optional, *inside]


def _options(hint: Any) -> list[Any]:
    """The members of a parameter's type, through NotRequired, unions and literals."""
    if isinstance(hint, typing.ForwardRef | str):
        raise TypeError(f"unresolved annotation {hint}")
    if get_origin(hint) in (NotRequired, Required):
        return _options(get_args(hint)[0])
    if get_origin(hint) in (Union, types.UnionType):
        return [option for part in get_args(hint) for option in _options(part)]
    return [hint]


def _in_kind(kind: Kind, hint: Any, path: str) -> list[str]:
    options = _options(hint)
    words = {word for option in options if get_origin(option) is Literal for word in get_args(option)}
    wrong = [] if _fits(kind, options, words) else [f"{path}: {type(kind).__name__} does not fit {hint}"]
    if kind.clears and not isinstance(kind, params.Text) and "" not in words:
        wrong.append(f"{path}: cannot be cleared")
    return [*wrong, *_inside(kind, options, path)]


def _fits(kind: Kind, options: list[Any], words: set[str]) -> bool:
    match kind:
        case params.Choice(of=of):
            return set(of) <= words if words - {""} else str in options
        case params.Either(words=accepted):
            return bool in options and set(accepted) <= words
        case params.Text():
            return str in options
        case params.Integer():
            return int in options
        case params.Moment(words=accepted):
            return int in options and set(accepted) <= words
        case params.Flag():
            return bool in options
        case params.ListOf():
            return any(get_origin(option) is list for option in options)
        case params.Metadata():
            return dict[str, str] in options or any(get_origin(option) is dict for option in options)
        case params.Span():
            return int in options
        case params.Hash():
            return any(is_typeddict(option) for option in options)
    return False


def _inside(kind: Kind, options: list[Any], path: str) -> list[str]:
    match kind:
        case params.Hash(fields=fields):
            inner = [option for option in options if is_typeddict(option)]
            return min((mistakes_in_params(fields, option, path) for option in inner), key=len, default=[])
        case params.ListOf(item=item):
            lists = [option for option in options if get_origin(option) is list]
            return [
                mistake for option in lists for mistake in _in_kind(item, get_args(option)[0], f"{path}[]")
            ]
    return []
