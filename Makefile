# Thin targets; each bootstraps .venv from the lock on a fresh machine.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
STAMP_DEV := $(VENV)/.installed-dev
# Without compiled modules every start would compile 300 packages again.
unexport PYTHONDONTWRITEBYTECODE
export XDG_RUNTIME_DIR ?= /tmp
# Tests run one process a core: threads of the numeric libraries would only fight over them.
test bench spark: export OMP_NUM_THREADS = 1
test bench spark: export OPENBLAS_NUM_THREADS = 1

.PHONY: demo test spark lint format bench up lock browser clean help
help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

demo: $(STAMP) ## the whole loop on a simulated account; DEMO_EXIT=1 stops after the main job
	$(BIN)/intel-ml up --demo $(if $(DEMO_EXIT),--exit)

up: $(STAMP) ## the platform as the settings say
	$(BIN)/intel-ml up

test: lint browser ## everything that must hold
	$(BIN)/python -m pytest -n 2 --dist loadgroup -q

spark: $(STAMP_DEV) ## the same features on Spark: installs the extra (and needs Java), runs its tests
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements-spark.lock
	$(BIN)/python -m pytest -q -m spark tests

lint: $(STAMP_DEV) ## style, types, import contracts
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/lint-imports --no-cache > $(VENV)/lint-imports.log || { cat $(VENV)/lint-imports.log; exit 1; }
	$(BIN)/mypy --no-error-summary

format: $(STAMP_DEV) ## rewrite in the house style
	$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

bench: $(STAMP_DEV) ## measured in one run, printed as a table
	$(BIN)/python -m benchmarks

lock: $(STAMP) ## resolve the dependencies anew
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header -q pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header -q pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header -q pyproject.toml --extra spark -c requirements.lock -o requirements-spark.lock

browser: ## a Chromium for the tests of the pages
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	else echo "The tests of the pages need Chromium: install the package 'chromium' (or google-chrome) and run make test again."; exit 1; fi

$(STAMP): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.9"
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --no-deps -e .
	touch $@

$(STAMP_DEV): $(STAMP) requirements-dev.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements-dev.lock
	touch $@

clean: $(STAMP) ## forget the demo's data
	$(BIN)/python -c "from intel_ml.surfaces.demo import forget_demo; forget_demo()"
