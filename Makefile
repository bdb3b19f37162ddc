# Everything here works from a fresh checkout with nothing but python3 and make:
# each target first makes the environment it needs, and remakes it when pyproject.toml changes.

PYTHON ?= python3
VENV := .venv
LOWEST := .venv-lowest
INTEGRATIONS := .venv-integrations
COLLECTOR := .venv-collector
SCALE := .venv-scale

# The suite runs on two workers; a class or module stays on one, so its fixtures are made once.
# In the order of the tree the long modules come early: one at the end would keep a worker waiting.
WORKERS ?= 2
PYTEST_FLAGS := -q -n $(WORKERS) --dist loadscope --no-loadscope-reorder --benchmark-disable
# What targets of their own run.
NOT_HERE := $(addprefix --ignore=tests/,benchmarks browser demo integrations docs cookbooks)
PYTEST_ARGS ?=
BENCH_ARGS ?=
DATA_ARGS ?=

PIP := -m pip --disable-pip-version-check --no-input

# Tests start programs again and again: what these import is compiled once, whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/.stamp-demo ## Run the cascade on two small models, with no key and no network
	$(VENV)/bin/cascade demo

.PHONY: shell
shell: $(VENV)/.stamp-demo ## Open a shell in which `cascade` and `python` are this checkout's
	@echo 'cascade and python are now those of this checkout; leave with exit'
	@printf '[ -r ~/.bashrc ] && . ~/.bashrc\n. "%s"\n' '$(CURDIR)/$(VENV)/bin/activate' > $(VENV)/shell.rc
	@case "$${SHELL##*/}" in bash) exec bash --rcfile $(VENV)/shell.rc ;; esac; \
	VIRTUAL_ENV='$(CURDIR)/$(VENV)' PATH='$(CURDIR)/$(VENV)/bin':"$$PATH" $${SHELL:-sh}

.PHONY: test
test: $(VENV)/.stamp-dev ## Run the tests
	$(VENV)/bin/python -m pytest $(PYTEST_FLAGS) $(NOT_HERE) -m 'not simulation and not processes' $(PYTEST_ARGS)

.PHONY: test-simulations
test-simulations: $(VENV)/.stamp-dev ## Run the tests that draw histories again and again, or take texts, rows and requests in great numbers
	$(VENV)/bin/python -m pytest $(PYTEST_FLAGS) $(NOT_HERE) -m simulation $(PYTEST_ARGS)

.PHONY: test-processes
test-processes: $(VENV)/.stamp-dev ## Run the tests that start whole programs, and fork, stop and kill them
	$(VENV)/bin/python -m pytest $(PYTEST_FLAGS) $(NOT_HERE) -m processes $(PYTEST_ARGS)

.PHONY: test-demo
test-demo: $(VENV)/.stamp-dev ## Run the tests of the demo, its models and the project it starts
	$(VENV)/bin/python -m pytest $(PYTEST_FLAGS) tests/demo $(PYTEST_ARGS)

.PHONY: test-lowest
test-lowest: $(LOWEST)/.stamp-test ## Run the core's and LangChain's tests on the oldest versions supported
	$(LOWEST)/bin/python -m pytest $(PYTEST_FLAGS) tests/core tests/langchain $(PYTEST_ARGS)

.PHONY: test-integrations
test-integrations: $(INTEGRATIONS)/.stamp-test ## Ask the integrations of both frameworks over HTTP, and see what Langfuse and others are sent
	$(INTEGRATIONS)/bin/python -m pytest -q -n $(WORKERS) tests/integrations tests/cookbooks/test_own_models.py $(PYTEST_ARGS)

KEPT_TESTS = tests/service tests/core/log tests/core/guards tests/core/review/test_snapshot.py tests/core/review/test_growth.py
.PHONY: test-services
test-services: $(VENV)/.stamp-dev collector ## Run the tests of logs on a PostgreSQL of their own, of shared budgets on a Redis, the dashboard on a Prometheus, and telemetry on a Phoenix; all are installed where there are none
	$(VENV)/bin/python tests/services.py -n $(WORKERS) --dist loadscope --benchmark-disable $(KEPT_TESTS) tests/dashboard tests/core/telemetry/test_collector.py $(PYTEST_ARGS)

