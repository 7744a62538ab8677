.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

# The project's own Node comes with its packages; the system's only needs to run npm. EBADENGINE warnings are about that older Node.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
export ONNXRUNTIME_NODE_INSTALL := skip
export NO_UPDATE_NOTIFIER := 1

##@ Use

help: ## List every target
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: node_modules/.package-lock.json ## Install the packages and build (the other targets do it by themselves)

node_modules/.package-lock.json: package.json package-lock.json
	@echo "Installing packages (once, about half a minute) ..."
	@npm ci --loglevel=error

demo: install ## See a model go from zero to several replicas and back, in a minute
	@node scripts/build.ts
	@node demo/main.ts

##@ Install

REGISTRY ?= localhost
TAG ?= dev

images: install ## Build $(REGISTRY)/pilotlight-operator:$(TAG) and $(REGISTRY)/pilotlight-runtime:$(TAG) with docker or buildah
	@node scripts/build.ts
	@REGISTRY=$(REGISTRY) TAG=$(TAG) scripts/images/build.sh operator runtime

cuda-image: install ## Build $(REGISTRY)/pilotlight-runtime:$(TAG)-cuda, for NVIDIA GPUs (linux/amd64, needs the network)
	@node scripts/build.ts
	@REGISTRY=$(REGISTRY) TAG=$(TAG) scripts/images/build.sh cuda

deploy: ## Install or upgrade the chart with these images in the cluster of $KUBECONFIG, namespace pilotlight-system, and wait
	@test -n "$${KUBECONFIG:-}" || { echo "Set KUBECONFIG to the kubeconfig of the cluster to install into, for example: kind get kubeconfig >/tmp/kind.yaml && KUBECONFIG=/tmp/kind.yaml make deploy" >&2; exit 2; }
	@command -v helm >/dev/null || { echo "Helm 3.17 or later is needed to install the chart: https://helm.sh/docs/intro/install" >&2; exit 2; }
	@# --take-ownership: make conformance may have installed the CRDs before.
	@helm upgrade --install pilotlight charts/pilotlight --namespace pilotlight-system --create-namespace --take-ownership \
	  --set-string image.registry=$(REGISTRY) --set-string image.tag=$(TAG) --wait --timeout 3m

##@ Develop

format: install ## Rewrite every file in the project's format
	@prettier --write --log-level=warn .

generate: install ## Make the generated files anew
	@node scripts/generate.ts

verify: install ## Check format, lint, types and that generated files are up to date
	@prettier --check --log-level=warn .
	@eslint .
	@tsc --noEmit
	@node scripts/generate.ts --check

test: install ## Run every test that needs no cluster
	@node scripts/build.ts
	@npm test --silent

bench: install ## Print figures of docs/reference/performance.md: cold start, gateway, operator (about 10 minutes)
	@node scripts/build.ts
	@node e2e/bench/cold-start.ts
	@node e2e/bench/gateway.ts
	@node e2e/bench/gateway-functions.ts
	@node e2e/bench/gateway-traffic.ts
	@node e2e/bench/operator-memory.ts
	@node e2e/bench/autoscaler-loop.ts
	@echo "The runtime's: make bench-runtime bench-memory. Those that need a cluster: make bench-cluster bench-serving, with Pilotlight installed in the one of \$$KUBECONFIG"

bench-runtime: install ## Print the runtime's figures beside the bare library and the usual Python servers (about 14 minutes; PARTS=overhead,delivery: some parts)
	@node scripts/build.ts
	@node e2e/bench/runtime/main.ts $(PARTS)

bench-memory: install ## Print the runtime's memory over a million requests, 200 thousand bad ones and 20 reloads (about 5 minutes; PARTS=requests or reloads)
	@node scripts/build.ts
	@node e2e/bench/memory/main.ts $(PARTS)

fuzz: install ## Send a million hostile requests to running servers by HTTP and gRPC (about 15 minutes); SEED=7 FROM=0 COUNT=1000: these
	@node scripts/build.ts
	@node e2e/fuzz/main.ts

delivery-test: install ## Fetch models from servers that others wrote: an S3-compatible one, one of Google's API, Python's HTTP; needs Python 3.11 or later
	@node e2e/delivery/main.ts

clients-test: install ## Run other people's clients against a server: curl, tritonclient, KServe's, perf_analyzer; needs Python 3.11 or later
	@node scripts/build.ts
	@node e2e/clients/main.ts

test-gpu: install ## Run the runtime on an NVIDIA GPU and print its figures beside the CPU's; without one it says so (PROVIDER=CPU tries the suite itself)
	@node scripts/build.ts
	@node e2e/gpu/main.ts

bench-cluster: install ## Print those that need a cluster, which is $KUBECONFIG's, installed and otherwise idle (about 12 minutes; PARTS=burst: one part)
	@node e2e/cluster/support/check-prerequisites.ts
	@node e2e/bench/cluster/main.ts $(PARTS)

bench-serving: install ## Print figures of serving on the cluster of $KUBECONFIG beside Knative's, if it is there (half an hour; PARTS=warm,cold,load or cold-5=3)
	@node e2e/cluster/support/check-prerequisites.ts
	@node e2e/bench/serving/main.ts $(PARTS)

conformance: install ## Install the CRDs in the cluster of $KUBECONFIG and hold the adapter and them against it
	@test -n "$${KUBECONFIG:-}" || { echo "Set KUBECONFIG to the kubeconfig of a cluster to test against, for example: kind get kubeconfig >/tmp/kind.yaml && KUBECONFIG=/tmp/kind.yaml make conformance" >&2; exit 2; }
	@npm test --silent -- --testMatch='**/*.conformance.test.ts' --testPathIgnorePatterns=/node_modules/

chart-test: install ## Hold the chart against the API server of $KUBECONFIG, in a namespace that goes again; nothing is installed (needs helm and kubectl)
	@test -n "$${KUBECONFIG:-}" || { echo "Set KUBECONFIG to the kubeconfig of a cluster to ask, for example: kind get kubeconfig >/tmp/kind.yaml && KUBECONFIG=/tmp/kind.yaml make chart-test" >&2; exit 2; }
	@for program in helm kubectl; do command -v $$program >/dev/null || { echo "$$program is needed to test the chart: put it on PATH" >&2; exit 2; }; done
	@npm test --silent -- --runInBand --testMatch='**/*.chart.test.ts' --testPathIgnorePatterns=/node_modules/

e2e: install ## Run the end-to-end tests in the cluster of $KUBECONFIG, after `make images deploy`; SUITE=rollout runs one
	@node e2e/cluster/support/check-prerequisites.ts
	@npm test --silent -- --runInBand --verbose --testMatch='**/*.e2e.test.ts' --testPathIgnorePatterns=/node_modules/ $(if $(SUITE),--testPathPatterns='$(SUITE)')
