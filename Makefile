# Everything that is done with this project; `make` lists it.
#
# The first `make run` or `make test` finds a Python (3.11 or newer), makes .venv and installs the locked
# requirements. PYTHON=/path/to/python3 names another Python, PORT=9000 another port.

PY := .venv/bin/python
UV = $(shell command -v uv || echo .venv/bin/uv)
COMPILE = "$(UV)" pip compile --universal --generate-hashes --no-emit-index-url --no-header --quiet $(if $(UPGRADE),--upgrade)
EXPLORER := gql/explorer/source
REFERENCE := web/rest/reference/source

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

# An environment whose Python has gone is made anew.
GONE := $(shell test -x $(PY) || rm -f .venv/locked)

##
## Every day

run: .venv/installed ## Run everything: PostgreSQL, the Stripe sandbox, the gateway with GraphiQL
	@exec $(PY) -m gateway develop

test: .venv/installed ## Run all tests
	@exec tools/run_tests.sh

coverage: .venv/installed ## Run all tests, and show which lines they do not reach
	@COVERAGE=1 exec tools/run_tests.sh

check: .venv/installed ## Check format, lint, types, import directions, schema, migrations and locks
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	.venv/bin/lint-imports --no-logo
	$(PY) -m gql.schema | diff -u schema.graphql -
	$(PY) -m web.rest.openapi.document | diff -u docs/openapi.json -
	$(PY) -m tools.check_migrations
	$(PY) -m tools.check_locks

format: .venv/installed ## Format the code, and mend what can be mended
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

##
## After a change

schema: .venv/installed ## Write schema.graphql and docs/openapi.json (after a change of an API)
	$(PY) -m gql.schema > schema.graphql.new
	mv schema.graphql.new schema.graphql
	$(PY) -m web.rest.openapi.document > docs/openapi.json.new
	mv docs/openapi.json.new docs/openapi.json

migration: .venv/installed ## Draft a migration (after a change of the tables; NAME="add refunds")
	$(PY) -m tools.create_migration "$(NAME)"

lock: .venv/installed $(UV) ## Write the locks (after a change of the requirements; UPGRADE=1 takes the newest of all)
	$(COMPILE) pyproject.toml --output-file requirements.lock
	$(COMPILE) pyproject.toml --all-extras --output-file requirements-dev.lock
	$(COMPILE) --group build --python-version 3.11 --output-file requirements-build.lock

sbom: .venv/installed ## Write dist/sbom.json (CycloneDX), which is attached to each release
	$(PY) -m tools.write_sbom dist/sbom.json

explorer: ## Build the pages of GraphiQL and of Swagger UI (after a change in their sources; needs Node)
	npm --prefix $(EXPLORER) ci --no-audit --no-fund
	npm --prefix $(EXPLORER) run build
	npm --prefix $(REFERENCE) ci --no-audit --no-fund
	npm --prefix $(REFERENCE) run build

explorer-check: explorer ## Check that the committed pages are what the sources build (needs Node)
	git diff --exit-code --stat -- $(EXPLORER)/../static $(REFERENCE)/../static
	test -z "$$(git status --porcelain -- $(EXPLORER)/../static $(REFERENCE)/../static)"

##
## Now and then

bench: .venv/installed ## Measure speed beside a hand-written route
	@exec $(PY) -m bench

bench-peers: .venv/installed ## Measure speed beside other GraphQL servers, and write the chart (QUICK=1 is short; needs npm)
	@exec $(PY) -m bench.peers $(if $(QUICK),--quick)

chaos: .venv/installed ## Kill, flood and starve the whole program, and count (SEED=7 repeats a run, FULL=1, ONLY=m1,m3)
	@exec $(PY) -m tests.chaos --seed $(or $(SEED),7) $(if $(FULL),--full) $(if $(ONLY),--only $(ONLY))

fuzz: .venv/installed ## Send hostile GraphQL documents, and see that none holds up the others (SEED=7 repeats a run, ROUNDS=2000)
	@exec $(PY) -m tests.fuzz --seed $(or $(SEED),7) --rounds $(or $(ROUNDS),2000)

differential: .venv/installed ## Compare plans with graphql-core on random documents (SEED=7 repeats a run, DOCUMENTS=20000)
	@exec $(PY) -W ignore -m tests.differential --seed $(or $(SEED),7) --documents $(or $(DOCUMENTS),20000)

schemathesis: .venv/installed ## Have schemathesis try both APIs for some minutes (SEED=7 repeats a run)
	@exec $(PY) -m tests.contract $(if $(SEED),--seed $(SEED)) $(if $(EXAMPLES),--examples $(EXAMPLES))

conformance: .venv/installed ## Hold the API against graphql-http's audits and client code generators (needs Node)
	tests/conformance/run.sh

clean: ## Remove .venv and what tools left behind; the data in var/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage .coverage.*
	rm -rf dist $(EXPLORER)/node_modules $(REFERENCE)/node_modules tests/conformance/node_modules bench/peers/node/node_modules
	find . -type d -name __pycache__ -prune -exec rm -rf {} +

help: ## Show this list
	@awk -F ':.*## ' '/^##/ { print substr($$0, 4) } /^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

.PHONY: run test coverage check format schema migration lock sbom explorer explorer-check bench bench-peers chaos fuzz differential schemathesis conformance clean help

# The environment. Both stamps are written last, so that an interrupted installation is never taken for one.

.venv/locked: requirements-dev.lock
	@tools/create_venv.sh

.venv/installed: .venv/locked pyproject.toml
	@$(PY) -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/bin/uv: | .venv/installed
	$(PY) -m pip install --quiet uv
