# One entry for the developer. A fresh machine needs Python 3.11, make and git.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
CHECKOV := .venv-checkov
RELEASE := .venv-release
.DEFAULT_GOAL := help
.PHONY: bench-hunt help setup lab test torture reliability lint format compliance requirements docs dist audit pulumi-lab clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

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
	$(BIN)/pytest -n 2 --dist loadfile

torture: setup ## Run the matrices whole: every command under every fault
	$(BIN)/pytest -m torture

reliability: setup ## Run what docs/reliability.md names, whole, and write its figures
	$(BIN)/python -m benchmarks.reliability docs/reliability.md

lint: setup ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench-hunt: setup ## Measure a hunt: rate, memory, and what bounds it (some two minutes)
	$(BIN)/python -m benchmarks.trail
	$(BIN)/python -m benchmarks.hunt --events 100000

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
	$(BIN)/python -m policies.gate --recording build/registrations.json --checks policies/checks.txt
	$(BIN)/python -m lab.documents build/policies.json
	$(BIN)/python -m policies.judge build/policies.json

PIN := uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header
requirements: ## Pin the dependencies again, with hashes (needs uv)
	$(PIN) pyproject.toml -o requirements/responders.txt
	$(PIN) pyproject.toml --extra dev -c requirements/responders.txt -o requirements/dev.txt
	$(PIN) pyproject.toml --extra prepare -c requirements/dev.txt -o requirements/prepare.txt
	$(PIN) requirements/checkov.in -o requirements/checkov.txt
	$(PIN) requirements/release.in -o requirements/release.txt

docs: setup ## Write the generated pages again
	$(BIN)/python -m responders.permissions_page docs/permissions.md
	$(BIN)/python -m lab.guardrails_page docs/guardrails.md

$(RELEASE)/.ready: requirements/release.txt
	$(PYTHON) -m venv $(RELEASE)
	$(RELEASE)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/release.txt
	@touch $@

# The time of the last commit stands for the time of the build, so that two builds of one commit are
# the same to the byte.
dist: $(RELEASE)/.ready ## Build wheel, sdist and the bill of materials, the same to the byte each time
	rm -rf dist
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(RELEASE)/bin/python -m build --no-isolation --outdir dist .
	$(RELEASE)/bin/python -m twine check --strict dist/*
	$(RELEASE)/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --output-format JSON --output-file dist/aws-cordon.cdx.json requirements/responders.txt
	cd dist && sha256sum * > SHA256SUMS && cat SHA256SUMS

audit: $(RELEASE)/.ready ## Look the pinned dependencies up in the advisory database (AUDIT=--strict: all of them)
	$(RELEASE)/bin/python .ci/audit.py $(AUDIT)

pulumi-lab: setup ## Lead the program through its life on Pulumi's own engine, in the lab (needs the pulumi CLI)
	$(BIN)/python -m lab.cli_life $(PULUMI_LAB)

clean: ## Remove what set-up made
	rm -rf $(VENV) $(CHECKOV) $(RELEASE) .mypy_cache .ruff_cache .pytest_cache
