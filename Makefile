# Every task of the repository; `make help` lists them.
#
#   make test PYTHON=python3.12      another interpreter than the first suitable one found
#   make test VENV=elsewhere         another place for the virtual environment
#   make pytest ARGS='-k schemes'    more arguments for the tool

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

SUPPORTED := import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python3.10; do \
	$$python -c '$(SUPPORTED)' 2>/dev/null && echo $$python && break; done)

VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --quiet --disable-pip-version-check

.PHONY: help
help: ## list the tasks
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/.demo ## compile and run a pruned network (installs what it needs)
	@$(BIN)/python examples/demo.py $(ARGS)

.PHONY: gallery
gallery: $(VENV)/.gallery ## train, prune and run applications, and show them on a page
	@$(BIN)/python examples/gallery/run.py $(ARGS)

.PHONY: test
test: $(VENV)/.dev system-packages lint lit pytest ## all checks and tests

.PHONY: lint
lint: $(VENV)/.dev ## ruff and mypy
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/python tests/typecheck.py

.PHONY: format
format: $(VENV)/.dev ## put the code into ruff's format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# PyTorch's threads wait in a loop, and on busy cores, as these tasks keep them, for long: half of all time.
lit pytest: export OMP_NUM_THREADS := 1

.PHONY: lit
lit: $(VENV)/.dev ## the tests of dialects and passes
	$(BIN)/lit -sv $(ARGS) tests/filecheck

.PHONY: pytest
pytest: $(VENV)/.dev ## all other tests, a file on each core
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile $(ARGS)

.PHONY: docs
docs: $(VENV)/.dev ## write docs/pipeline.md anew
	$(BIN)/python docs/generate.py

.PHONY: bench
bench: $(VENV)/.bench ## measure beside other compilers (installs them)
	$(BIN)/python benchmarks/run.py $(ARGS)

.PHONY: bench-peers
bench-peers: $(VENV)/peers/deepsparse/.installed ## install engines that need environments of their own
	@echo "installed; now: make bench ARGS=peers"

.PHONY: system-packages
system-packages: ## emulator and Vulkan driver for the tests, where apt-get may be used
	@tests/system_packages.sh

.PHONY: clean
clean: ## remove what the other tasks made
	rm -rf $(VENV) build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(VENV)/.created:
	@test -n "$(PYTHON)" || { echo "no Python 3.10 to 3.13 found: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c '$(SUPPORTED)' || { echo "$(PYTHON) is not Python 3.10 to 3.13" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# One environment for all tasks; a stamp for each set of packages that was installed into it.
$(VENV)/.demo: EXTRA := examples
$(VENV)/.gallery: EXTRA := gallery
$(VENV)/.dev: EXTRA := dev
$(VENV)/.bench: EXTRA := bench
$(VENV)/.demo $(VENV)/.gallery $(VENV)/.dev $(VENV)/.bench: $(VENV)/.created pyproject.toml
	@echo "installing niwaki[$(EXTRA)] into $(VENV): minutes the first time, PyTorch is large"
	@$(PIP) install --editable '.[$(EXTRA)]'
	@touch $@

# Engines that get on with none of the other packages, each below $(VENV) with a Python that it still supports.
PEERS_SUPPORT := import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 11))
PEERS_PYTHON ?= $(shell for python in $(PYTHON) python3.11 python3.10; do \
	$$python -c '$(PEERS_SUPPORT)' 2>/dev/null && echo $$python && break; done)

$(VENV)/peers/%/.installed: benchmarks/engines/%.txt $(VENV)/.created
	@test -n "$(PEERS_PYTHON)" || { echo "no Python 3.10 or 3.11 found: make bench-peers PEERS_PYTHON=/path/to/python3" >&2; exit 1; }
	$(PEERS_PYTHON) -m venv --clear $(@D)
	@$(@D)/bin/python -m pip --quiet --quiet --disable-pip-version-check install --requirement $<
	@touch $@
