# The two that matter: `make run` starts the demo, `make test` runs every test. Both install what they need
# from docker/packages.txt. `make help` lists the rest.

JOBS ?= $(shell nproc)
INSTALL := docker/install-packages
PYTHON := /usr/bin/python3
SOURCES = $(shell find include src tests -name '*.hpp' -o -name '*.cpp')

# The modules whose state several threads share, and what they stand on: the thread sanitizer builds and runs
# their tests only. TSAN_TESTS, a regular expression over ctest's names, narrows it further.
TSAN_MODULES ?= core resilience proxy net observe admin app
TSAN_BUILT = $(foreach module,$(TSAN_MODULES),$(if $(wildcard tests/$(module)/*.cpp),$(module)))
empty :=
space := $(empty) $(empty)
TSAN_TESTS ?= ^($(subst $(space),|,$(strip $(TSAN_BUILT))))\.

FUZZ_SECONDS ?= 60
SOAK_SECONDS ?= 600

# The sanitizers want their shadow memory where a randomised address space may put something else. Containers
# may forbid to switch it off; then it stays on.
STILL := $(shell setarch "$$(uname -m)" -R true 2>/dev/null && echo setarch "$$(uname -m)" -R)

.DEFAULT_GOAL := help
.PHONY: run test build release tsan format format-check tidy fuzz soak layers bench scenarios clean help

run: release  ## Build it and start the demo: a misbehaving upstream, traffic, the proxy, all live
	build/release/candor demo $(ARGS)

# With CANDOR_EFFORT=all in the environment those that play by chance do so as often as is claimed of them; that
# takes an hour and more here, and minutes in a build of the preset `release`.
test: build  ## Build with address and undefined-behaviour sanitizers and run every test
	$(STILL) ctest --preset dev -j $(JOBS) $(ARGS)

build:  ## The debug build with the sanitizers, with tests
	@$(INSTALL) build test
	cmake --preset dev
	$(STILL) cmake --build --preset dev -j $(JOBS)

release:  ## The optimised program alone: build/release/candor
	@$(INSTALL) build
	cmake --preset release -DCANDOR_TESTS=OFF
	cmake --build --preset release -j $(JOBS) --target candor

tsan:  ## Build with the thread sanitizer and run the tests in which threads meet
	@$(INSTALL) build test
	cmake --preset tsan
	$(STILL) cmake --build --preset tsan -j $(JOBS) --target $(TSAN_BUILT:%=candor_%_tests)
	$(STILL) ctest --preset tsan -j $(JOBS) --no-tests=error -R '$(TSAN_TESTS)' $(ARGS)

format:  ## Format all sources in place
	@$(INSTALL) format
	clang-format-16 -i $(SOURCES)

format-check:  ## Fail when a source is not formatted
	@$(INSTALL) format
	clang-format-16 --dry-run --Werror $(SOURCES)

# Without precompiled headers, as clang cannot read those of gcc.
tidy:  ## clang-tidy over the sources; slow
	@$(INSTALL) build test tidy
	cmake --preset dev -B build/tidy -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON
	run-clang-tidy-16 -quiet -p build/tidy -j $(JOBS) '$(CURDIR)/src/'

fuzz:  ## Run each fuzzer for FUZZ_SECONDS (60); ARGS='-R chunked' runs one
	@$(INSTALL) build fuzz
	cmake --preset fuzz -DCANDOR_FUZZ_SECONDS=$(FUZZ_SECONDS)
	$(STILL) cmake --build --preset fuzz -j $(JOBS)
	$(STILL) ctest --preset fuzz -j $(JOBS) --no-tests=error $(ARGS)

soak: build  ## Everything at once for SOAK_SECONDS (600) on one Candor with the sanitizers; SOAK_SEED repeats a run
	SOAK_SECONDS=$(SOAK_SECONDS) $(STILL) $(PYTHON) -B tests/real/soak_test.py build/dev/candor

layers:  ## The checks that read the tree: arrows between modules, words, bans, links
	@$(INSTALL) test
	$(PYTHON) tests/tidy/selftest.py
	$(PYTHON) tests/tidy/layers.py
	$(PYTHON) tests/tidy/words.py
	$(PYTHON) tests/tidy/docs.py

scenarios:  ## Candor, a naive design and other proxies in outages; writes docs/scenarios.md; ARGS='--only 1,5' prints
	@$(INSTALL) build test bench
	cmake --preset release -DCANDOR_TESTS=ON
	cmake --build --preset release -j $(JOBS) --target candor candor_scenario_upstream candor_scenario_load \
	  candor_scenario_foil candor_sim_tests
	$(PYTHON) -B tests/bench/scenarios/run.py $(ARGS)

bench:  ## Measure against other proxies; wants a quiet machine
	@$(INSTALL) build test bench
	cmake --preset release -DCANDOR_TESTS=ON
	cmake --build --preset release -j $(JOBS) --target candor candor_bench_upstream
	$(PYTHON) tests/bench/peers/run.py $(ARGS)

clean:  ## Remove everything that was built
	rm -rf build

help:  ## This list
	@awk -F ':.*##' '/^[a-z-]+:.*##/ { printf "  make %-13s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)
