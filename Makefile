# Targets of widemerge. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh
# Every recipe runs with the Node that set-up found or brought.
run = PATH="$$(dirname "$$(scripts/find-node.sh)"):$$PATH"
tests = $(shell find test -name '*.test.ts' -not -path 'test/interop/*' -not -path 'test/cluster/*')

.PHONY: help setup demo demo-run demo-gcs test test-cluster image lint format bench interop clean
IMAGE ?= localhost/widemerge:dev

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

setup: ## bring a Node that fits (when there is none) and install the locked packages
	@scripts/setup.sh

demo: setup ## merge the 27 real FX pairs one after the other, under demo/
	@scripts/demo.sh

demo-run: setup ## the same 27 pairs at once, by `widemerge run-all`, with a report under demo/
	@scripts/demo-run.sh

demo-gcs: setup ## the same in a bucket: a Cloud Storage emulator on this machine (needs Go)
	@scripts/demo-gcs.sh

test: setup ## run the tests
	@$(run) node --no-warnings --test --test-reporter=spec --test-concurrency=2 $(tests)

test-cluster: setup ## run the Kubernetes tests on a real cluster on this machine (Linux, root, Go; see scripts/cluster.sh)
	@$(run) scripts/test-cluster.sh

image: setup ## build the container image with docker or podman, and test it (WIDEMERGE_BASE: another base)
	@$(run) scripts/image.sh build $(IMAGE)
	@$(run) env IMAGE=$(IMAGE) node --no-warnings --test --test-reporter=spec test/image/*.test.ts

lint: setup ## check formatting, style, types, dependency arrows and unused code
	@$(run) node_modules/.bin/biome check --error-on-warnings .
	@$(run) node_modules/.bin/tsc -p .
	@$(run) node_modules/.bin/depcruise --config .dependency-cruiser.json src
	@$(run) node_modules/.bin/knip

format: setup ## rewrite the sources in the project's format
	@$(run) node_modules/.bin/biome check --write .

bench: setup ## compare with cat, Polars, DuckDB, pyarrow on the same data: SIZE=small (2 GB) or full (14 GB)
	@$(run) scripts/bench.sh

interop: setup ## merge what other writers wrote, read what widemerge wrote: pyarrow, pandas, Polars, DuckDB, parquet-java
	@$(run) scripts/interop.sh

clean: ## remove what the demo, the benchmarks and the tests left
	rm -rf demo bench/work
