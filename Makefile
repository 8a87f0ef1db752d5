# `make help` lists the targets. Everything runs in .venv, which is made from requirements/*.lock.

PY := .venv/bin/python
RUFF := $(PY) -m ruff
CODE := krkn_grpc controller deploy docs examples tests proto requirements

# Go programs that `make check` needs, built once.
GENERATORS := protoc-gen-openapi protoc-gen-grpc-gateway protoc-gen-openapiv2 protoc-gen-go protoc-gen-go-grpc kustomize helm

.DEFAULT_GOAL := help
.SUFFIXES:

.PHONY: help
help: ## List these targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' Makefile

.PHONY: run
run: ## Run everything on this machine, until Ctrl-C (the first start builds for minutes)
	@requirements/install run
	@exec $(PY) -m deploy.local

.PHONY: demo
demo: ## With `make run` in another terminal: run a scenario on three clusters at once
	@requirements/install run
	@exec $(PY) -m examples.demo

.PHONY: load
load: ## With `make run` in another terminal: keep three clusters busy; ARGS=60 for a minute
	@requirements/install run
	@exec $(PY) -m examples.load $(ARGS)

# All tests run in so many processes (tests/support/side_by_side.py), some of them in one.
PROCESSES ?= 2
SIDE_BY_SIDE = --numprocesses $(PROCESSES) --max-worker-restart 0

.PHONY: test
test: build ## Run all tests, in two processes; ARGS="-k name" runs some of them, in one
	@$(PY) -m pytest $(or $(ARGS),$(SIDE_BY_SIDE))

.PHONY: faults
faults: build ## Run all faults and all ways of removal; make test runs a selection
	@KRKN_FAULTS=all $(PY) -m pytest tests/faults tests/integration/installation/test_uninstall.py $(ARGS)

.PHONY: fuzz
fuzz: build ## Fuzz the running service from its OpenAPI document and with hostile headers
	@KRKN_FUZZ_EXAMPLES=300 $(PY) -m pytest tests/rest/test_openapi.py tests/rest/edge/test_hostile_headers.py $(ARGS)

.PHONY: bench
bench: build ## Benchmark against a bare loop, for some minutes; ARGS="submit start" runs some
	@$(PY) -m tests.bench $(ARGS)

.PHONY: e2e
e2e: build ## Test the image, and scenarios on a temporary real node (root and apt; leaves nothing)
	@$(PY) -m deploy.local.node.possible
	@$(PY) -m deploy.local.node.build
	@$(PY) -m deploy.image build >/dev/null
	@$(PY) -m pytest --quiet tests/alone tests/image
	@$(PY) -m deploy.local.node.alone $(PY) -m pytest tests/node $(ARGS)

.PHONY: mesh
mesh: build ## Test what Istio's own programs make of our objects (they are built once, for some minutes)
	@$(PY) -m deploy.local.go.tools istioctl istio kustomize >/dev/null
	@$(PY) -m pytest --quiet tests/mesh $(ARGS)

.PHONY: image
image: ## Build dist/krkn-grpc.oci.tar and its SBOM (Debian's apt); ARGS="--arch arm64"
	@requirements/install dev
	@$(PY) -m deploy.image build $(ARGS)

.PHONY: page
page: ## Build the page into the cache, and print where it is
	@requirements/install run
	@$(PY) -m deploy.local.page build

.PHONY: check
check: ## Check format, lint, types, layers, protos, page, secrets, packages, Envoy configuration
	@requirements/install dev
	@$(PY) -m deploy.local.go.tools $(GENERATORS) >/dev/null
	@.ci/check

.PHONY: format
format: ## Format the code, and fix what the linter can fix
	@requirements/install dev
	@$(RUFF) check --quiet --fix-only $(CODE)
	@$(RUFF) format --quiet $(CODE)
	@$(PY) -m deploy.local.page format

.PHONY: proto
proto: ## Generate code, clients, Envoy's descriptors and OpenAPI from the protos
	@requirements/install dev
	@$(PY) proto/generate.py
	@$(PY) proto/openapi.py
	@$(PY) proto/clients.py
	@$(PY) -m deploy.local.page types

.PHONY: docs
docs: ## Generate docs/settings.md, tables of other pages, the PrometheusRule, the dashboard and the Helm chart
	@requirements/install dev
	@$(PY) -m docs.generate
	@$(PY) -m deploy.dashboard.generate
	@$(PY) -m deploy.helm.generate

.PHONY: picture
picture: ## Draw docs/pictures/dashboard.svg from the Prometheus of `make run`, during `make load`
	@requirements/install dev
	@$(PY) -m deploy.dashboard.picture $(ARGS)

.PHONY: chart
chart: ## Package the Helm chart into dist
	@requirements/install run
	@$(PY) -m deploy.helm.package

.PHONY: lock
lock: ## Lock the Python packages of pyproject.toml; ARGS=--upgrade for newer versions
	@requirements/install dev
	@$(PY) requirements/lock.py $(ARGS)

.PHONY: audit
audit: ## Check locked packages for known vulnerabilities; ARGS="-s osv --osv-url URL"
	@requirements/install dev
	@$(PY) requirements/audit.py $(ARGS)

.PHONY: build
build: ## Build the local control plane, once; make run and make test do it too
	@requirements/install dev
	@$(PY) -m deploy.local.go.build

.PHONY: grpcurl
grpcurl: .venv/bin/grpcurl ## Build grpcurl into .venv/bin, for the examples
	@:

.venv/bin/grpcurl: deploy/local/go/toolset/go.mod
	@requirements/install run
	@tool=$$($(PY) -m deploy.local.go.tools grpcurl) && ln -sf "$$tool" $@

.PHONY: clean
clean: ## Remove .venv and the tools' caches
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .local .e2e
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
