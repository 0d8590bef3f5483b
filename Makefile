# Everything sets itself up: Python 3.11+, make and pip's registry are all that is needed.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready

.PHONY: help install demo test lint types check chaos bench bench-quick bench-enqueue bench-budget bench-campaign soak requirements wheel clean

help: ## Show this help
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

$(READY): requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; try: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

install: $(READY) ## Make the virtual environment .venv

demo: $(READY) ## Every operation from .delay() to a fake Interakt and back, in a minute
	$(RUN) -m examples.demo

test: $(READY) lint types ## All tests, with linter and type checker
	$(RUN) -m pytest -n 2 --no-loadscope-reorder

lint: $(READY)
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

types: $(READY)
	$(RUN) -m mypy

chaos: $(READY) ## Kill, freeze and cut everything, and count what was lost or doubled
	$(RUN) -m tests.chaos $(ARGS)

bench: $(READY) ## Measure this worker beside seven others (15 minutes)
	$(RUN) -m bench $(ARGS)

bench-quick: $(READY) ## The same in 3 minutes
	$(RUN) -m bench --quick $(ARGS)

bench-enqueue: $(READY) ## What enqueueing costs beside plain Celery (20 seconds)
	$(RUN) -m bench.enqueue $(ARGS)

bench-budget: $(READY) ## How exactly the limit is used, how long an OTP waits
	$(RUN) -m bench.budget $(ARGS)

bench-campaign: $(READY) ## A million recipients planned, 200,000 sent
	$(RUN) -m bench.campaign $(ARGS)

MINUTES ?= 10
soak: $(READY) ## Mixed traffic with faults for MINUTES=10, then the oracle
	$(RUN) -m tests.chaos.soak --minutes $(MINUTES) $(ARGS)

wheel: $(READY) ## Build the wheel that applications install
	$(RUN) -m build --wheel --no-isolation

requirements: ## Pin requirements/*.in again (needs pip-tools)
	cd requirements && for name in runtime dev; do ../$(VENV)/bin/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe \
	  --no-header --no-annotate --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host $$name.in -o $$name.txt; done

clean: ## Remove what make has made
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis bench/.venvs
