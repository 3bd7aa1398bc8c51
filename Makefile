# Targets of widemerge. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh
# Every recipe runs with the Node that set-up found or brought.
run = PATH="$$(dirname "$$(scripts/find-node.sh)"):$$PATH"

.PHONY: help setup demo demo-run demo-gcs test test-cluster image test-image package test-package test-terraform lint format bench interop clean deploy run-all status report destroy
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
	@scripts/test.sh

test-cluster: setup ## run the Kubernetes tests on a real cluster on this machine (Linux, root, Go; see scripts/cluster.sh)
	@$(run) scripts/test-cluster.sh

image: setup ## build the container image with docker or podman (WIDEMERGE_BASE: another base)
	@$(run) scripts/image.sh build $(IMAGE)

test-image: setup ## build the image, on a base made here where none can be pulled, and test it (docker or podman)
	@$(run) env IMAGE=$(IMAGE) scripts/test-image.sh

package: setup ## pack the npm package, widemerge-<version>.tgz
	@$(run) npm pack

test-package: setup ## pack the npm package and test it as it is installed, under the oldest Node that it supports (needs npm's registry)
	@scripts/test.sh test/package/*.test.ts

test-terraform: ## check the Terraform module: format, schema, tests, policy scan (scripts/terraform.sh install installs what it needs)
	@scripts/terraform.sh check || [ $$? -eq 3 ]

lint: setup ## check formatting, style, types, allowed imports, unused code and shell scripts
	@$(run) scripts/lint.sh

format: setup ## rewrite the sources in the project's format
	@$(run) node_modules/.bin/biome check --write .

bench: setup ## compare with cat, Polars, DuckDB, pyarrow on the same data: SIZE=small (2 GB) or full (14 GB)
	@$(run) scripts/bench.sh

interop: setup ## merge what other writers wrote, read what widemerge wrote: pyarrow, pandas, Polars, DuckDB, parquet-java
	@$(run) scripts/interop.sh

clean: ## remove what the demo, the benchmarks and the tests left
	rm -rf demo bench/work reports k8s/dry-run dist widemerge-*.tgz

deploy: setup ## make what Google Cloud needs for runs: PROJECT=… BACKENDS=kubernetes,cloudrun (DRY_RUN=1: only say it)
	@$(run) scripts/cloud/deploy.sh

run-all: setup ## merge all pairs there and fetch the report: BACKEND=kubernetes, cloudrun or local, PAIRS=a,b SPOT=1
	@$(run) scripts/cloud/run-all.sh

status: setup ## where every pair of a run stands: RUN=… (none: the newest) WATCH=1
	@$(run) scripts/cloud/status.sh

report: setup ## fetch and open the report of a run: RUN=… (none: the newest)
	@$(run) scripts/cloud/report.sh

destroy: setup ## take back what deploy made; the bucket stays, unless DELETE_DATA=1 (DRY_RUN=1: only say it)
	@$(run) scripts/cloud/destroy.sh
