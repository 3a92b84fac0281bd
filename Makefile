# One entry for the developer. A fresh machine needs Python 3.11, make and git.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
CHECKOV := .venv-checkov
.DEFAULT_GOAL := help
.PHONY: help setup lab test lint format compliance requirements docs clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.ready ## Make the environment (about half a minute)

$(VENV)/.ready: requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q -j 0 $(VENV)/lib
	@touch $@

lab: setup ## Run the main job on an AWS account on this machine
	$(BIN)/cordon lab run

test: setup $(CHECKOV)/.ready ## Run every test
	$(BIN)/pytest

lint: setup ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup ## Put the code in form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(CHECKOV)/.ready: requirements/checkov.txt
	$(PYTHON) -m venv $(CHECKOV)
	$(CHECKOV)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements/checkov.txt
	$(CHECKOV)/bin/python -m compileall -q -j 0 $(CHECKOV)/lib
	@touch $@

compliance: setup $(CHECKOV)/.ready ## Judge the Pulumi program with Checkov and our own policies
	$(BIN)/python -m lab.record build/registrations.json
	$(BIN)/python -m policies.gate --recording build/registrations.json

PIN := uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header
requirements: ## Pin the dependencies again, with hashes (needs uv)
	$(PIN) pyproject.toml -o requirements/responders.txt
	$(PIN) pyproject.toml --extra dev -c requirements/responders.txt -o requirements/dev.txt
	$(PIN) requirements/checkov.in -o requirements/checkov.txt

docs: setup ## Write the generated pages again
	$(BIN)/python -m responders.permissions_page docs/permissions.md

clean: ## Remove what set-up made
	rm -rf $(VENV) $(CHECKOV) .mypy_cache .ruff_cache .pytest_cache
