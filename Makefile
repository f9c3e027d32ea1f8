# Everything starts here: `make` lists the verbs. Each sets up .venv by itself; nothing else of the machine is touched.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

# What `make run` reads; see `make help`.
SOURCES ?= sources/synthetic_bank
INBOX ?=
AS_OF ?=
CUSTOMERS ?= 500
DAYS ?= 90

PYTHON ?= $(shell command -v python3.11 || command -v python3)
PY := .venv/bin/python
READY := .venv/.ready
SPARK := .venv/.spark
SQL := dbt_project/models dbt_project/tests sources

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# A bank often has a certificate authority of its own: trust those of the machine.
export UV_SYSTEM_CERTS ?= 1
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

.PHONY: help run up down test quick spark bench lint format lock clean

help: ## List the verbs
	@printf 'make VERB, where VERB is\n\n'
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 12
	@printf '%s\n' '' \
	  'make run takes SOURCES=sources/<name> INBOX=<folder> AS_OF=YYYY-MM-DD for your own files,' \
	  'and CUSTOMERS=500 DAYS=90 for the synthetic bank. It keeps everything in CX360_HOME, by default' \
	  'cx360_home for the synthetic bank and cx360_home-<name> for other sources.' '' \
  'make bench takes ROWS=5000000 CUSTOMERS=100000 DAYS=365 RUNS=3, and' \
  'ONLY=landing,dirty,build,one_day,day,matching,matching_day.'

# The bank of another source is another bank: it gets a home of its own.
run: export CX360_HOME ?= $(CURDIR)/cx360_home$(if $(filter-out sources/synthetic_bank,$(SOURCES)),-$(notdir $(SOURCES:/=)))
run: $(READY) ## Make a synthetic bank (or take yours), run the DAGs on it, say where to look
	@$(PY) -m cx360.cli run --sources "$(SOURCES)" --customers $(CUSTOMERS) --days $(DAYS) \
	  $(if $(INBOX),--inbox "$(INBOX)") $(if $(AS_OF),--as-of $(AS_OF))

up: $(READY) ## Start Airflow with its UI, scheduler and an embedded PostgreSQL, on this machine
	@$(PY) -m cx360.cli up

down: $(READY) ## Stop what `make up` started
	@$(PY) -m cx360.cli down

# Files in the order of their folders: the longest, of the engines, begin, and short ones end, so that both processes work.
test: lint $(SPARK) ## Pass every check and test
	@$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder --prove-requirements --junitxml=build/tests.xml --durations=10

quick: $(READY) ## Pass the unit tests, in under one minute
	@$(PY) -m pytest -n 2 --dist loadfile -m "not slow" tests/unit

spark: $(SPARK) ## Install what CX360_ENGINE=spark needs beside Java

# dlt and Polars live in an environment of their own: whoever uses cx360 need not install them.
BENCH := build/bench
bench: ROWS ?= 5000000
bench: CUSTOMERS = 100000
bench: DAYS = 365
bench: RUNS ?= 3
bench: $(SPARK) $(BENCH)/venv/.ready ## Measure what it costs, beside what one would use instead
	@$(PY) -m bench --only "$(ONLY)" --rows $(ROWS) --customers $(CUSTOMERS) --days $(DAYS) --runs $(RUNS) \
	  --folder $(BENCH) --other $(BENCH)/venv/bin/python

$(BENCH)/venv/.ready: bench/requirements.lock | $(READY)
	@echo 'Installing dlt and Polars into $(BENCH)/venv'
	@$(PY) -m uv venv --quiet --allow-existing --python $(PY) $(BENCH)/venv
	@$(PY) -m uv pip sync --quiet --python $(BENCH)/venv/bin/python --require-hashes bench/requirements.lock
	@touch $@

lint: $(READY) ## Check Python, types and SQL
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check --quiet . || { echo 'make format mends this'; exit 1; }
	@$(PY) -m mypy
	@$(PY) -m sqlfluff lint --processes 2 --disable-progress-bar $(SQL)

format: $(READY) ## Format Python and SQL
	@$(PY) -m ruff check --fix --quiet . || true
	@$(PY) -m ruff format .
	@$(PY) -m sqlfluff fix --processes 2 --disable-progress-bar --quiet $(SQL)

LOCK := -m uv pip compile --quiet --python-version 3.11 --no-emit-index-url --generate-hashes --no-header pyproject.toml

# Of Spark's packages the second file holds those the first does not.
lock: $(READY) ## Resolve what pyproject.toml and bench/ ask for into their lock files
	@$(PY) $(LOCK) --extra dev --output-file requirements.lock
	@$(PY) $(LOCK) --extra spark --constraint requirements.lock --output-file requirements-spark.lock \
	  $$(sed -n 's/^\([a-z0-9._-]*\)==.*/--no-emit-package \1/p' requirements.lock)
	@sed -i '/^# The following packages were excluded/,$$d' requirements-spark.lock
	@$(PY) -m uv pip compile --quiet --python-version 3.11 \
	  --no-emit-index-url --generate-hashes --no-header bench/requirements.in --output-file bench/requirements.lock

clean: ## Remove .venv and what tools leave behind; keep CX360_HOME
	@rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache .hypothesis dbt_project/target dbt_project/logs
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# uv comes from the lock file by pip, with its hashes, and installs the rest.
$(READY): requirements.lock pyproject.toml
	@[ -n "$(PYTHON)" ] && "$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
	  { echo 'cx360 needs Python 3.11, 3.12 or 3.13: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11'; exit 1; }
	@echo 'Installing into .venv (only when the lock file or pyproject.toml changed)'
	@[ -x $(PY) ] || "$(PYTHON)" -m venv .venv
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > .venv/uv.txt
	@$(PY) -m pip install --quiet --require-hashes --no-deps -r .venv/uv.txt
	@$(PY) -m uv pip sync --quiet --python $(PY) --require-hashes requirements.lock
	@$(PY) -m uv pip install --quiet --python $(PY) --no-deps --no-build-isolation --editable .
	@touch $@

$(SPARK): $(READY) requirements-spark.lock
	@$(PY) -m uv pip install --quiet --python $(PY) --no-deps --no-build-isolation --require-hashes \
	  -r requirements-spark.lock
	@touch $@
