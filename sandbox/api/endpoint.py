"""What an endpoint is, and what its handler is given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sandbox.api.errors import ResourceMissing
from sandbox.api.params import Kind, ListOf, Params, Text
from sandbox.control.guards import Guards
from sandbox.settings import SandboxSettings
from sandbox.state.clock import Clock
from sandbox.state.objects import Objects, StripeObject
from sandbox.webhooks.events import Events, Origin

EXPAND: Mapping[str, Kind] = {"expand": ListOf(item=Text())}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, ready to be carried out: read parameters, and the state it may read and change."""

    params: Params
    path_ids: tuple[str, ...]
    origin: Origin
    is_publishable: bool
    base_url: str
    objects: Objects
    events: Events
    clock: Clock
    guards: Guards
    settings: SandboxSettings

    def target(self, kind: str) -> StripeObject:
        """The object that the path names; 404 if there is none, or no longer."""
        return self.named(kind, self.path_ids[0], param="id")

    def named(self, kind: str, id_: str, *, param: str) -> StripeObject:
        """The object that a parameter names; 400 if there is none, or no longer."""
        found = self.objects.find(kind, id_)
        if found is None or found.get("deleted"):
            raise ResourceMissing(kind, id_, param=param)
        return found

    def emit(self, type_: str, thing: StripeObject, *, before: StripeObject | None = None) -> None:
        self.events.emit(type_, thing, before=before, origin=self.origin)


Handler = Callable[[Call], StripeObject]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """
    One path of the API: the only place that says which parameters it knows, and of which kind.

    `answers` names the kind of object in the answer, against which `expand` is checked. `publishable` lists
    the parameters a publishable key may send besides the client secret; None keeps such keys out.
    """

    method: str
    path: str
    handler: Handler
    answers: str
    params: Mapping[str, Kind] = field(default_factory=dict)
    is_list: bool = False
    publishable: frozenset[str] | None = None

    @property
    def fields(self) -> Mapping[str, Kind]:
        return self.params if self.method == "DELETE" else {**self.params, **EXPAND}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One noun: its endpoints, and which of its fields hold the id of which kind of object."""

    name: str
    endpoints: tuple[Endpoint, ...]
    expandable: Mapping[str, str] = field(default_factory=dict)
