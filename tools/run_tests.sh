#!/usr/bin/env bash
# All tests, in two halves side by side, each with a PostgreSQL of its own; then the coverage of both together.
# Other halves may be named, for a try: tools/run_tests.sh tests/web tests/processor
set -euo pipefail
cd "$(dirname "$0")/.."

if [ $# = 2 ]; then
    first=("$1")
    second=("$2")
else
    first=(tests/domain)
    second=(tests --ignore=tests/domain)
fi

half() { # Its name, then what pytest shall run.
    local name=$1
    shift
    COVERAGE_FILE=.coverage.$name exec .venv/bin/python -m pytest --cov --cov-report= --cov-fail-under=0 "$@"
}

log=$(mktemp)
half second "${second[@]}" >"$log" 2>&1 &
beside=$!
trap 'kill "$beside" 2>/dev/null || true; rm -f "$log"' EXIT

status=0
(half first "${first[@]}") || status=$?
wait "$beside" || status=$?
cat "$log"
.venv/bin/python -m coverage combine --quiet .coverage.first .coverage.second
.venv/bin/python -m coverage report || status=$?
exit "$status"
