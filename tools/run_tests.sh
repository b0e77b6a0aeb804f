#!/usr/bin/env bash
# All tests, in two halves side by side, each with a PostgreSQL of its own. With COVERAGE=1 the lines that they run are
# counted, which takes half as long again, and the coverage of both together is shown.
# Other halves may be named, for a try: tools/run_tests.sh tests/web tests/processor
set -euo pipefail
cd "$(dirname "$0")/.."

plain=( # What would take much longer if its lines were counted, which other tests cover.
    tests/domain/subscriptions tests/domain/reconciliation
    tests/domain/test_subscription_orders.py tests/domain/test_every_fault.py
    tests/domain/test_forgetting.py tests/domain/test_rehearsing_events.py
)
shared=(tests/sandbox tests/fuzz) # What the tests of the domain run too.
outside=(tests/acceptance tests/chaos) # Whole programs.
if [ $# = 2 ]; then
    first=("$1") second=("$2")
else
    first=(tests/domain "${plain[@]/#/--ignore=}" -- "${plain[@]}" "${shared[@]}")
    second=(tests --ignore=tests/domain "${shared[@]/#/--ignore=}" "${outside[@]/#/--ignore=}" -- "${outside[@]}")
fi

half() { # Its name, then what pytest shall run; after -- what it shall run without counting lines.
    local name=$1 status=0 counted=()
    trap 'exit 130' INT # Of pytest alone, an interruption would be a failure like any other.
    shift
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        counted+=("$1")
        shift
    done
    [ -z "${COVERAGE:-}" ] || counted=(--cov --cov-report= --cov-fail-under=0 "${counted[@]}")
    COVERAGE_FILE=.coverage.$name .venv/bin/python -m pytest "${counted[@]}" || status=$?
    [ $# -lt 2 ] || .venv/bin/python -m pytest "${@:2}" || status=$?
    return "$status"
}

set -m # Each half is a process group, so that an interruption ends all of it.
log=$(mktemp)
FAILURES=$(mktemp)
export FAILURES # Where the tests write a line for each failure, which is shown last.
half second "${second[@]}" >"$log" 2>&1 &
beside=$!
half first "${first[@]}" &
before=$!
trap 'kill -INT -- -"$before" -"$beside" 2>/dev/null; wait; rm -f "$log" "$FAILURES"; exit 130' INT TERM
status=0
wait "$before" || status=$?
wait "$beside" || status=$?
trap - INT TERM
cat "$log"
rm -f "$log"
if [ -n "${COVERAGE:-}" ]; then
    .venv/bin/python -m coverage combine --quiet .coverage.first .coverage.second
    .venv/bin/python -m coverage report || status=$?
fi
[ ! -s "$FAILURES" ] || printf '\n==> What failed:\n%s\n' "$(<"$FAILURES")"
rm -f "$FAILURES"
exit "$status"
