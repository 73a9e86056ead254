# layertrace: `make demo` and `make test` each work alone on a fresh clone.
# They need Python 3.11 or later; no Docker. Everything is installed into .venv.

PYTHON ?= python3
VENV ?= .venv
BENCH ?=
FUZZ ?= archive layer json dockerfile content
SECONDS ?= 60
BIN := $(VENV)/bin
# -qq: pip is silent unless it fails.
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq install -c constraints.txt
PYTEST ?= $(BIN)/python -m pytest

.NOTPARALLEL:
.DEFAULT_GOAL := help

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 20

demo: $(VENV)/.installed  ## browse the sample image in the terminal
	@$(BIN)/layertrace demo

test: $(VENV)/.dev  ## run every test; those with a Docker engine if one answers
	$(PYTEST) -n auto

check: static cover neat  ## all that must pass before a change is done

static: $(VENV)/.dev  ## format, rules, types, who imports whom
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

# The same tests as `make test`, and how much of the code they run.
cover: $(VENV)/.dev  ## tests with coverage, and its limits
	$(BIN)/coverage erase
	$(MAKE) test PYTEST='$(BIN)/coverage run -m pytest'
	$(BIN)/coverage combine --quiet
	@rm -f .coverage.*  # half-written by processes that a test killed
	$(BIN)/coverage report
	$(BIN)/coverage report --fail-under=100 \
	    --include='*/model/*,*/layers/*,*/rootfs/*,*/dockerfile/*,*/provenance/*'
	$(BIN)/coverage report --fail-under=95 --include='*/archive/*'
	$(BIN)/coverage report --fail-under=95 --include='*/analysis/*,*/filters/*'
	$(BIN)/coverage report --fail-under=90 --include='*/pipeline/*'

neat: $(VENV)/.dev  ## dependencies and spelling
	$(BIN)/deptry .
	$(BIN)/codespell

bench: $(VENV)/.bench  ## measure against dive; BENCH='--quick --archive FILE' passes options
	$(BIN)/python bench/run.py $(BENCH)

bench-tui: $(VENV)/.bench  ## measure the terminal view on 1,000,000 files; BENCH='--entries 100000'
	$(BIN)/python bench/view.py $(BENCH)

fuzz: $(VENV)/.fuzz  ## fuzz every reader; FUZZ='layer json' SECONDS=600 choose which, how long
	@for name in $(FUZZ); do \
	    echo "fuzzing $$name for $(SECONDS) s …"; \
	    $(BIN)/python fuzz/fuzz_one.py $$name --seconds $(SECONDS) || exit 1; \
	done

screenshots: $(VENV)/.installed  ## draw the pictures of the README anew
	$(BIN)/python docs/screenshots.py

clean:  ## remove what the other targets made
	rm -rf $(VENV) build dist .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache \
	    .hypothesis .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else \
	    "layertrace needs Python 3.11 or later, and $(PYTHON) is %d.%d: make PYTHON=python3.12 …" \
	    % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing layertrace into $(VENV) …"
	@$(PIP) -e .
	@$(BIN)/python -m compileall -q layertrace  # as pip does for any other install
	@touch $@

# pip before 25.1, which comes with Python up to 3.13, cannot install a dependency group.
$(VENV)/.dev: $(VENV)/.installed
	@echo "installing what tests and checks need into $(VENV) …"
	@$(PIP) --upgrade pip
	@$(PIP) --group dev
	@touch $@

$(VENV)/.bench: $(VENV)/.dev
	@$(PIP) --group bench
	@touch $@

$(VENV)/.fuzz: $(VENV)/.dev
	@$(PIP) --group fuzz
	@touch $@

.PHONY: help demo test check static cover neat bench bench-tui fuzz screenshots clean
