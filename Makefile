# The targets of widemerge; `make` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh
# Recipes run with the Node that the set-up found or installed.
run = PATH="$$(dirname "$$(scripts/find-node.sh)"):$$PATH"

.PHONY: help setup demo demo-run demo-gcs test fuzz simulate test-cluster image test-image package test-package test-terraform lint format bench interop clean deploy run-all status report destroy
IMAGE ?= localhost/widemerge:dev

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

setup: ## install a new enough Node, if there is none, and the locked packages
	@scripts/setup.sh

demo: setup ## merge 27 FX pairs made from real rates, one after the other, in demo/
	@scripts/demo.sh

demo-run: setup ## merge the same 27 pairs with `widemerge run-all`, several at a time, with a report in demo/
	@scripts/demo-run.sh

demo-gcs: setup ## merge them in a bucket of a Cloud Storage server on this machine (needs Go)
	@scripts/demo-gcs.sh

test: setup ## run the tests
	@scripts/test.sh

simulate: setup ## simulate many runs with failures of every kind: SEEDS=50000 of them, or one SEED again
	@$(run) node --no-warnings scripts/simulate.ts

fuzz: setup ## read mutated files and documents for longer than the tests do: SECONDS=300 for each target, SEED=n repeats one
	@WIDEMERGE_FUZZ_SECONDS=$(or $(SECONDS),300) WIDEMERGE_FUZZ_SEED=$(or $(SEED),$$(date +%s)) TEST_TIMEOUT=86400000 scripts/test.sh test/fuzz/*.test.ts

test-cluster: setup ## run the Kubernetes tests on a real cluster on this machine (Linux, root, Go; scripts/cluster.sh)
	@$(run) scripts/test-cluster.sh

image: setup ## build the container image with docker or podman (WIDEMERGE_BASE: another base image)
	@$(run) scripts/image.sh build $(IMAGE)

test-image: setup ## build the image and test it (docker or podman)
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

bench: setup ## compare with cat, Polars, DuckDB and pyarrow on the same data: SIZE=small (2 GB) or full (14 GB)
	@$(run) scripts/bench.sh

interop: setup ## merge files of pyarrow, pandas, Polars, DuckDB and parquet-java, and let them read the outputs
	@$(run) scripts/interop.sh

clean: ## remove the files of the demos, the benchmarks and the tests
	rm -rf demo bench/work reports k8s/dry-run dist widemerge-*.tgz

deploy: setup ## create what runs on Google Cloud need: PROJECT=… BACKENDS=kubernetes,cloudrun (DRY_RUN=1: only show it)
	@$(run) scripts/cloud/deploy.sh

run-all: setup ## merge all pairs and fetch the report: BACKEND=kubernetes, cloudrun or local, PAIRS=a,b SPOT=1
	@$(run) scripts/cloud/run-all.sh

status: setup ## show the state of every pair of a run: RUN=… (default: the newest) WATCH=1
	@$(run) scripts/cloud/status.sh

report: setup ## fetch and open the report of a run: RUN=… (default: the newest)
	@$(run) scripts/cloud/report.sh

destroy: setup ## delete what deploy created; the bucket stays, unless DELETE_DATA=1 (DRY_RUN=1: only show it)
	@$(run) scripts/cloud/destroy.sh
