# Only make and Python >= 3.11 are assumed; everything else goes into .venv, pinned by hash.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
SOURCES := ledger adapters api tests $(wildcard alembic benchmarks)
BENCHES ?= readings replay commits poll growth rebuild
WORKERS ?= 2
UV_VERSION := 0.13.9

# The first interpreter that is new enough; asked for only when .venv is made.
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$name && break; done)

define require_python
@test -n "$(PYTHON)" || { \
	echo "Wattledger needs Python 3.11 or newer: install it, or say make PYTHON=/path/to/it." >&2; \
	exit 1; }
@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
	|| { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq \
		&& DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv; } \
	|| { echo "Python cannot make environments here: install the package python3-venv." >&2; exit 1; }
endef

.PHONY: help
help: ## Say what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-14s %s\n", $$1, $$2}'

.PHONY: install
install: $(VENV)/installed ## Make .venv with the pinned dependencies and the command wattledger

.PHONY: check
check: $(VENV)/installed ## Format, lint, types and layers: the gate of every commit
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports

.PHONY: test
test: check postgres chromium ## The gate and all tests, on SQLite and on PostgreSQL
	$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile --max-worker-restart 0 \
		--hypothesis-profile gate

.PHONY: bench
bench: $(VENV)/installed ## Measure the store of LEDGER_DATABASE_URL against its limits (BENCHES="readings …")
	@for bench in $(BENCHES); do $(BIN)/wattledger bench $$bench --json || exit; done

.PHONY: demo
demo: $(VENV)/installed ## Show a town of simulated meters with its console (DEMO="--meters 50 -o")
	$(BIN)/wattledger demo $(DEMO)

.PHONY: serve
serve: $(VENV)/installed ## Serve HTTP on the store of LEDGER_DATABASE_URL
	$(BIN)/wattledger serve

.PHONY: lock
lock: LOCK = build/lock/bin/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"
lock: ## Pin all dependencies anew (UPGRADE=--upgrade takes the newest)
	$(require_python)
	$(PYTHON) -m venv --clear build/lock
	build/lock/bin/python -m pip --disable-pip-version-check --quiet install uv==$(UV_VERSION)
	$(LOCK) $(UPGRADE) --output-file requirements.lock pyproject.toml
	$(LOCK) $(UPGRADE) --extra test --constraint requirements.lock \
		--output-file requirements-test.lock pyproject.toml

# Where nobody is root, or apt is out of reach, the server of the wheel in the lock serves.
.PHONY: postgres
postgres: $(VENV)/installed
	@ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v initdb >/dev/null \
		|| test "$$(id -u)" != 0 || ! command -v apt-get >/dev/null \
		|| { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -qq --no-install-recommends postgresql; } \
		|| echo "PostgreSQL could not be installed; the tests use the server of the wheel." >&2
	@$(BIN)/python -c 'from tests.harness.postgres import find_programs as f; print("PostgreSQL for tests:", f())'

# The pages are tested in a real browser; where it cannot be installed those tests say so.
.PHONY: chromium
chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null \
		|| command -v google-chrome >/dev/null \
		|| test "$$(id -u)" != 0 || ! command -v apt-get >/dev/null \
		|| { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
			--no-install-recommends chromium fonts-noto-cjk; } \
		|| echo "Chromium could not be installed; the tests of the pages skip." >&2

$(VENV)/locked: requirements-test.lock
	$(require_python)
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes -r requirements-test.lock
	@touch $@

$(VENV)/installed: $(VENV)/locked pyproject.toml
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@
