import tomllib
from collections.abc import Sequence
from pathlib import Path

from tools.check_locks import faults, sources

ROOT = Path(__file__).parents[2]
LOCK = """\
anyio==4.16.0 \\
    --hash=sha256:59bb \\
    --hash=sha256:c66a
    # via starlette
starlette==1.10.0 ; sys_platform != 'win32' \\
    --hash=sha256:7a1d
    # via payments-gateway (pyproject.toml)
"""


def found(lock: str, *wanted: str) -> Sequence[str]:
    return list(faults(lock, wanted))


class TestFaults:
    def test_lock_that_holds_what_is_asked_for_has_none(self) -> None:
        assert found(LOCK, "starlette>=1.10") == []

    def test_requirement_that_is_not_locked_is_missing(self) -> None:
        assert found(LOCK, "starlette>=1.10", "orjson>=3") == ["orjson>=3 is missing: run make lock"]

    def test_names_are_compared_as_packages_spell_them(self) -> None:
        assert found(LOCK, "Starlette[full]>=1.10") == []

    def test_pin_outside_the_asked_range_is_told(self) -> None:
        assert found(LOCK, "starlette>=2") == [
            "starlette 1.10.0 does not satisfy starlette>=2: run make lock"
        ]

    def test_pin_that_nobody_asks_for_any_more_is_told(self) -> None:
        assert found(LOCK) == ["pyproject.toml does not ask for starlette any more: run make lock"]

    def test_pin_without_a_hash_is_told(self) -> None:
        assert found("anyio==4.16.0\n    # via starlette\n") == ["anyio has no hash"]

    def test_address_of_an_index_is_told(self) -> None:
        lock = f"--index-url https://packages.example/simple\n{LOCK}"

        assert found(lock, "starlette") == ["it names a host: https://packages.example/simple"]


class TestSources:
    def test_name_every_lock_that_is_there(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())

        assert set(sources(project)) == {lock.name for lock in ROOT.glob("*.lock")}
