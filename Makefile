# `make` lists the targets. All targets work in a fresh clone, as root and as an ordinary user.
# .ci/pg-bin finds PostgreSQL, or installs or downloads it.

SHELL   := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# Without cgo the program is static, like that of a release, and needs no C compiler.
GOBUILD := CGO_ENABLED=0 go build -trimpath -ldflags '-X main.version=$(VERSION)'
# The timeout ends tests that hang. On a slow and busy machine some packages take minutes.
GOTEST  := go test -timeout 25m -count=1
# PG=17 uses that major version. The tests read TEST_PG_BIN_DIR; the demo and the bench search PATH.
PGBIN    = dir=$$(.ci/pg-bin $(PG)) && export TEST_PG_BIN_DIR="$$dir" PATH="$$dir:$$PATH"
# .ci/pgbouncer installs PgBouncer if it can. With FASTGREST_PGBOUNCER its tests are not skipped.
POOLER   = pooler=$$(.ci/pgbouncer) && { [ -z "$$pooler" ] || export FASTGREST_PGBOUNCER=$$pooler; }
FUZZTIME ?= 10s
# Without PKG the targets below run in all modules. The bench, the browser tests, the simulation and the
# program that builds releases are modules, so that their dependencies stay out of the server's.
MODULES  := . bench cmd/release server/simtest server/uitest
PKG      ?=
EACH     = for module in $(if $(PKG),.,$(MODULES)); do (cd $$module && set -x && $(1) $(or $(PKG),$(PKGS))) || exit 1; done
# The packages whose tests take longest begin first, so that no processor is idle in the end.
PKGS     = $$([ ! -d server/faulttest ] || echo ./server ./server/faulttest) ./...

.DEFAULT_GOAL := help
.PHONY: help run build test race major spec alloc ui fuzz bench profile chaos soak big sim mutants release reproducible lint ci clean

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

race: MODULES := .
# The packages left out start no goroutines, or their tests run the program, or they have other processes fail, which needs
# time and not the detector.
race: PKGS = $$(go list ./... | grep -Ev '/fastgrest/(cmd/.*|parser.*|planner/.*|pgwire/(rowjson|pg.*)|server/(openapi|clustertest|faulttest))$$')
race: ## the tests with the race detector; those that repeat themselves run for a shorter time
	@$(PGBIN) && $(POOLER) && $(call EACH,$(GOTEST) -race -short)

# Packages whose tests depend on PostgreSQL's version. An empty MAJOR skips them.
MAJOR     ?= 18
MAJORPKGS := ./planner/catalog ./pgwire ./server/spectest
MAJORCLUSTER := 'Nodes|Bookmarks|Replica|Failover|Fenced|Recovery|OldConnections'
major: ## the tests that depend on PostgreSQL's version, against MAJOR=18
	@[ -z "$(MAJOR)" ] || { dir=$$(.ci/pg-bin $(MAJOR)) && export TEST_PG_BIN_DIR=$$dir && $(POOLER) && set -x && $(GOTEST) -short $(MAJORPKGS) && $(GOTEST) -run $(MAJORCLUSTER) ./server/clustertest; }

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
			go -C $$(dirname $$file) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) . || exit 1; \
		done; \
	done

bench: build ## requests/s, latency and CPU per request, compared with PostgreSQL alone (MIX=low, PEER=postgrest, ARGS= adds flags)
	@$(PGBIN) && go -C bench build -o out/bench . && bench/out/bench $(if $(PEER),--peer '$(PEER)') $(if $(MIX),--mix '$(MIX)') $(ARGS)

profile: build ## CPU, heap, mutex and block profiles of the server for one mix (MIX=row), into bench/out
	@$(PGBIN) && go -C bench build -o out/bench . && bench/out/bench --profile --mix $(or $(MIX),row) $(ARGS)

chaos: ## 64 clients while PostgreSQL is killed every second for CHAOS_TIME=60s
	@$(PGBIN) && export CHAOS_TIME=$${CHAOS_TIME:-60s} && set -x && $(GOTEST) -v -run Chaos ./server/clustertest

soak: ## a mixed load with faults for SOAK_TIME=30m: memory, goroutines, descriptors and connections must not grow (SOAK_RATE=200 requests a second)
	@$(PGBIN) && export SOAK_TIME=$${SOAK_TIME:-30m} && set -x && go test -timeout 0 -count=1 -v -run Soak ./server/faulttest

big: ## reloads of a schema with BIG=10000 tables, views and functions: time, memory, slowest request (takes minutes)
	@$(PGBIN) && set -x && go test -timeout 60m -count=1 -v -run BigSchema ./server/clustertest -big $(or $(BIG),10000)

sim: ## SEEDS=1000000 seeds of the simulation, from FROM=0 on (an hour or two; SEED=5 runs one and prints what happens)
	cd server/simtest && $(if $(SEED),go test -count=1 -v -run TestSeed -seed $(SEED),go test -timeout 0 -count=1 -v -run TestSim -seeds $(or $(SEEDS),1000000) -from $(or $(FROM),0))

mutants: ## plant each fault of server/simtest/testdata/mutants and search for it HUNT=3 times (MUTANT=name for one)
	cd server/simtest && go test -timeout 0 -count=1 -v -run TestMutants -hunt $(or $(HUNT),3) $(if $(MUTANT),-mutant $(MUTANT))

release: ## archives, packages, checksums and SBOMs for all platforms, into dist (VERSION=v0.9.0; the default is git describe)
	cd cmd/release && go run . -version '$(VERSION)' -out $(CURDIR)/dist $(ARGS)

reproducible: ## build two clones in two folders and compare the bytes
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && for at in one another/and/deeper; do \
		git clone -q . "$$dir/$$at" && (cd "$$dir/$$at" && $(GOBUILD) -a -o fastgrest ./cmd/fastgrest && sha256sum fastgrest); \
	done | tee "$$dir/sums" && [ "$$(sort -u "$$dir/sums" | wc -l)" = 1 ]

lint: ## gofmt, go vet, the rules on imports and package comments, and the form of the manual
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$unformatted" ]; then echo "gofmt -w $$unformatted"; exit 1; fi
	@$(call EACH,go vet)
	go test -count=1 -run 'Arch|Contents|Links|ManualFlags' ./server ./cmd/fastgrest/manual ./cmd/fastgrest/compare

# The tests run the seeds of the fuzz targets.
ci: lint build test race major ## exactly what CI runs

clean: ## remove the files that the other targets made
	rm -rf fastgrest bench/out dist .demo .artifacts
	go clean -testcache
