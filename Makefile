# The commands a person and CI both run. `make demo` and `make test` are all the set-up there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := dlae_core server client proto examples benchmarks tests
PROTOS := $(wildcard proto/dlae/v1/*.proto)

.DEFAULT_GOAL := help
.PHONY: help demo examples test test-fast test-slow test-soak test-engine format format-check lint types protos protos-check docs docs-check bench check clean

help:  ## Lists the commands.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "DLAE needs Python 3.11 or newer, this is " + sys.version.split()[0]'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[server,examples,dev]'
	$(BIN)/python -m compileall -q $(VENV)/lib || true
	touch $@

demo: $(VENV)/.installed  ## Trains a tissue segmentation on a real brain through a real server and shows it.
	$(BIN)/python -m examples.tissue.demo

examples: $(VENV)/.installed  ## Runs all examples and checks the quality written beside each.
	$(BIN)/python -m examples --all --again

test: check test-fast test-slow  ## Runs all checks and all tests.

test-fast: $(VENV)/.installed  ## Runs the tests that need no TensorFlow, in seconds.
	$(BIN)/python -m pytest --numprocesses auto -m "not keras and not slow"

test-slow: $(VENV)/.installed  ## Runs the tests that train, predict or start a server.
	$(MAKE) --no-print-directory --jobs 2 --keep-going test-soak test-engine

# It asks little of a server, for ten minutes, beside all others.
test-soak: $(VENV)/.installed
	$(BIN)/python -m pytest --quiet -m soak tests/dlae_server/test_soak.py

test-engine: $(VENV)/.installed
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile -m "(keras or slow) and not soak"

check: format-check lint types protos-check docs-check  ## Runs format, lint, types and freshness checks.

format: $(VENV)/.installed  ## Formats the sources.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only --quiet .

format-check: $(VENV)/.installed
	$(BIN)/ruff format --check .

lint: $(VENV)/.installed  ## Checks style, names, docstrings and complexity.
	$(BIN)/ruff check .

types: $(VENV)/.installed  ## Checks types, strictly.
	$(BIN)/mypy

protos: $(VENV)/.installed  ## Generates the code of the contract.
	$(BIN)/python -m proto.generate

protos-check: $(VENV)/.installed
	$(BIN)/python -m proto.generate --check

docs: $(VENV)/.installed  ## Generates the reference pages of the configuration.
	$(BIN)/python -m docs.generate

docs-check: $(VENV)/.installed
	$(BIN)/python -m docs.generate --check

bench: $(VENV)/.installed  ## Measures engine overhead and prediction round trip.
	$(BIN)/python -m benchmarks

clean:  ## Removes what the commands above made.
	rm -rf $(VENV) .demo .mypy_cache .pytest_cache .ruff_cache build dist