.PHONY: test-scale
test-scale: $(SCALE)/.stamp-test ## Run the tests of bulk work on a local Ray, whose workers are killed meanwhile
	PYTHONPATH=.:shared $(SCALE)/bin/python -m pytest -q tests/scale $(PYTEST_ARGS)

.PHONY: lint
lint: $(VENV)/.stamp-dev ## Check style, formatting and types
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy

.PHONY: test-browser
test-browser: $(VENV)/.stamp-dev ## Look at the review's pages with Chromium (installs Debian's where there is none)
	$(VENV)/bin/python -m tests.browser.chromium -q -n $(WORKERS) --dist loadscope --benchmark-disable tests/browser $(PYTEST_ARGS)

.PHONY: test-docs
test-docs: $(VENV)/.stamp-docs ## Run all code in the README and in docs, and check every link
	$(VENV)/bin/python -m pytest -q -n $(WORKERS) --dist loadgroup --benchmark-disable tests/docs $(PYTEST_ARGS)

.PHONY: docs-output
docs-output: $(VENV)/.stamp-docs ## Write what the commands in the README and in docs print now into the pages (PAGES=how-to/agents)
	$(VENV)/bin/python -m tests.docs.rewrite $(PAGES)

.PHONY: test-cookbooks
test-cookbooks: $(VENV)/.stamp-cookbooks ## Run the notebooks and compare what they print with what they show
	$(VENV)/bin/python -m pytest -q -n $(WORKERS) tests/cookbooks $(PYTEST_ARGS)

.PHONY: cookbooks
cookbooks: $(VENV)/.stamp-cookbooks ## Run the notebooks and keep what they print (NOTEBOOKS="01 05": these)
	$(VENV)/bin/python -m tests.cookbooks.execute $(NOTEBOOKS)

.PHONY: docs
docs: $(VENV)/.stamp-docs ## Build the documentation in site/
	$(VENV)/bin/python docs/notebooks.py
	$(VENV)/bin/zensical build --strict --clean -f mkdocs.yml

.PHONY: pictures
pictures: $(VENV)/.stamp-dev ## Draw the pictures of the documentation that show figures
	$(VENV)/bin/python docs/pictures/concepts.py
	$(VENV)/bin/python docs/pictures/curve.py
	$(VENV)/bin/python docs/pictures/report.py
	$(VENV)/bin/python docs/pictures/review.py

.PHONY: mutants
mutants: $(VENV)/.stamp-mutants ## Break the code in small ways and see whether the nearest tests notice
	WORKERS=$(WORKERS) $(VENV)/bin/python tests/mutants.py

.PHONY: bench
bench: $(VENV)/.stamp-dev ## Measure everything beside what one would use without it (BENCH_ARGS=--json)
	@$(VENV)/bin/python tests/benchmarks/run.py $(BENCH_ARGS)

.PHONY: data
data: $(VENV)/.stamp-dev ## Fetch the public answers of real models that bench-recorded replays
	@$(VENV)/bin/python tests/benchmarks/data.py $(DATA_ARGS)

.PHONY: bench-recorded
bench-recorded: $(VENV)/.stamp-dev ## Fit, test and promise on recorded answers of real models
	$(VENV)/bin/python tests/benchmarks/recorded.py
	$(VENV)/bin/python tests/benchmarks/promise.py

.PHONY: bench-long
bench-long: $(VENV)/.stamp-dev ## Measure what checks of long answers, code and tool calls cost and tell
	$(VENV)/bin/python tests/benchmarks/long_answers.py

