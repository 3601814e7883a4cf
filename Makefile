# Everything a person runs here. `make` alone lists it; only Python 3.11+ is needed for most.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DELETE_ON_ERROR:

# The first Python that is new enough; PYTHON=... chooses another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo "$$python" && break; done)
PORT ?= 8000
KAFKA_PORT ?= 19092
VENV := .venv
BIN := $(VENV)/bin
# What needs more than the Python index; `make test-full` runs it.
OUTSIDE := browser or apache or apicurio or node or postgres
PYTEST := $(BIN)/python -m pytest
# The gate takes one order and the same examples each time, so that what fails can be repeated;
# `make test` shuffles and draws anew.
ORDER := --randomly-seed=1 --hypothesis-profile=ci
# ARGS reaches pytest: make unit ARGS='-k cursor'
ARGS ?=

.PHONY: help demo unit test test-full test-long check format bench bench-latency bench-throughput screenshot requirements clean

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Running it

demo: $(VENV)/demo.stamp ## Show live flows of a sample shop on http://127.0.0.1:8000 (PORT=, KAFKA_PORT=)
	@$(BIN)/python manage.py demo --port $(PORT) --kafka-port $(KAFKA_PORT)

# Testing it

unit: $(VENV)/test.stamp ## Run the unit tests alone (seconds)
	@$(PYTEST) tests/unit -q $(ARGS)

test: $(VENV)/test.stamp ## Run what needs the Python index alone: units, and integration on the embedded broker
	@$(PYTEST) tests -q -m "timed and not ($(OUTSIDE) or long)"
	@$(PYTEST) tests -n 2 --dist loadscope -q -m "not (timed or $(OUTSIDE) or long)" $(ARGS)

test-full: $(VENV)/test.stamp ## Run what also needs Chromium, Java, Node or Postgres
	@$(BIN)/python -m tests.servers need chromium java mvn node npm postgres
	@$(PYTEST) $(ORDER) tests -q -m "timed and not long"
	@$(BIN)/python -m tests.servers postgres $(PYTEST) $(ORDER) tests/integration -n 2 -q -m "not (timed or $(OUTSIDE) or long)"
	@$(PYTEST) $(ORDER) tests -n 2 --dist loadscope -q -m "not (timed or long)" $(ARGS)

test-long: $(VENV)/test.stamp ## Run what takes many minutes, and properties with many more examples
	@$(PYTEST) tests/unit -n 2 -q --hypothesis-profile=thorough
	@$(PYTEST) tests -q -m long $(ARGS)

bench: bench-latency bench-throughput ## Measure both of these

bench-latency: $(VENV)/test.stamp ## Measure the time from a producer to an open page
	@$(PYTEST) tests/benchmarks -q -s -m long $(ARGS)

# ARGS='--full --docs' goes on to 2 million events and draws the charts of docs/performance.md.
bench-throughput: $(VENV)/test.stamp ## Measure events a second beside Zipkin (Java, Maven, Postgres)
	@$(BIN)/python -m tests.servers need java mvn postgres
	@$(BIN)/python -m tests.benchmarks.throughput $(ARGS)

check: $(VENV)/check.stamp ## Check format, lint, types, import rules and migrations
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/djade --check --target-version 5.2 $$(git ls-files 'templates/*.html')
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py check --fail-level WARNING
	$(BIN)/python manage.py makemigrations --check --dry-run

format: $(VENV)/check.stamp ## Write the code in the project's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/djade --target-version 5.2 $$(git ls-files 'templates/*.html')

# Making its parts

screenshot: $(VENV)/test.stamp ## Draw docs/flow.png from the real page (needs Chromium)
	@$(BIN)/python -m tests.servers screenshot docs/flow.png

requirements: $(VENV)/check.stamp ## Pin requirements/*.txt anew from pyproject.toml
	$(BIN)/python requirements/export.py

clean: ## Remove the virtual environment and everything made
	rm -rf $(VENV) .cache .demo staticfiles build .mypy_cache .ruff_cache .pytest_cache
	rm -rf .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "eventviz needs Python 3.11 or newer: PYTHON=/path/to/it make ..." >&2; exit 1; }
	@echo "Making a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/%.stamp: requirements/%.txt | $(BIN)/python
	@echo "Installing $< into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --retries 10 -r $<
	@touch $@
