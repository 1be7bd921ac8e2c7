# Two commands for a new user: `make demo` and `make test`. Each step is idempotent and says what it does in one line.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
DEMO_OUT ?= demo-out
NPM := $(BIN)/python tools/npm.py
.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint types imports unit weights web web-check chromium install install-test coverage mutants wheel lock sbom install-locked clean

help:
	@echo "make demo      set up and run the whole loop on embedded clips -> $(DEMO_OUT)/report.html"
	@echo "make test      set up what tests need and run every check (make test-all: the slow ones too)"
	@echo "make web       build the front end into the package (needs no system Node)"
	@echo "make coverage  branch coverage of pose, stages, store and workflow (make mutants: which changed lines no test notices)"
	@echo "make wheel     build the wheel into dist/, front end, graphs and embedded weights inside"
	@echo "make lock      write constraints.txt and constraints.lock (with hashes) from the installed versions"
	@echo "make sbom      write sbom.json, a CycloneDX list of what is installed and bundled, with licences"
	@echo "make clean     remove what the other commands made"

demo: install weights
	@echo "demo: run the whole loop on embedded clips -> $(DEMO_OUT)/"
	@$(BIN)/emc demo --out $(DEMO_OUT)

test: lint types imports web-check unit
	@echo "test: all checks passed"

test-all: lint types imports web-check weights
	@echo "test-all: every test, the slow ones too"
	@$(BIN)/python -m pytest -n 2 --dist loadfile

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "EMC needs Python 3.11 or newer, found %d.%d: run make with PYTHON=/path/to/newer/python3" % sys.version_info[:2])'
	@echo "install: make the environment $(VENV)"
	@$(PYTHON) -m venv $(VENV)

install: $(VENV)/.installed
$(VENV)/.installed: pyproject.toml constraints.txt tools/install.py | $(BIN)/python
	@echo "install: packages at the locked versions"
	@$(BIN)/python tools/install.py
	@touch $@

install-test: $(VENV)/.installed-test
$(VENV)/.installed-test: $(VENV)/.installed
	@echo "install: what the tests need"
	@$(BIN)/python tools/install.py --extra test
	@touch $@

chromium: install-test
	@$(BIN)/python tools/chromium.py

lint: install-test
	@echo "test: ruff"
	@$(BIN)/ruff check --no-cache .
	@$(BIN)/ruff format --no-cache --check .

types: install-test
	@echo "test: pyright"
	@$(BIN)/pyright

imports: install-test
	@echo "test: import-linter"
	@$(BIN)/lint-imports

weights: install
	@echo "weights: the published networks, fetched once"
	@$(BIN)/emc models get movenet-lightning movenet-thunder movenet-multipose >/dev/null || \
		echo "weights: going on without them: emc predicts with nano, tests of the published networks are skipped"

unit: install-test chromium weights
	@echo "test: pytest"
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow" || { \
		echo "test: a real browser on a busy machine may be late: what failed is tried once more, alone"; \
		$(BIN)/python -m pytest -m "not slow" --last-failed --last-failed-no-failures none; }

web: install-test
	@echo "web: build the front end"
	@$(NPM) ci --no-audit --no-fund --loglevel=error
	@$(NPM) run build

web-check: install-test
	@echo "test: front end (type check, tests, built files up to date)"
	@$(NPM) ci --no-audit --no-fund --loglevel=error
	@$(NPM) run check
	@$(NPM) test
	@$(NPM) run verify

wheel: install-test
	@$(BIN)/python tools/wheel.py

coverage: install-test chromium
	@$(BIN)/python tools/install.py --extra quality
	@echo "coverage: every fast test, branches counted"
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow" -q --cov --cov-report=term

mutants: install-test
	@$(BIN)/python tools/install.py --extra quality
	@$(BIN)/python tools/mutants.py --show

lock: install-test
	@$(BIN)/python tools/lock.py > constraints.txt.new
	@mv constraints.txt.new constraints.txt
	@echo "lock: hashes of the files that pip would download (some minutes)"
	@$(PIP) install --quiet --dry-run --ignore-installed --no-deps --report lock-report.json -r constraints.txt
	@$(BIN)/python tools/lock.py --hashes lock-report.json > constraints.lock.new
	@mv constraints.lock.new constraints.lock && rm lock-report.json

install-locked: | $(BIN)/python
	@echo "install: packages at the locked versions, each file checked against its SHA-256"
	@$(PIP) install --quiet --require-hashes --no-deps -r constraints.lock
	@$(PIP) install --quiet --no-deps --editable .

sbom: install-test
	@$(BIN)/python tools/sbom.py > sbom.json
	@echo "sbom: what is installed, bundled and embedded, with licences (CycloneDX) -> sbom.json"

clean:
	rm -rf $(VENV) $(DEMO_OUT) web/node_modules .pytest_cache .ruff_cache build *.egg-info src/*.egg-info