.PHONY: bench-audits
bench-audits: $(VENV)/.stamp-dev ## Simulate audits: whether intervals hold the truth, and tuning on audits comes to the same
	$(VENV)/bin/python tests/benchmarks/audits.py
	$(VENV)/bin/python tests/benchmarks/round_trip.py

.PHONY: bench-commit
bench-commit: $(VENV)/.stamp-dev ## How soon drafts are shown that are accepted by their first tokens, and whether that promise holds
	$(VENV)/bin/python tests/benchmarks/early_commit.py

.PHONY: bench-watch
bench-watch: $(VENV)/.stamp-dev ## Simulate 1,000 histories that drift: whether a watch keeps its limit, and what it saves
	$(VENV)/bin/python tests/benchmarks/watch.py $(BENCH_ARGS)

.PHONY: record
record: $(VENV)/.stamp-dev ## Record the cassettes of tests/recorded anew
	$(VENV)/bin/python -m pytest tests/recorded -q --record

.PHONY: clean
clean: ## Remove the environments and everything a run leaves behind
	rm -rf $(VENV) $(LOWEST) $(INTEGRATIONS) $(COLLECTOR) $(SCALE) build dist site docs/cookbooks .cache .benchmarks .hypothesis .mutants .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- environments ---------------------------------------------------------------------------------

# An environment may be there already, from before or made by hand: it is kept if its Python works.
# Dependency groups need pip 25.1.
define environment
	@echo 'Installing into $(1): this takes some minutes the first time' >&2
	@$(1)/bin/python $(PIP) --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(1)
	@$(1)/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	@$(1)/bin/python $(PIP) install -q --upgrade 'pip>=25.1'
endef

$(VENV)/.stamp-demo: pyproject.toml
	$(call environment,$(VENV))
	$(VENV)/bin/python $(PIP) install -q -e '.[all]'
	@touch $@

$(VENV)/.stamp-dev: pyproject.toml
	$(call environment,$(VENV))
	$(VENV)/bin/python $(PIP) install -q -e '.[all]' --group dev
	@touch $@ $(VENV)/.stamp-demo

$(VENV)/.stamp-docs: $(VENV)/.stamp-dev
	$(VENV)/bin/python $(PIP) install -q --group docs
	@touch $@

$(VENV)/.stamp-cookbooks: $(VENV)/.stamp-dev
	$(VENV)/bin/python $(PIP) install -q --group cookbooks
	@touch $@

$(VENV)/.stamp-mutants: $(VENV)/.stamp-dev
	$(VENV)/bin/python $(PIP) install -q --group mutants
	@touch $@

$(LOWEST)/.stamp-test: pyproject.toml tests/lowest.txt
	$(call environment,$(LOWEST))
	$(LOWEST)/bin/python $(PIP) install -q -e '.[langchain,prices,calibrate,report,review,parquet,log,postgres,redis,otel,demo]' --group test -c tests/lowest.txt
	@touch $@

$(INTEGRATIONS)/.stamp-test: pyproject.toml
	$(call environment,$(INTEGRATIONS))
	$(INTEGRATIONS)/bin/python $(PIP) install -q -e '.[langchain,llamaindex,otel]' --group integrations
	@touch $@

$(SCALE)/.stamp-test: pyproject.toml
	$(call environment,$(SCALE))
	$(SCALE)/bin/python $(PIP) install -q -e '.[langchain,llamaindex,log,ray]' --group scale $(if $(RAY),'ray[data]==$(RAY)')
	@touch $@

# A server of others, of which only the tests know: where it cannot be installed, its tests are skipped.
.PHONY: collector
collector: pyproject.toml
	@test $(COLLECTOR)/.stamp-test -nt pyproject.toml || $(MAKE) -s $(COLLECTOR)/.stamp-test \
	|| echo 'make: Phoenix cannot be installed here; its tests are skipped'

$(COLLECTOR)/.stamp-test: pyproject.toml
	$(call environment,$(COLLECTOR))
	$(COLLECTOR)/bin/python $(PIP) install -q --group collector
	@touch $@
