# What a person does with this repository. `make` alone prints this list.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help man demo test test-peers bench bench-code bench-iscsi lint fuzz fuzz-smoke sanitize build clean \
	need-demo need-test need-bench

# Checked exclusivity costs a third of the instructions of the data path; the tests keep it.
RELEASE := -c release -Xswiftc -enforce-exclusivity=unchecked
SWIFT_TEST := swift test --disable-xctest --explicit-target-dependency-import-check error
SWIFT_FILES := Package.swift Sources Tests Benchmarks examples

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 20

need-demo need-test need-bench: need-%:
	@.ci/prerequisites $*

build: need-demo ## ecopy and ecopyd, optimised: .build/release
	swift build $(RELEASE) --product ecopy
	swift build $(RELEASE) --product ecopyd

demo: need-demo ## back a disk up to a tape and restore it, everything checked
	@examples/demo.sh

# The steps stand in the order in which they would tell a developer most, soonest.
test: need-test ## every test; what CI runs
	@echo "== build"
	swift build --build-tests --explicit-target-dependency-import-check error
	@echo "== swift test"
	$(SWIFT_TEST) --skip-build --skip PeerTests
	@$(MAKE) --no-print-directory test-peers
	@$(MAKE) --no-print-directory fuzz-smoke lint
	@echo "== all tests passed"

# Apart from the others, because some of them have a clock.
test-peers: need-test ## other people's targets, initiators and Linux in a guest, against ours
	@echo "== with other people's programs"
	$(SWIFT_TEST) --filter PeerTests

fuzz-smoke: need-test ## every fuzzer for a few seconds, and the canary that must fail
	@echo "== fuzzers, short"
	Tests/Fuzzing/run.sh 5

fuzz: need-test ## every fuzzer for long: make fuzz SECONDS_EACH=600
	Tests/Fuzzing/run.sh $(or $(SECONDS_EACH),600)

lint: ## the formatter's rules; shell and Python syntax
	@echo "== lint"
	swift format lint --strict --parallel --recursive $(SWIFT_FILES)
	@for script in .ci/run .ci/prerequisites $$(find Tests examples -name '*.sh') \
	  Tests/Peers/guest/init; do \
	  bash -n $$script; done
	@python3 -c 'import ast, pathlib, sys; [ast.parse(open(f).read(), f) for f in sys.argv[1:]]' \
	  Tests/Peers/test-cu Tests/Peers/strangers Benchmarks/bench Benchmarks/bench-iscsi \
	  $$(find Benchmarks/harness -name '*.py')
	@echo "lint: clean"

sanitize: need-test ## the tests under the address sanitizer and the thread sanitizer
	@echo "== address sanitizer"
	swift test --sanitize address --scratch-path .build-address --disable-xctest
	@echo "== thread sanitizer"
	swift test --sanitize thread --scratch-path .build-thread --disable-xctest

bench: need-bench build ## compare with dd, ddpt, qemu-img, cp and fio: table, JSON, plot
	Benchmarks/bench

bench-iscsi: need-bench ## compare ecopyd with tgtd: throughput, latency, CPU of each
	swift build $(RELEASE) --product ecopyd
	Benchmarks/bench-iscsi

bench-code: need-bench ## micro-benchmarks of parsing and planning
	swift package --package-path Benchmarks benchmark

man: need-demo ## manual pages, in .build/man
	mkdir -p .build/man
	swift package --allow-writing-to-directory .build/man generate-manual --multi-page \
	  --output-directory .build/man

clean: ## remove what was built
	rm -rf .build .build-address .build-thread Benchmarks/.build Tests/Fuzzing/.build
