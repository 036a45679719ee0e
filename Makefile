# `make` lists the targets. All targets work in a fresh clone, as root and as an ordinary user.
# .ci/pg-bin finds PostgreSQL, or installs or downloads it.

SHELL   := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GOBUILD := go build -trimpath -ldflags '-X main.version=$(VERSION)'
# The timeout ends tests that hang. On a slow and busy machine some packages take minutes.
GOTEST  := go test -timeout 25m -count=1
# PG=17 uses that major version. The tests read TEST_PG_BIN_DIR; the demo and the bench search PATH.
PGBIN    = dir=$$(.ci/pg-bin $(PG)) && export TEST_PG_BIN_DIR="$$dir" PATH="$$dir:$$PATH"
# .ci/pgbouncer installs PgBouncer if it can. With FASTGREST_PGBOUNCER its tests are not skipped.
POOLER   = pooler=$$(.ci/pgbouncer) && { [ -z "$$pooler" ] || export FASTGREST_PGBOUNCER=$$pooler; }
FUZZTIME ?= 10s
# One input of these targets is a sequence of requests and takes seconds.
SLOWFUZZ     := FuzzDDL
SLOWFUZZTIME ?= $(FUZZTIME)
# Without PKG the targets below run in all modules. The bench and the browser tests are modules, so
# that their dependencies stay out of the server's.
MODULES  := . bench server/uitest
PKG      ?=
EACH     = for module in $(if $(PKG),.,$(MODULES)); do (cd $$module && set -x && $(1) $(or $(PKG),./...)) || exit 1; done

.DEFAULT_GOAL := help
.PHONY: help run build test race major spec alloc ui fuzz bench profile chaos soak big reproducible lint ci clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## the demo: a private PostgreSQL with data, the API on :3000 (ARGS= adds flags)
	@.ci/pg-bin $(PG) >/dev/null
	@echo "Compiling fastgrest. The first time this takes a minute or two."
	@echo "ARGS= adds flags, as in: make run ARGS='--server-port 3100 --admin-server-port 3101'"
	@$(MAKE) --no-print-directory build
	@$(PGBIN) && exec ./fastgrest --demo $(ARGS)

build: ## build ./fastgrest
	$(GOBUILD) -o fastgrest ./cmd/fastgrest

test: ## all tests against a real PostgreSQL (PG=17 selects its version, PKG= the packages)
	@$(PGBIN) && $(POOLER) && $(call EACH,$(GOTEST))

race: ## all tests with the race detector
	@$(PGBIN) && $(POOLER) && $(call EACH,$(GOTEST) -race)

# Packages whose tests depend on PostgreSQL's version. An empty MAJOR skips them.
MAJOR     ?= 18
MAJORPKGS := ./planner/catalog ./pgwire/... ./server/spectest ./server/clustertest
major: ## the tests that depend on PostgreSQL's version, against MAJOR=18
	@[ -z "$(MAJOR)" ] || { dir=$$(.ci/pg-bin $(MAJOR)) && export TEST_PG_BIN_DIR=$$dir && $(POOLER) && set -x && $(GOTEST) $(MAJORPKGS); }

spec: ## the black-box tests of the HTTP API only
	@$(PGBIN) && set -x && $(GOTEST) ./server/spectest

alloc: ## the tests that count allocations on the hot path
	@$(PGBIN) && set -x && $(GOTEST) -run 'Alloc' -v $(or $(PKG),./...) | grep -E '^(---|ok|FAIL)' | grep -v 'no tests to run'

ui: ## the demo in headless Chromium: OpenAPI document and admin page; screenshots into .artifacts
	@$(PGBIN) && export FASTGREST_UI_TEST=1 FASTGREST_ARTIFACTS=$${FASTGREST_ARTIFACTS:-$(CURDIR)/.artifacts} && set -x && cd server/uitest && $(GOTEST) -v .

fuzz: ## each fuzz target for FUZZTIME=10s
	@$(PGBIN) && for file in $$(grep -rl --include='*_test.go' '^func Fuzz' .); do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\).*/\1/p' $$file); do \
			echo "$$(dirname $$file) $$target"; \
			time=$(FUZZTIME); case $$target in $(SLOWFUZZ)) time=$(SLOWFUZZTIME) ;; esac; \
			go -C $$(dirname $$file) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $$time . || exit 1; \
		done; \
	done

bench: build ## requests/s, latency and CPU per request, compared with PostgreSQL alone (ARGS= adds flags)
	@$(PGBIN) && go -C bench build -o out/bench . && bench/out/bench $(ARGS)

profile: build ## CPU, heap, mutex and block profiles of the server for one mix (MIX=row), into bench/out
	@$(PGBIN) && go -C bench build -o out/bench . && bench/out/bench --profile --mix $(or $(MIX),row) $(ARGS)

chaos: ## 64 clients while PostgreSQL is killed every second for CHAOS_TIME=60s
	@$(PGBIN) && export CHAOS_TIME=$${CHAOS_TIME:-60s} && set -x && $(GOTEST) -v -run Chaos ./server/clustertest

soak: ## a mixed load with faults for SOAK_TIME=30m: memory, goroutines, descriptors and connections must not grow (SOAK_RATE=200 requests a second)
	@$(PGBIN) && export SOAK_TIME=$${SOAK_TIME:-30m} && set -x && go test -timeout 0 -count=1 -v -run Soak ./server/faulttest

big: ## reloads of a schema with BIG=10000 tables, views and functions: time, memory, slowest request (takes minutes)
	@$(PGBIN) && set -x && go test -timeout 60m -count=1 -v -run BigSchema ./server/clustertest -big $(or $(BIG),10000)

reproducible: ## build two clones in two folders and compare the bytes
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && for at in one another/and/deeper; do \
		git clone -q . "$$dir/$$at" && (cd "$$dir/$$at" && go build -a -trimpath -ldflags '-X main.version=$(VERSION)' -o fastgrest ./cmd/fastgrest && sha256sum fastgrest); \
	done | tee "$$dir/sums" && [ "$$(sort -u "$$dir/sums" | wc -l)" = 1 ]

lint: ## gofmt, go vet, and the rules on imports and package comments
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$unformatted" ]; then echo "gofmt -w $$unformatted"; exit 1; fi
	@$(call EACH,go vet)
	go test -count=1 -run 'Arch' ./server

ci: export SOAK_TIME ?= 1m
ci: lint build test race major fuzz-seeds ## exactly what CI runs

# The tests run the seeds. This target also lets each fuzzer generate a few inputs.
.PHONY: fuzz-seeds
fuzz-seeds:
	@$(MAKE) --no-print-directory fuzz FUZZTIME=200x SLOWFUZZTIME=3x

clean: ## remove the files that the other targets made
	rm -rf fastgrest bench/out .demo .artifacts
	go clean -testcache
