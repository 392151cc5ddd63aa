# Postroom. `make help` lists the targets.

PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
NODE_PACKAGES := tests/sdk/node/node_modules/.package-lock.json
UI_PACKAGES := ui/node_modules/.package-lock.json
DASHBOARD := src/postroom/web/dashboard/dist/index.html
DASHBOARD_SOURCES := $(shell find ui src/postroom/types/refusals -type f -not -path '*/node_modules/*' \
	-not -path '*/generated/*' -not -path '*/__pycache__/*') src/postroom/types/permissions.py
# One more than there are cores: many tests wait for a process or for a browser.
WORKERS = $(shell $(BIN)/python -c 'import os; print((os.cpu_count() or 1) + 1)')

.DEFAULT_GOAL := help
.PHONY: help install run ui test check faults soak fuzz bench docs wheel clean lock

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/.installed ## Install Postroom into .venv

run: install ## Install, then run Postroom in ./data; the first time it sets everything up
	@$(MAKE) --no-print-directory ui || echo 'Postroom runs without its dashboard; the page it serves says more.' >&2
	@$(BIN)/postroom serve --first-run

ui: $(DASHBOARD) ## Build the dashboard; it takes Node.js

test: $(VENV)/.installed-dev $(NODE_PACKAGES) check ## Check, then run all tests and name the 20 slowest
	@scripts/test-packages.sh
	@$(MAKE) --no-print-directory ui || echo 'the tests in a browser are skipped' >&2
	@! scripts/ui.sh has-node || scripts/ui.sh test
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

check: $(VENV)/.installed-dev ## Format, lint, types, and whether the printed docs are up to date
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	@$(BIN)/postroom config docs | diff -u docs/configuration.md - || { echo 'Run: make docs'; exit 1; }
	@$(BIN)/postroom refusals catalogue --markdown | diff -u docs/refusals.md - || { echo 'Run: make docs'; exit 1; }
	@$(BIN)/python scripts/metrics_doc.py | diff -u docs/metrics.md - || { echo 'Run: make docs'; exit 1; }
	@! scripts/ui.sh has-node || { $(MAKE) --no-print-directory $(UI_PACKAGES) && scripts/ui.sh check; }

faults: $(VENV)/.installed-dev ## Every fault at every place, then KILLS=n random kills (or MINUTES=m)
	@scripts/test-packages.sh
	PYTHONPATH=src:tests $(BIN)/python tests/faults/campaign.py

soak: $(VENV)/.installed-dev ## Steady mixed load for MINUTES=n (10): does anything grow, is anything lost
	@scripts/test-packages.sh
	PYTHONPATH=src:tests $(BIN)/python tests/faults/soak.py

fuzz: $(VENV)/.installed-dev ## Fuzz the protocols and codecs: EXAMPLES=n of each, or SECONDS=n with atheris
	PYTHONPATH=src:tests $(BIN)/python tests/fuzz/campaign.py

bench: $(VENV)/.installed-dev ## Run the benchmarks
	$(BIN)/python bench/run.py

docs: $(VENV)/.installed ## Print configuration.md, refusals.md, metrics.md and clients.md in docs/ anew
	$(BIN)/postroom config docs > docs/.new && mv docs/.new docs/configuration.md
	$(BIN)/postroom refusals catalogue --markdown > docs/.new && mv docs/.new docs/refusals.md
	$(BIN)/python scripts/metrics_doc.py > docs/.new && mv docs/.new docs/metrics.md
	$(BIN)/python scripts/clients_doc.py

wheel: $(VENV)/.installed ui ## Build dist/postroom-*.whl
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	@ls dist/*.whl

lock: $(VENV)/.installed-dev ## Take the newest versions that pyproject.toml allows into the lock files
	scripts/lock.sh $(BIN)

clean: ## Remove what was built; keeps .venv and data
	rm -rf dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis src/postroom/web/dashboard/dist ui/src/generated
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp says what was installed from which lock, so that a second `make run` starts at once.
$(VENV)/.installed: $(VENV)/bin/python requirements.lock pyproject.toml
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

$(DASHBOARD): $(DASHBOARD_SOURCES) $(UI_PACKAGES) | $(VENV)/.installed
	@scripts/ui.sh build

$(UI_PACKAGES): ui/package-lock.json
	@scripts/ui.sh packages

# npm writes this file last. Where there is no npm it is never made, and that is no error.
$(NODE_PACKAGES): tests/sdk/node/package-lock.json
	@scripts/node-packages.sh

$(VENV)/bin/python:
	@test -n '$(PYTHON)' || { echo 'Postroom needs Python 3.11 or newer; name one with make PYTHON=...'; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo 'On Debian and Ubuntu: apt install python3-venv'; rm -rf $(VENV); exit 1; }
