# Everything a developer runs. Each target sets up what it needs; the second time that costs nothing.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO := .demo
HOST ?= 127.0.0.1
PORT ?= 8000
SOAK ?= 60
# Extra options for pytest, e.g. make pytest ARGS="-k filters -x"
ARGS ?=
# What a run of the suite leaves to targets of their own
ONCE := not wheel and not conformance

export UV_NO_PROGRESS := 1
# The environment may live on another file system than uv's cache.
export UV_LINK_MODE := copy

.PHONY: help
help: ## What can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.version_info < (3, 11) and sys.exit("Python 3.11 or later is needed, not %d.%d: make PYTHON=python3.12" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)

$(BIN)/uv: $(BIN)/python requirements/uv.lock
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/uv.lock
	@touch $@

$(STAMP): $(BIN)/uv requirements/dev.lock pyproject.toml
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip sync --quiet --require-hashes requirements/dev.lock
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: setup
setup: $(STAMP) ## Make .venv with the locked packages and this project

.PHONY: lock
lock: $(BIN)/uv ## Resolve the dependencies of pyproject.toml again (ARGS=--upgrade for newer ones)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		pyproject.toml --extra redis --extra mcp-server --group dev $(ARGS) -o requirements/dev.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		requirements/django-5.2.in $(ARGS) -o requirements/django-5.2.lock
	echo uv | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		-c requirements/dev.lock --no-annotate - -o requirements/uv.lock

.PHONY: test
test: lint types pytest ## Lint, types, import rule and the whole suite on SQLite and PostgreSQL

.PHONY: pytest
pytest: setup ## The suite, two tests at a time (ARGS="-k filters -x" for some of it)
	$(BIN)/python -m pytest -n 2 -m "$(ONCE)" $(ARGS)

.PHONY: conformance
conformance: setup ## The MCP conformance suite and MCP Inspector, from npm, against the MCP channel
	$(BIN)/python -m tests.channels.mcp.conformance.packages
	$(BIN)/python -m pytest -m conformance tests/channels/mcp/conformance $(ARGS)

.PHONY: soak
soak: setup ## 30 MCP clients at once on one gunicorn worker, for SOAK=60 seconds; prints what it held and how long it took
	SOAK_SECONDS=$(SOAK) $(BIN)/python -m pytest -n 0 tests/agents/test_soak.py

.PHONY: coverage
coverage: setup ## The suite once, and how many of the package's branches it takes (95 % at the least)
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n 2 -m "$(ONCE)" $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

.PHONY: lint
lint: setup ## ruff, and the import rule
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

.PHONY: format
format: setup ## Let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: types
types: setup ## mypy, strict
	$(BIN)/mypy

.PHONY: docs
docs: setup ## The documentation, warnings as errors
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

.PHONY: bench
bench: setup ## This package against hand-written Ninja, DRF and the raw driver
	$(BIN)/python -m benchmarks

.PHONY: demo-data
demo-data: setup
	@mkdir -p $(DEMO)
	$(BIN)/python manage.py migrate --verbosity 0
	$(BIN)/python manage.py shop_data --demo-passwords

.PHONY: demo
demo: demo-data ## The sample shop on http://127.0.0.1:8000
	@$(BIN)/python manage.py shop_addresses --host $(HOST) --port $(PORT)
	DJANGO_SETTINGS_MODULE=testproject.settings $(BIN)/nexus run --host $(HOST) --port $(PORT)

.PHONY: check-wheel
check-wheel: setup ## The wheel, installed and used in an empty environment
	$(BIN)/python -m pytest -m wheel $(ARGS)

.PHONY: wheel
wheel: setup ## Build the wheel into dist/
	$(BIN)/uv build --quiet --wheel --no-build-isolation --python $(BIN)/python

.PHONY: clean
clean: ## Remove everything that was made
	rm -rf $(VENV) $(DEMO) .coverage .coverage.* .cache .nox dist docs/_build .mypy_cache .pytest_cache .ruff_cache .hypothesis
