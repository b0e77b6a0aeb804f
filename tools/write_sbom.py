"""
`python -m tools.write_sbom dist/sbom.json`: what the gateway is made of, as CycloneDX, from requirements.lock.

Each package is named with its version and the hashes of its files, by which they are known wherever they come from. No
address is in it: from where they are taken is a matter of whoever installs.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

LOCK: Final = "requirements.lock"
ARGUMENTS: Final = (
    "--no-validate",
    "--pyproject",
    "pyproject.toml",
    "--short-PURLs",
    "--output-reproducible",
    "--of",
    "JSON",
)


def main(arguments: list[str]) -> int:
    target = Path(arguments[0])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(sbom(), indent=2) + "\n")
    return 0


def sbom() -> dict[str, Any]:
    written = subprocess.run(  # noqa: S603 - a program of our own environment
        [Path(sys.executable).with_name("cyclonedx-py"), "requirements", LOCK, *ARGUMENTS],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},  # It knows no graph of dependencies, and says so.
    )
    return without_addresses(json.loads(written.stdout))


def without_addresses(found: dict[str, Any]) -> dict[str, Any]:
    components = [_known_by_its_hashes(each) for each in found["components"]]
    tools = [_named(each) for each in found["metadata"]["tools"]["components"]]
    return {
        **found,
        "components": components,
        "metadata": {**found["metadata"], "tools": {"components": tools}},
    }


def _known_by_its_hashes(component: dict[str, Any]) -> dict[str, Any]:
    files = [
        {"type": "distribution", "url": component["purl"], "hashes": each["hashes"]}
        for each in component["externalReferences"]
        if "hashes" in each
    ]
    kept = {name: value for name, value in component.items() if name != "description"}
    return {**kept, "externalReferences": files}


def _named(tool: dict[str, Any]) -> dict[str, Any]:
    return {name: tool[name] for name in ("type", "name", "version") if name in tool}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
