# What each target does: make help
SHELL := /bin/sh
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
installed := node_modules/.installed-lock.json
# Folders too, so that a removed file is noticed.
sources := $(shell find src ! -name '*.test.ts') package.json tsconfig.json scripts/build.ts
shell_scripts := $(shell find bin .ci scripts src test bench examples -name node_modules -prune -o -type f \( -name '*.sh' -o -path bin/nexus -o -path .ci/run \) -print 2>/dev/null)

.PHONY: help setup up down clean build build-all test test-unit test-integration test-e2e test-coverage \
	check types lint format-check dead-code structure shell bench soak chaos fuzz fuzz-wire fmt

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install everything a Debian or Ubuntu machine needs (root); quick when nothing is missing
	@scripts/setup.sh

up: setup dist/nexus ## Build, start the server, and make a first workspace from examples/
	@scripts/up.sh

down: ## Stop server, gateway and agent; workspaces stay
	@scripts/down.sh

clean: ## Remove everything of ours: workspaces, engine project, data, build
	@scripts/clean.sh

build: dist/nexus ## Compile dist/nexus for this machine, when the sources have changed

build-all: $(installed) ## Compile dist/nexus-PLATFORM for Linux and macOS, x64 and arm64
	@node scripts/build.ts --all

test: dist/nexus ## All suites, and the coverage floor (root and an engine; make setup)
	@node scripts/test.ts all --coverage

test-unit: $(installed) ## Unit tests (no root, no engine)
	@node scripts/test.ts unit

test-integration: $(installed) ## The real processes on the real engine
	@node scripts/test.ts integration

test-e2e: dist/nexus ## The compiled binary
	@node scripts/test.ts e2e

test-coverage: $(installed) ## Unit and integration tests with the coverage report (coverage/index.html)
	@node scripts/test.ts unit integration --coverage

check: types lint format-check dead-code structure shell ## Types, lint, format, dead code, layers, shell scripts

types: $(installed)
	@tsc --noEmit -p .

lint: $(installed)
	@oxlint --report-unused-disable-directives

format-check: $(installed)
	@oxfmt --check

dead-code: $(installed)
	@knip --no-progress

structure: $(installed)
	@node scripts/check-structure.ts

shell:
	@command -v shellcheck >/dev/null || { echo 'shellcheck is missing: make setup' >&2; exit 1; }
	@shellcheck $(shell_scripts)

fuzz: dist/nexus ## 100,000 requests made from the OpenAPI document (REQUESTS=n; again: SEED=n)
	@node test/fuzz/run.ts $(if $(SEED),--seed $(SEED)) $(if $(REQUESTS),--requests $(REQUESTS))

bench: dist/nexus ## Benchmarks beside the bare engine; ONLY=NAME for one of them
	@node bench/run.ts $(if $(ONLY),--only $(ONLY))

fuzz-wire: dist/nexus ## The control connection and the gateway under attack (CONNECTIONS=n; again: SEED=n)
	@node test/fuzz-wire/run.ts $(if $(SEED),--seed $(SEED)) $(if $(CONNECTIONS),--connections $(CONNECTIONS))

soak: dist/nexus ## A steady load with kills: make soak MINUTES=60 SEED=1 KILL_EVERY=180
	@node test/soak/run.ts --minutes $(or $(MINUTES),60) --seed $(or $(SEED),1) --kill-every $(or $(KILL_EVERY),180)

chaos: dist/nexus ## kill -9 at 120 seeded moments: make chaos SEED=1 KILLS=120
	@node test/chaos/run.ts $(if $(SEED),--seed $(SEED)) --kills $(or $(KILLS),120)

fmt: $(installed) ## Format the sources
	@oxfmt

$(installed): package-lock.json
	@scripts/install-deps.sh

dist/nexus: $(installed) $(sources)
	@node scripts/build.ts
