# Countersign: `make demo` shows it, `make test` proves it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= $(eval PYTHON := $(shell for found in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$found -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$found && break; done || echo python3))$(PYTHON)
PORT ?= 8000
SANDBOX ?= required
COUNTERSIGN_HOME ?= $(CURDIR)/.countersign
BIN := .venv/bin
PIP := -m pip install --disable-pip-version-check --no-input --require-hashes
ENVIRONMENTS := python-analytics python-forms python-widgets bash
BUILT := $(ENVIRONMENTS:%=.environments/%/lock.txt) \
	$(patsubst environments/%.warm.py,.environments/%/warm.py,$(wildcard environments/*.warm.py))
TESTS ?= tests
WORKERS ?= 2
SOAK ?= kills memory

export PORT SANDBOX COUNTERSIGN_HOME

.PHONY: help demo test bench soak check fix setup setup-demo machine pins
.DELETE_ON_ERROR:

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: setup-demo ## Start everything here, with an invented hospital (PORT=8000)
	@exec $(BIN)/python -m config.demo

test: setup ## Run all tests, in parallel (TESTS=tests/gallery for some)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(TESTS)

bench: setup .benchmarks/papermill/lock.txt .benchmarks/voila/lock.txt ## Measure, on a quiet machine; prints a ratio for each measurement
	@$(BIN)/python -m pytest -q -s tests/benchmarks/bench_*.py

soak: setup ## Kill parts at random under load, then watch a worker's memory (RUNS=1000 SEED=… SOAK=kills)
	@$(BIN)/python -m pytest -q -s --show-capture=no $(SOAK:%=tests/soak/soak_%.py)

check: setup ## Lint, types, imports, templates, deployment; changes nothing
	@bash .ci/check

fix: setup ## Format, and fix what can be fixed by itself
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

setup: machine .venv/.dev-installed $(BUILT) .frontend/lock.txt ## Install everything that tests and checks need

setup-demo: machine .venv/.installed $(BUILT) .frontend/lock.txt

machine:
	@$(PYTHON) config/embedded/machine.py $(SANDBOX)

.venv/.installed: requirements.txt
	@echo "Installing Countersign into .venv (some minutes the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python $(PIP) -r requirements.txt | $(PYTHON) config/demo/progress.py
	@touch $@

.venv/.dev-installed: requirements.txt requirements-dev.txt | .venv/.installed
	@echo "Installing what tests and checks need"
	@$(BIN)/python $(PIP) -r requirements.txt -r requirements-dev.txt | $(PYTHON) config/demo/progress.py
	@touch $@

.benchmarks/%/lock.txt: tests/benchmarks/%.txt
	@echo "Building what the benchmarks compare with: $*"
	@$(PYTHON) -m runner.building $* tests/benchmarks .benchmarks | $(PYTHON) config/demo/progress.py
	@touch $@

.environments/%/lock.txt: environments/%.txt
	@echo "Building the notebook environment $*"
	@$(PYTHON) -m runner.building $* environments .environments | $(PYTHON) config/demo/progress.py
	@touch $@

.environments/%/warm.py: environments/%.warm.py .environments/%/lock.txt
	@cp $< $@

.frontend/lock.txt: frontend/voila.txt | .venv/.installed
	@echo "Fetching the front end of live sessions"
	@$(BIN)/python -m runner.sessions.voila fetch $< .frontend | $(PYTHON) config/demo/progress.py
	@touch $@

pins: setup ## Pin requirements and notebook environments anew
	@for name in requirements requirements-dev $(ENVIRONMENTS:%=environments/%) tests/benchmarks/papermill tests/benchmarks/voila; do \
		echo "$$name.txt"; CUSTOM_COMPILE_COMMAND="make pins" $(BIN)/pip-compile --quiet --strip-extras \
		--generate-hashes --allow-unsafe --no-emit-index-url --no-emit-find-links \
		--no-emit-trusted-host --no-emit-options --output-file $$name.txt $$name.in; done
	@echo frontend/voila.txt; $(BIN)/python -m runner.sessions.voila pin frontend/voila.in frontend/voila.txt
