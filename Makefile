# MirrorD: `make help` lists what there is.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

CONFIGURATION ?= Release
SEEDS ?= 200
SEED ?= 1
MINUTES ?= 2
TARGET ?=

# A bare Debian has no ICU; nothing here needs cultures.
export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT := 1
export DOTNET_CLI_TELEMETRY_OPTOUT := 1
export DOTNET_NOLOGO := 1
export DOTNET_SKIP_FIRST_TIME_EXPERIENCE := 1
# Programs that were built run where the SDK was found, wherever that is.
export DOTNET_ROOT ?= $(dir $(realpath $(shell command -v dotnet)))
export CONFIGURATION

DOTNET_FLAGS := -c $(CONFIGURATION) -v quiet -nologo -clp:"NoSummary;ErrorsOnly"
SHARED_SOURCES := Directory.Build.props Directory.Packages.props global.json MirrorD.sln
SOURCES := $(SHARED_SOURCES) $(shell find src tests native -type d \( -name bin -o -name obj \) -prune -o \
	-type f \( -name '*.cs' -o -name '*.csproj' -o -name '*.props' -o -name '*.targets' -o -name '*.c' \) -print 2>/dev/null)
PRODUCT_SOURCES := $(filter-out tests/%,$(SOURCES))
BUILT := out/.built-$(CONFIGURATION)
PUBLISHED := out/.published

.PHONY: help setup build deb test test-unit test-hosts test-deb test-machines sim canaries replay fuzz demo bench bench-quick bench-machines format-check clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## Install what build and tests need (as root, by apt; says what)
	@tests/setup

build: setup $(PUBLISHED) ## Put runnable out/mirrord and out/mirrorctl

deb: setup ## Put the package out/mirrord_<version>_amd64.deb
	@tests/setup package
	@packaging/build-deb

test: setup $(BUILT) $(PUBLISHED) ## Everything: unit, simulator, fuzzer, hosts in network namespaces, package, short stories in machines
	@tests/setup package machines
	@SEEDS=$(SEEDS) tests/run unit sim fuzz hosts package machines-short

test-unit: setup $(BUILT) ## Unit and contract tests only
	@tests/run unit

test-hosts: setup $(BUILT) $(PUBLISHED) ## Real daemons in network namespaces (root)
	@tests/run hosts

test-deb: setup ## Build the package, look into it, install, upgrade, remove and purge it in a root of its own (root)
	@tests/setup package
	@tests/run package

test-machines: deb $(BUILT) ## All of the whole Debian machines in QEMU, booted and cut off (root)
	@tests/setup machines
	@tests/run machines

sim: setup $(BUILT) ## Simulate SEEDS=200 pairs from seeds, then the canaries
	@SEEDS=$(SEEDS) tests/run sim

canaries: setup $(BUILT) ## Break one rule at a time; each must be caught
	@tests/simulator canaries

replay: setup $(BUILT) ## Replay one simulated pair with a full trace: SEED=1
	@tests/simulator replay --seed $(SEED)

fuzz: setup $(BUILT) ## Fuzz the parsers of outside bytes for MINUTES=2 in all; one of them with TARGET=name
	@tests/fuzz run $(TARGET) --seconds $$(( $(MINUTES) * 60 ))

demo: setup $(BUILT) $(PUBLISHED) ## A pair of nodes in namespaces: write, cut, kill, take over, compare (root, under 3 minutes)
	@tests/demo

bench: setup $(BUILT) $(PUBLISHED) ## Measure beside peers, in turn: results in bench/results, charts in docs/images (root, quiet machine)
	@tests/bench --charts docs/images

bench-quick: setup $(BUILT) $(PUBLISHED) ## The same in 3 minutes: two short rounds, no charts (root)
	@tests/bench --rounds 2 --seconds 0.4

bench-machines: deb $(BUILT) ## Beside DRBD and md over nbd in two machines in QEMU, half an hour (root, quiet machine)
	@tests/setup machines
	@tests/bench machines

format-check: setup ## Whitespace and style as .editorconfig says
	@dotnet restore MirrorD.sln -v quiet
	@dotnet format whitespace MirrorD.sln --no-restore --verify-no-changes
	@dotnet format style MirrorD.sln --no-restore --verify-no-changes --severity warn

clean: ## Remove what was built
	@rm -rf out
	@find src tests -type d \( -name bin -o -name obj \) -prune -exec rm -rf {} +

# setup comes before dotnet in every build: it may have just installed what dotnet itself needs.
$(BUILT): $(SOURCES) | setup
	@mkdir -p out
	@echo "Building…"
	@dotnet build MirrorD.sln $(DOTNET_FLAGS)
	@touch $@

$(PUBLISHED): $(PRODUCT_SOURCES) packaging/publish.props packaging/publish.targets | setup
	@mkdir -p out
	@for pair in Daemon:mirrord Control:mirrorctl; do \
		project=src/MirrorD.$${pair%%:*}; program=out/$${pair##*:}; \
		if [[ ! -d $$project ]]; then echo "no $$project yet: $$program is not built"; continue; fi; \
		echo "Publishing $$program…"; \
		dotnet publish $$project $(DOTNET_FLAGS) -r linux-x64 -p:Publishing=true -o out; \
		[[ -x $$program ]] || { echo "$$project did not publish $$program" >&2; exit 1; }; \
	done
	@touch $@
