#!/bin/sh
# Makes .venv out of requirements-dev.lock, with the first Python that is new enough.
set -eu

cd "$(dirname "$0")/.."
lock=requirements-dev.lock
stamp=.venv/locked

# A lock that was only touched, as by a change of branches, needs no new environment.
if [ -x .venv/bin/python ] && cmp -s "$lock" "$stamp"; then
    touch "$stamp"
    exit 0
fi

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
can_make_venv() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

python=
incomplete=
for candidate in ${PYTHON:+"$PYTHON"} python3.13 python3.12 python3.11 python3.14 python3; do
    is_new_enough "$candidate" || continue
    if can_make_venv "$candidate"; then
        python=$candidate
        break
    fi
    incomplete=${incomplete:-$candidate}
done

if [ -z "$python" ]; then
    if [ -n "$incomplete" ]; then
        echo "$incomplete cannot make a virtual environment: its venv module is missing." >&2
        echo "On Debian and Ubuntu: apt install python3-venv" >&2
    else
        echo "Python 3.11 or newer is needed, and none was found." >&2
        echo "Install one, or name it: make PYTHON=/path/to/python3 …" >&2
    fi
    exit 1
fi

if [ -n "${PYTHON:-}" ] && [ "$python" != "$PYTHON" ]; then
    echo "$PYTHON is older than 3.11, or cannot make a virtual environment; taking $python." >&2
fi

version=$("$python" -c 'import platform; print(platform.python_version())')
echo "Setting up .venv with Python $version; this is needed once."
"$python" -m venv --clear .venv
.venv/bin/python tools/install.py "$lock"
cp "$lock" "$stamp"
