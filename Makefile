# The commands of the project; each installs what it lacks. See CONTRIBUTING.md.
.PHONY: run build test test-tsan coverage bench check format fuzz model clean

# Builds the server and starts it for development, on http://127.0.0.1:8000.
run: build
	build/release/parley dev

# The release binary, build/release/parley.
build:
	@tools/setup run
	@cmake --preset release >/dev/null
	ninja -C build/release parley

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

# CPU per delivery and memory per idle session, beside a bare loop; writes docs/performance.md. Takes about 6 minutes.
bench:
	@tools/setup run
	@cmake --preset bench >/dev/null
	ninja -C build/bench parley bench_load bench_floor
	bench/run

# Format, layers, headers, documents: the part of `make test` that needs no build.
check:
	@tools/setup test
	@tools/check

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
