"""
Installs a lock file into the environment that runs this, on one line of progress.

The lock names everything, so pip need not look for what it requires. Before 23.3 it would take the newest release of
a package that another names with an extra, and stop because the lock has no hash of that.

`python tools/install.py requirements.lock`; standard library only, since nothing else is there yet.
"""

import re
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

PIN: Final = re.compile(r"^[\w.-]+==", re.MULTILINE)
FETCHING: Final = re.compile(r"^(?:Collecting |Processing .*/)([A-Za-z0-9_.-]+?)(?:==|-\d|\s)")
"""pip collects from an index, and processes what lies in a folder."""
UNPACKING: Final = "Installing collected packages"
SHOWN_AFTER_FAILURE: Final = 20
PLAIN_STEP: Final = 20
"""Where there is no terminal, only every so many packages are worth a line."""


def main() -> int:
    lock = Path(sys.argv[1])
    command = [sys.executable, "-m", "pip", "install", "--require-hashes", "--no-deps", "-r", str(lock)]
    said: deque[str] = deque(maxlen=SHOWN_AFTER_FAILURE)
    with subprocess.Popen(  # noqa: S603 - our own arguments
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as pip:
        for progress in steps(heard(pip.stdout or (), said), total=len(PIN.findall(lock.read_text()))):
            show(progress)
    sys.stdout.write("\n" if sys.stdout.isatty() else "")
    if pip.returncode != 0:
        sys.stderr.writelines(said)
        sys.stderr.write(
            f"\nThe requirements in {lock} could not be installed; pip's last words are above.\n"
        )
    return pip.returncode


def heard(lines: Iterable[str], said: deque[str]) -> Iterator[str]:
    """The lines, the last of which are remembered."""
    for line in lines:
        said.append(line)
        yield line


def steps(lines: Iterable[str], *, total: int) -> Iterator[str]:
    fetched = 0
    for line in lines:
        if found := FETCHING.match(line):
            fetched += 1
            if sys.stdout.isatty() or fetched % PLAIN_STEP == 1:
                yield f"  Fetching {fetched:>3}/{total}  {found[1]}"
        elif line.startswith(UNPACKING):
            yield f"  Installing {fetched} packages …"


def show(progress: str) -> None:
    """Over the line before it, where there is a terminal."""
    sys.stdout.write(f"\r\033[K{progress}" if sys.stdout.isatty() else f"{progress}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
