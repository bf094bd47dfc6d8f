# One menu: `make help`.
PYTHON := .venv/bin/python
PACKAGES := failwhale dashboards postmortems chaos loadgen reference_app tests
FAILWHALE := $(PYTHON) -m failwhale
GAMEDAY := FAILWHALE_HOME=$(CURDIR)/var-library FAILWHALE_PORT_BASE=18800 $(FAILWHALE) gameday

.DEFAULT_GOAL := help
.PHONY: help setup demo test verify gameday lint lock gen up down clean

help: ## show this menu
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what is missing: servers from apt, Python packages in .venv
	@scripts/setup.sh

demo: setup ## from nothing to a drill with its verdict, audit and postmortem draft
	@$(FAILWHALE) demo

test: ## everything but the long tests, at most 15 minutes
	@scripts/setup.sh --tests
	@$(MAKE) --no-print-directory lint
	$(PYTHON) -m pytest -m "not verify"

verify: ## the long tests: failure table, runner kills, tutorial, soak; then `make gameday` (more than 4 hours)
	@scripts/setup.sh --tests
	$(PYTHON) -m pytest -m verify; ended=$$?; $(MAKE) --no-print-directory gameday || ended=$$?; exit $$ended

gameday: setup ## every drill of the library in a lab of its own, then thirty sham twins, about 4 hours; results in docs/
	$(GAMEDAY) chaos/gamedays/library.yaml --yes; ended=$$?; $(GAMEDAY) chaos/gamedays/quiet.yaml --yes || ended=$$?; \
	  $(GAMEDAY) --write-docs || ended=$$?; $(FAILWHALE) score --home $(CURDIR)/var-library --write-docs || ended=$$?; exit $$ended

lint: ## style, types and import directions
	.venv/bin/ruff check $(PACKAGES)
	.venv/bin/ruff format --check $(PACKAGES)
	$(PYTHON) -m mypy
	.venv/bin/lint-imports

lock: ## pin the newest versions that pyproject.toml allows
	CUSTOM_COMPILE_COMMAND="make lock" .venv/bin/pip-compile --quiet --upgrade --extra dev --strip-extras --allow-unsafe \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --output-file requirements.lock pyproject.toml

gen: ## write deploy/_gen, docs/telemetry.md, the catalogue of drills and the module map anew
	$(FAILWHALE) slo generate
	$(FAILWHALE) grafana generate
	$(PYTHON) scripts/module_map.py
	$(PYTHON) scripts/telemetry_map.py
	$(PYTHON) scripts/drill_map.py

up: setup ## start the lab
	@$(FAILWHALE) up

down: ## stop the lab; data survives
	@$(FAILWHALE) down

clean: ## remove .venv and caches; `make down` before, or `failwhale reset --yes`, which deletes var/, too
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
