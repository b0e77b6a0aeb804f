"""Folders of one user, used by one process at a time, and where a socket of theirs may live."""

import fcntl
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

SOCKET_PATH_BYTES = 103  # sun_path is 104 bytes with its final zero on macOS, 108 on Linux.
PLAIN_PATH = re.compile(r"[\w/. -]+")  # PostgreSQL and its drivers read a comma as the start of another path.


def claim(folder: Path) -> None:
    """
    Make the folder ours alone; its parents stay as they are.

    Raises PermissionError if another user made it first, as anybody can in a shared temporary folder.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = folder.lstat().st_uid
    if owner != os.geteuid():
        raise PermissionError(f"{folder} belongs to another user (uid {owner})")
    folder.chmod(0o700)


@contextmanager
def owned(lock: Path) -> Iterator[None]:
    """Hold the lock file, our process id in it. Raises BlockingIOError, naming the process that holds it."""
    with lock.open("a+") as file:
        if not acquired(file):
            file.seek(0)
            raise BlockingIOError(f"it is already used by process {file.read()}")
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def acquired(lock: IO[str]) -> bool:
    """Lock the file if it is free. The kernel frees it when the last process that inherited it has ended."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def socket_folder(folder: Path, socket: str) -> Path:
    """The folder itself, or, if its path is no address for a socket, a short one that stands for it."""
    name = f"pg-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}"
    candidates = [folder, *(parent / name for parent in short_parents())]
    return next(candidate for candidate in candidates if is_address(candidate / socket))


def short_parents() -> Iterator[Path]:
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.access(runtime, os.W_OK | os.X_OK):
        yield Path(runtime)
    yield Path(tempfile.gettempdir())
    yield Path("/tmp")  # noqa: S108 - short enough even if TMPDIR is not, and claim() checks whose it is


def is_address(socket: Path) -> bool:
    path = str(socket)
    return PLAIN_PATH.fullmatch(path) is not None and len(path.encode()) <= SOCKET_PATH_BYTES
