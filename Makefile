# One word for each thing to do. Every target first installs what it needs and is missing (tools/install-packages);
# CMake does the building. `make` alone prints what there is.

JOBS    ?= $(shell nproc)
PREFIX  ?= /usr/local
SECONDS ?= 60
PICTURE ?=
MODEL   ?=
TEXT    ?=
PYTHON  ?= python3
PEERS   ?= 1
export MODEL PICTURE TEXT

MAKEFLAGS += --no-print-directory
SOURCES = $(shell git ls-files --cached --others --exclude-standard '*.c' '*.h')
CTEST   = ctest --output-on-failure --parallel $(JOBS) --test-dir

# $(call build,FOLDER,OPTIONS): configures once or when something changed, then builds.
define build
	@cmake -S . -B $(1) $(2) >$(1).log 2>&1 || { cat $(1).log; rm -f $(1).log; exit 1; }
	@rm -f $(1).log
	@cmake --build $(1) --parallel $(JOBS)
endef

.PHONY: help build demo test sanitize sanitize-gcc sanitize-clang fuzz bench format format-check install clean
.DEFAULT_GOAL := help

help: ## This list
	@echo "make TARGET, where TARGET is one of:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' Makefile | while IFS='|' read -r name what; do \
		printf '  %-16s %s\n' $$name "$$what"; done
	@echo "Options: MODEL=file PICTURE=file TEXT='one, two' (demo), SECONDS=60 (fuzz), PREFIX=/usr/local (install), JOBS=$(JOBS)"
	@echo "         PYTHON=python3 (bench: one that has PyTorch, ONNX Runtime or OpenVINO sets Lancet beside them; PEERS=0: does not)"

build: ## The command build/lancet and the libraries
	@tools/install-packages build
	$(call build,build,-DLANCET_TESTS=OFF)

demo: build ## Heat maps on a photograph, into demo/ (MODEL=, PICTURE=, TEXT=)
	@tools/demo

test: ## Everything built with warnings as errors, all tests run
	@tools/install-packages build test
	$(call build,build-test,-DLANCET_WERROR=ON)
	@$(CTEST) build-test

sanitize: sanitize-clang sanitize-gcc ## All tests under the address and undefined behaviour sanitizers

sanitize-clang: ## ... of clang
	@tools/install-packages build test
	$(call build,build-asan-clang,-DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=RelWithDebInfo -DLANCET_SANITIZE=ON -DLANCET_WERROR=ON)
	@$(CTEST) build-asan-clang

sanitize-gcc: ## ... of gcc
	@tools/install-packages build test
	$(call build,build-asan-gcc,-DCMAKE_C_COMPILER=gcc -DCMAKE_BUILD_TYPE=RelWithDebInfo -DLANCET_SANITIZE=ON)
	@$(CTEST) build-asan-gcc

fuzz: ## Every fuzzer for SECONDS, from its seeds
	@tools/install-packages build test
	$(call build,build-fuzz,-DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=RelWithDebInfo -DLANCET_SANITIZE=ON -DLANCET_FUZZ=ON -DLANCET_TESTS=OFF)
	@tools/fuzz build-fuzz $(SECONDS)

bench: build ## How fast this machine runs a model, and what share of its peak that is (MODEL=)
	@build/lancet bench $(if $(MODEL),-m '$(MODEL)')
	@for program in build/bench/bench_*; do \
		if [ -x $$program ] && [ -f $$program ]; then echo && $$program; fi; done
	@if [ '$(PEERS)' != 0 ]; then echo && $(PYTHON) bench/peers/run --if-there; fi

format: ## Every C file in the house's style
	@tools/install-packages test
	@clang-format -i $(SOURCES)

format-check: ## Says which files are not
	@tools/install-packages test
	@clang-format --dry-run --Werror $(SOURCES)

install: build ## Command, libraries and headers into PREFIX
	@cmake --install build --prefix $(PREFIX)

clean: ## Removes everything that was built
	@rm -rf build build-* demo
