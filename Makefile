# Two commands do: `make run` and `make test`. Both make .venv first where it is missing.

SHELL := /bin/bash
PYTHON ?= $(firstword $(shell command -v python3.11 python3.12 python3.13 python3) python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
RUN_STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev

.PHONY: run test check mutation clean install dev

run: $(RUN_STAMP)
	@exec $(BIN)/python manage.py serve

test: $(DEV_STAMP)
	$(BIN)/pytest --numprocesses 2 --dist loadfile

check: $(DEV_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check --fail-level WARNING

# Changes the code of engine and queue over a thousand times and tells what no quick test notices.
# One module: make mutation MUTANTS='syncjobs.engine.folding*'. See tests/mutations/SURVIVORS.md.
mutation: $(DEV_STAMP)
	$(PIP) --editable '.[mutation]'
	nice -n 10 $(BIN)/python -m tests.mutations.measure $(MUTANTS)

install: $(RUN_STAMP)
dev: $(DEV_STAMP)

# var/ with the databases stays: it is data, not something that was built.
clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made:
	@echo "Making the virtual environment $(VENV) with $(PYTHON) …"
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { \
	  echo "Python 3.11, 3.12 or 3.13 is needed; name one: make run PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(RUN_STAMP): pyproject.toml | $(VENV)/.made
	@echo "Installing the packages that the product needs (a minute or two) …"
	@$(PIP) --editable .
	@touch $@

$(DEV_STAMP): pyproject.toml tests/clients/javascript/package-lock.json | $(VENV)/.made
	@echo "Installing the packages that the product and its tests need (a minute or two) …"
	@$(PIP) --editable '.[dev]'
	@if command -v npm >/dev/null; then \
	  npm ci --prefix tests/clients/javascript --silent --no-audit --no-fund; \
	else echo "Node.js is not installed: the JavaScript clients are not tried against the twin."; fi
	@touch $@ $(RUN_STAMP)
