"""What libraries load where they find it, and a server never uses."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def spared(*packages: str) -> Iterator[None]:
    """
    Let libraries that are loaded meanwhile find these packages not installed, unless they are loaded already.

    Only for what is optional to whoever asks: https://docs.python.org/3/reference/import.html#the-module-cache
    """
    hidden = {name: None for name in packages if name not in sys.modules}
    sys.modules.update(hidden)  # type: ignore[arg-type]  # None is how the import system is told.
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def spare_libraries() -> None:
    """Load stripe and httpx without what only synchronous calls, or commands of theirs, would need."""
    with spared("pygments", "requests", "rich"):
        import stripe  # noqa: F401
