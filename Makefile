# `make demo` and `make test` are all that a newcomer needs. They require only Python 3.11 or newer and a package index.

PYTHON ?= python3
BIN = .venv/bin

.PHONY: install demo test test-all lint docs clean

install: .venv/installed
demo: .venv/installed
	$(BIN)/sonotheque demo

test: .venv/installed-dev lint
	$(BIN)/python -m pytest -n auto -m "not slow"

test-all: .venv/installed-dev lint
	$(BIN)/python -m pytest -n auto

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: .venv/installed-dev
	$(BIN)/python tools/write_cli_reference.py
	$(BIN)/python tools/write_vocabulary.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

clean:
	rm -rf .venv site

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is %s; try: make PYTHON=python3.12" % sys.version.split()[0])'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements-dev.lock
	@touch $@
