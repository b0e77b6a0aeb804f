"""What a start loads, and what the garbage collector has to do with it."""

import asyncio
import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import gateway
from gateway import cli
from gateway.__main__ import main
from gateway.server import spare_the_collector
from gateway.sparing import spared

ROOT = Path(gateway.__file__).parents[1]
SERVE = """
import atexit, sys
from gateway.__main__ import main

sys.argv = ["payments-gateway", "serve"]
atexit.register(lambda: print(*sys.modules))
main()
"""
UNUSED = {
    "alembic": "migrations are a command of their own",
    "attr": "of rich",
    "charset_normalizer": "of requests",
    "gateway.development": "a command of its own",
    "mako": "of alembic",
    "opentelemetry": "where no collector is named",
    "pgqueuer": "the worker's, or whoever enqueues a job first",
    "pygments": "of rich",
    "redis": "where no store is named",
    "requests": "stripe's synchronous calls",
    "rich": "structlog's and httpx's colours",
    "sandbox": "development's",
    "urllib3": "of requests",
    "web.rest.openapi": "made for whoever asks for it first",
}
"""What a server does not load before it is ready, and why. Each would cost 10 ms or 1 MB."""


@pytest.fixture
def collector() -> Iterator[None]:
    """As it was before, whatever a test does to it."""
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.enable()
    gc.unfreeze()


class TestServe:
    async def test_loads_nothing_that_it_does_not_use(self, tmp_path: Path) -> None:
        command, environment = [sys.executable, "-c", SERVE], {"PYTHONPATH": str(ROOT)}

        ended = await asyncio.to_thread(
            subprocess.run, command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
        )

        assert "Not starting in production" in ended.stderr  # Settings are read when all is loaded.
        loaded = ended.stdout.split()
        assert {"gateway.app", "stripe", "structlog"} <= set(loaded)
        assert {name for name in loaded if is_unused(name)} == set()


def is_unused(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in UNUSED)


class TestMain:
    def test_hands_all_that_is_loaded_to_no_collection_and_leaves_the_rest_to_it(
        self, monkeypatch: pytest.MonkeyPatch, collector: None
    ) -> None:
        seen: list[tuple[bool, int]] = []
        monkeypatch.setattr(cli, "main", lambda: seen.append((gc.isenabled(), gc.get_freeze_count())))

        main()

        [(is_enabled, frozen)] = seen
        assert is_enabled
        assert frozen > 100_000


class TestSpareTheCollector:
    def test_takes_what_is_there_out_of_sight(self, collector: None) -> None:
        gc.disable()

        spare_the_collector()

        assert gc.isenabled()
        assert len(gc.get_objects()) < 1_000


class TestSpared:
    def test_is_not_found_meanwhile_and_found_again_afterwards(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delitem(sys.modules, "colorsys", raising=False)

        with spared("colorsys"), pytest.raises(ModuleNotFoundError):
            import colorsys

        import colorsys

        assert colorsys.rgb_to_hsv(0, 0, 0) == (0, 0, 0)

    def test_leaves_alone_what_is_loaded_already(self) -> None:
        with spared("pytest"):
            assert sys.modules["pytest"] is pytest

        assert sys.modules["pytest"] is pytest
