"""
`python -m tools.check_locks`: the locks hold what pyproject.toml asks for, and name no host. Needs no network.

It cannot see a requirement that a package has dropped meanwhile; `make lock` does.
"""

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

PIN: Final = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<version>[^\s;]+)(?P<rest>(?:.*\n(?=[ \t]))*.*)", re.MULTILINE
)
ADDRESS: Final = re.compile(r"\w+://\S+")
ASKED_FOR: Final = re.compile(r"\(pyproject\.toml(?::\w+)?\)")
"""How uv marks a pin that pyproject.toml names itself."""


def main() -> int:
    problems = [
        f"{lock}: {problem}"
        for lock, wanted in sources(tomllib.loads(Path("pyproject.toml").read_text())).items()
        for problem in faults(Path(lock).read_text(), wanted)
    ]
    sys.stderr.writelines(f"{problem}\n" for problem in problems)
    return 1 if problems else 0


def sources(project_file: Mapping[str, Any]) -> Mapping[str, list[str]]:
    """Each lock, and the requirements that it was made from."""
    project = project_file["project"]
    extras = project["optional-dependencies"].values()
    return {
        "requirements.lock": project["dependencies"],
        "requirements-dev.lock": [*project["dependencies"], *chain.from_iterable(extras)],
        "requirements-build.lock": project_file["dependency-groups"]["build"],
    }


def faults(lock: str, wanted: Iterable[str]) -> Iterator[str]:
    """What is wrong with a lock, given the requirements that it was made from."""
    pins = {canonicalize_name(found["name"]): found for found in PIN.finditer(lock)}
    requirements = {canonicalize_name(asked.name): asked for asked in map(Requirement, wanted)}
    for name, requirement in requirements.items():
        if name not in pins:
            yield f"{requirement} is missing: run make lock"
        elif not requirement.specifier.contains(Version(pins[name]["version"])):
            yield f"{name} {pins[name]['version']} does not satisfy {requirement}: run make lock"
    for name, pin in pins.items():
        if ASKED_FOR.search(pin["rest"]) and name not in requirements:
            yield f"pyproject.toml does not ask for {name} any more: run make lock"
        if "--hash=" not in pin["rest"]:
            yield f"{name} has no hash"
    for address in ADDRESS.findall(lock):
        yield f"it names a host: {address}"


if __name__ == "__main__":
    sys.exit(main())
