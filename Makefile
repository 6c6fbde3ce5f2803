# `make run` serves the chat on this machine; `make test` passes all tests. Both set up what they need.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PORT ?= 3001
FUNCTION ?= RouterFunction
EVENT ?= events/run.json
AGENT ?= assistant
DURATION ?= 600
CONNECTIONS ?= 1000
VENV := .venv
PY := $(VENV)/bin/python
SAM := .venv-sam/bin
# The providers' layers that `make build` builds; empty for all: make build PROVIDERS="openai anthropic"
PROVIDERS ?=
PIP := -m pip install --quiet --disable-pip-version-check --no-input --no-deps --require-hashes
WEB_SOURCES := $(shell find web/src web/public web/index.html web/*.ts web/*.json -type f 2>/dev/null)
# The development issuer is the emulator's; only these two variables make the authorizer trust it.
LOCAL := --env JWT_ISSUER={url} JWT_AUDIENCE=dayfly JWT_JWKS_URL={url}/.well-known/jwks.json DOTENV_FILE=$(CURDIR)/.env
export AWS_DEFAULT_REGION ?= eu-central-1
export PYTHONPATH := layers/dayfly:.
export SAM_CLI_TELEMETRY := 0
export PROVIDERS

.PHONY: help setup setup-all run test test-unit test-live nightly check build bench bench-gateway soak simulate faults evals mutants invoke docs format clean

help: ## Show what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.dev web/dist/index.html ## Set up what running and testing need

setup-all: setup $(SAM)/.ready # What checking needs, too

run: $(VENV)/.agents web/dist/index.html ## Serve the chat on this machine: make run [PORT=3001] [MODEL=openai:…]
	@exec $(PY) -m scripts.run --port $(PORT) --page web/dist $(LOCAL)

test: $(VENV)/.dev web/dist/index.html ## Run all tests, in lanes beside each other
	@$(PY) -m tests.lanes $(if $(BESIDE),--beside "$(BESIDE)")

test-unit: $(VENV)/.dev web/node_modules/.ready ## Run the tests that start no other program of this project
	@$(PY) -m tests.lanes unit

test-live: $(VENV)/.dev web/dist/index.html ## Run the tests of the whole application on the emulator
	@$(PY) -m tests.lanes live

nightly: $(VENV)/.dev web/dist/index.html ## Run what takes hours: 100,000 schedules, 500 runs under faults twice, the soak
	@$(MAKE) --no-print-directory simulate RUNS=100000
	@$(MAKE) --no-print-directory faults RUNS=500
	@$(PY) -m tests.live.campaign --runs 100 --engine-timeout
	@$(MAKE) --no-print-directory soak

check: $(VENV)/.dev $(SAM)/.ready web/node_modules/.ready ## Lint and type-check everything
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy layers/dayfly/dayfly emulator functions tests bench scripts examples
	$(VENV)/bin/lint-imports
	$(SAM)/sam validate --lint --template template.yaml
	$(PY) -m scripts.transform
	$(SAM)/cfn-lint .build/template.transformed.json
	cd web && npm run --silent check

build: $(SAM)/.ready ## Package for Lambda with `sam build`, without Docker; needs Python 3.13
	@scripts/find-python 3.13 >/dev/null
	$(SAM)/sam build --template template.yaml
	"$$(scripts/find-python 3.13)" -m scripts.check_build

bench: $(VENV)/.dev ## Measure, print a table and write bench/results/*.json
	@$(PY) -m bench

bench-gateway: $(VENV)/.dev ## Measure the emulator beside its peers (needs npm), and write the tables of the docs
	@$(PY) -m bench.gateway --docs

soak: $(VENV)/.dev ## Drive 1,000 connections for 10 minutes: is anything lost, does memory grow? [DURATION=600]
	@$(PY) -m bench.soak --duration $(DURATION) --connections $(CONNECTIONS)

faults: $(VENV)/.dev web/dist/index.html ## Kill processes and inject faults under 500 runs: what is lost, doubled, hanging? [RUNS=500]
	@$(PY) -m tests.live.campaign --runs $(or $(RUNS),500) $(if $(SEED),--seed $(SEED)) $(if $(DYNAMODB_LOCAL_JAR),--dynamodb-jar $(DYNAMODB_LOCAL_JAR))

simulate: $(VENV)/.dev ## Play the run protocol under random schedules [RUNS=100000], or tell one of them [SEED=123]
	@$(PY) -m tests.simulation $(if $(SEED),--seed $(SEED),--runs $(or $(RUNS),100000))

evals: $(VENV)/.dev ## Evaluate an agent by its cases [AGENT=assistant] [MODEL=openai:…] [CASES=FILE] [JUDGE=…] [THRESHOLD=1] [REPORT=FILE]
	@$(PY) -m scripts.evals $(AGENT) $(if $(CASES),--cases $(CASES)) $(if $(MODEL),--model $(MODEL)) $(if $(JUDGE),--judge $(JUDGE)) $(if $(THRESHOLD),--threshold $(THRESHOLD)) $(if $(REPORT),--report $(REPORT))

mutants: $(VENV)/.dev ## Change the code a little: what does no test find? [GROUP=router] [SINCE=main] [SECONDS=300]
	@$(PY) -m scripts.mutants $(GROUP) $(if $(SINCE),--since $(SINCE)) $(if $(MOST),--most $(MOST)) $(if $(SECONDS),--seconds $(SECONDS))

invoke: $(VENV)/.run ## Run one event: make invoke FUNCTION=RouterFunction EVENT=events/run.json
	@$(PY) -m emulator.invoke --template template.yaml --function $(FUNCTION) --event $(EVENT) --env DOTENV_FILE=$(CURDIR)/.env

docs: $(VENV)/.dev web/node_modules/.ready ## Write anew what follows from the protocol's models and from the emulator's facts
	@$(PY) -m scripts.protocol_docs
	@cd web && npm run --silent types
	@$(PY) -m scripts.fidelity_docs

format: $(VENV)/.dev ## Format the code
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

clean: ## Remove everything that was set up or built
	rm -rf $(VENV) .venv-sam .build .aws-sam web/node_modules web/dist .mypy_cache .ruff_cache .pytest_cache

$(VENV)/bin/python:
	@echo "· Python environment"
	@"$$(scripts/find-python)" -m venv $(VENV)

$(VENV)/.run: requirements/run.txt | $(VENV)/bin/python
	@echo "· Python packages to run"
	@$(PY) $(PIP) -r requirements/run.txt
	@touch $@

$(VENV)/.packages: requirements/dev.txt $(VENV)/.run
	@echo "· Python packages to test and check"
	@$(PY) $(PIP) -r requirements/dev.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.packages $(VENV)/.agents
	@touch $@

# What agents and tools import besides: one's own.
$(VENV)/.agents: $(wildcard functions/engine/requirements.txt) $(VENV)/.run
	@$(PY) -m scripts.engine_packages
	@touch $@

$(SAM)/.ready: requirements/sam.txt
	@echo "· SAM command line"
	@"$$(scripts/find-python)" -m venv .venv-sam
	@$(SAM)/python $(PIP) -r requirements/sam.txt
	@touch $@

web/node_modules/.ready: web/package-lock.json
	@echo "· Node packages"
	@cd web && npm ci --silent --no-audit --no-fund
	@touch $@

web/dist/index.html: web/node_modules/.ready $(WEB_SOURCES)
	@echo "· Chat page"
	@cd web && npm run --silent build
	@touch $@
