# Every command of the README. `make test` is what CI runs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo test validity fuzz powerloss fuzz-gateway chaos outage serve api-storm lint format lock clean
help: # this list
	@grep -E '^[a-z-]+:.*#' $(MAKEFILE_LIST) | sed 's/:.*# /\t/'

# Debian without python3-venv leaves half an environment behind, which would stand in the way of the next try.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.demo: requirements/demo.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/demo.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.dev: requirements/dev.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@ $(VENV)/.demo

demo: $(VENV)/.demo # the main job on a simulated factory; ARGS="--for 60 --json" runs bounded
	@$(BIN)/python -m demo $(ARGS)

test: $(VENV)/.dev # system packages, lint, types and every test
	@PATH="$(CURDIR)/$(BIN):$$PATH" tests/run $(ARGS)

validity: $(VENV)/.dev # indicators against injected faults, at length: table and build/validity.html (an hour; ARGS="--seed N --runs N")
	TSQ_VALIDITY=1 $(BIN)/python -m pytest tests/validity
	$(BIN)/python -m tests.validity $(ARGS)

$(VENV)/.fuzz: requirements/fuzz.lock pyproject.toml | $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/fuzz.lock
	touch $@

fuzz: $(VENV)/.fuzz # hostile input for every decoder, importer and the YAML loader, guided by coverage (10 minutes)
	$(BIN)/python -m tests.fuzz $(ARGS)

fuzz-gateway: $(VENV)/.dev # 2,000,000 malformed messages for the gateway's decoder, 200,000 for a running gateway (20 minutes)
	$(BIN)/python -m tests.fuzz --gateway 2000000 --live 200000 $(ARGS)

chaos: $(VENV)/.dev # kills, cuts, fills and mistimes the whole path at random: ARGS="--minutes 30 --seed 1"
	$(BIN)/python -m tests.chaos $(ARGS)

outage: $(VENV)/.dev # what days without a line cost on the disk, and how they drain: ARGS="--hours 72 --signals demo"
	$(BIN)/python -m tests.outage $(ARGS)

powerloss: $(VENV)/.dev # the power goes at 2,000 recorded points, 500 kills in the write path, every call fails once (minutes)
	TSQ_POINTS=2000 TSQ_KILLS_ANYWHERE=500 TSQ_EVERY_CALL=1 TSQ_DAMAGES=1000 TSQ_STALL=25 $(BIN)/python -m pytest tests/faults $(ARGS)

serve: $(VENV)/.dev # the platform's API on a database in build/, to look at: ARGS="--night never"
	@mkdir -p build
	@$(BIN)/techsquare upgrade --database sqlite:///build/techsquare.db
	@$(BIN)/techsquare serve --database sqlite:///build/techsquare.db $(ARGS)

api-storm: $(VENV)/.dev # schemathesis against the platform's API on both databases (an hour; ARGS="--runs N --seed N")
	$(BIN)/python -m tests.techsquare.api $(ARGS)

lint: $(VENV)/.dev # formatter, linter and types only
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/.dev # let the formatter and the linter mend what they can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: # renew the lock files (needs uv)
	printf 'setuptools>=77\n' | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra demo -o requirements/demo.lock pyproject.toml -
	printf 'setuptools>=77\n' | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev -o requirements/dev.lock pyproject.toml -
	printf 'setuptools>=77\n' | uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra fuzz -o requirements/fuzz.lock pyproject.toml -

clean: # remove everything that was made
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache build *.egg-info
