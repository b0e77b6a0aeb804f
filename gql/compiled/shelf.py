"""How many plans are kept."""

from collections import OrderedDict
from typing import TYPE_CHECKING, Final, TypeAlias
from weakref import ref

if TYPE_CHECKING:
    from gql.compiled.plan import Plans, Switched

MOST_FIELDS: Final = 50_000
"""Of all plans together; a field takes about half a kilobyte."""

Key: TypeAlias = "tuple[ref[Plans], Switched]"


class Shelf:
    """
    Bounded by the fields of all plans; what was used least recently is dropped first.

    Plans live as long as their document is kept. But a short document may have many of them, with many fields each,
    so that the cache of documents can't bound them.
    """

    def __init__(self, most_fields: int = MOST_FIELDS) -> None:
        self._most = most_fields
        self._fields = 0
        self._sizes: OrderedDict[Key, int] = OrderedDict()

    def use(self, plans: "Plans", switched: "Switched") -> None:
        self._sizes.move_to_end((ref(plans), switched))

    def keep(self, plans: "Plans", switched: "Switched", *, fields: int) -> None:
        """A plan that was dropped may come back."""
        self._sizes[ref(plans), switched] = fields
        self._fields += fields
        while self._fields > self._most:
            (owner, dropped), size = self._sizes.popitem(last=False)
            self._fields -= size
            if (alive := owner()) is not None:
                alive.drop(dropped)
