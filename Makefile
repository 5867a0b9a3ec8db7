# Two commands: `make preview` runs the main job, `make test` proves it. Each installs what it needs, once.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= $(shell command -v python3.11 || command -v python3)
STACK  ?= dev
WORKERS ?= 2
VENV   := .venv
RUN    := $(VENV)/bin/python
STAMP  := $(VENV)/.installed-$(shell sha256sum requirements.txt | cut -c1-16)

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile

$(STAMP): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info[:2] == (3, 11) else "Python 3.11 is needed, $(PYTHON) is " + sys.version.split()[0] + ": install it, or call make PYTHON=/path/to/python3.11")'
	@echo "installing the locked Python packages into $(VENV) (about 2 minutes, once)"
	@$(PYTHON) -m venv $(VENV)
	@PIP_DISABLE_PIP_VERSION_CHECK=1 $(RUN) -m pip install --quiet --require-hashes -r requirements.txt
	@touch $@

install: $(STAMP) ## the Python packages, locked by hash

engine: ## the Pulumi engine and our Python language host, built once (about 5 minutes)
	@$(PYTHON) -m toolchain.engine build

cluster: ## a Kubernetes control plane for tests, built once (about 8 minutes)
	@$(PYTHON) -m toolchain.cluster build

actionlint: ## the linter of the workflows, built once (under a minute)
	@$(PYTHON) -m toolchain.actionlint

registry: ## a registry of images for tests, built once (under a minute)
	@$(PYTHON) -m toolchain.registry

gator: ## Gatekeeper's judge of templates, built once (about 4 minutes of CPU)
	@$(PYTHON) -m toolchain.gator

prometheus: ## Prometheus, its rule checker and the operator's generator, built once (about 4 minutes of CPU)
	@$(PYTHON) -m toolchain.prometheus

preview: install engine ## preview a stack on the real engine with stand-in clouds (STACK=dev)
	@$(RUN) -m automation preview $(STACK) --offline

rehearse: install engine ## preview, up, up again, refresh, destroy, all offline (STACK=dev)
	@$(RUN) -m automation rehearse $(STACK)

test: install engine cluster actionlint gator prometheus registry ## all tests
	@$(RUN) -m pytest --numprocesses $(WORKERS) --dist loadfile $(PYTEST)

test-quick: install ## the tests that need neither the engine nor a control plane
	@$(RUN) -m pytest -m "not engine and not cluster and not slow" $(PYTEST)

check: install ## formatting, lint, types, imports
	@$(RUN) -m ruff format --check .
	@$(RUN) -m ruff check .
	@$(RUN) -m mypy
	@$(VENV)/bin/lint-imports

bench: install engine ## the figures of docs/performance.md, as a table and as bench/latest.json
	@$(RUN) -m bench.latest

bench-law: install engine cluster gator ## the figures of the law, as a table and as bench/law.json
	@$(RUN) -W ignore -m bench.law_figures

bench-sizing: install ## the figures S1 to S14 of the sizing, as a table and as bench/sizing.json
	@$(RUN) -m bench.sizing

bench-pipeline: install ## the figures D1 to D5 of the delivery, as a table and as bench/pipeline.json
	@$(RUN) -m bench.pipeline

story: install engine ## a change from its branch to a verified deployment, and what must not get there; build/story
	@$(RUN) -m automation story --out build/story

admission: install ## config/admission: the law's rules for the doors of clusters, after a rule has changed
	@$(RUN) -m automation law render --door gatekeeper --out config/admission
	@$(RUN) -m automation law render --door cel --out config/admission

inventory: install ## docs/inventory: the services of each stack, with versions, ports and a picture
	@$(RUN) -m components.kubernetes.inventory

lock: ## compile requirements.in into the hashed requirements.txt
	@uv pip compile --quiet --generate-hashes --python-version 3.11 requirements.in -o requirements.txt

.PHONY: help install engine cluster actionlint gator prometheus registry preview rehearse test test-quick check bench bench-law bench-pipeline story inventory admission lock
