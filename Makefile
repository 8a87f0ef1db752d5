# What there is to do: `make help`. Everything runs in .venv, which is made from requirements/*.lock.

PY := .venv/bin/python
RUFF := $(PY) -m ruff
CODE := krkn_grpc controller deploy envoy docs examples tests proto requirements

# The Go programs that `make check` needs, built once.
GENERATORS := protoc-gen-openapi protoc-gen-grpc-gateway protoc-gen-openapiv2

.DEFAULT_GOAL := help
.SUFFIXES:

.PHONY: help
help: ## List what there is to do
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' Makefile

.PHONY: run
run: ## Start everything on this machine, until Ctrl-C (the first start builds for some minutes)
	@requirements/install run
	@exec $(PY) -m deploy.local

.PHONY: demo
demo: ## With `make run` in another terminal: run a scenario on three clusters at once
	@requirements/install run
	@exec $(PY) -m examples.demo

.PHONY: test
test: build ## Run all tests; ARGS="-k name" runs some of them
	@$(PY) -m pytest $(ARGS)

.PHONY: faults
faults: build ## Let every call fail and everything die in every way; make test does a selection
	@KRKN_FAULTS=all $(PY) -m pytest tests/faults $(ARGS)

.PHONY: fuzz
fuzz: build ## Ask the service, for some minutes, whatever its OpenAPI document lets one think of
	@KRKN_FUZZ_EXAMPLES=300 $(PY) -m pytest tests/rest/test_openapi.py $(ARGS)

.PHONY: bench
bench: build ## Measure against a bare loop, for some minutes; ARGS="submit start" measures some
	@$(PY) -m tests.bench $(ARGS)

.PHONY: e2e
e2e: build ## Run scenarios in real containers, on a node of its own (root and apt; leaves nothing)
	@$(PY) -m deploy.local.node.possible
	@$(PY) -m deploy.local.node.build
	@$(PY) -m pytest --quiet tests/alone
	@$(PY) -m deploy.local.node.alone $(PY) -m pytest tests/node $(ARGS)

.PHONY: check
check: ## Check format, lint, types, layers, protos, secrets, packages and Envoy's configuration
	@requirements/install dev
	@$(PY) -m deploy.local.go_tools $(GENERATORS) >/dev/null
	@.ci/check

.PHONY: format
format: ## Format the code, and fix what the linter can fix
	@requirements/install dev
	@$(RUFF) check --quiet --fix-only $(CODE)
	@$(RUFF) format --quiet $(CODE)

.PHONY: proto
proto: ## Generate what comes from the protos: code, Envoy's descriptors, the OpenAPI document
	@requirements/install dev
	@$(PY) proto/generate.py
	@$(PY) proto/openapi.py

.PHONY: docs
docs: ## Write docs/settings.md from what the settings say of themselves
	@requirements/install dev
	@$(PY) -m docs.generate

.PHONY: lock
lock: ## Make the locks of the Python packages from pyproject.toml; ARGS=--upgrade for newer ones
	@requirements/install dev
	@$(PY) requirements/lock.py $(ARGS)

.PHONY: audit
audit: ## Ask PyPI for known faults of the locked packages; ARGS="-s osv --osv-url URL" asks another
	@requirements/install dev
	@$(PY) requirements/audit.py $(ARGS)

.PHONY: build
build: ## Build the local control plane, once; `make run` and `make test` do it too
	@requirements/install dev
	@$(PY) -m deploy.local.build

.PHONY: grpcurl
grpcurl: .venv/bin/grpcurl ## Build grpcurl into .venv/bin, to try the examples with
	@:

.venv/bin/grpcurl: deploy/local/tools/go.mod
	@requirements/install run
	@tool=$$($(PY) -m deploy.local.go_tools grpcurl) && ln -sf "$$tool" $@

.PHONY: clean
clean: ## Remove what was made here: .venv and the tools' caches
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .local .e2e
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
