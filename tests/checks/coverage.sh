#!/bin/bash
# Runs the unit, golden, cli and fuzz suites on a build that counts (make coverage), and prints the line coverage of
# engine/ and hook/.
set -u
cd "$(dirname "$0")/../.." || exit 2
find "$BUILD" -name '*.gcda' -delete
# Two tests run a program as an ordinary user: the counters, which the first run of a program makes, are for all to write.
(umask 0 && "$BUILD/vmaffinity" --version && "$BUILD/vmaffinity-hook" --version) >/dev/null
tests/run.sh unit unit-root golden golden-root cli fuzz >"$BUILD/coverage.log" || { tail -n 20 "$BUILD/coverage.log"; exit 1; }
gcovr --root . --object-directory "$BUILD" --filter 'engine/' --filter 'hook/' \
	--exclude-unreachable-branches --print-summary
