#: make check           what needs neither root nor libvirt: walls, unit, golden, hwloc as oracle, fuzz corpora, options
#: make check-root      the rest, on this machine: cases for root, command line, end to end, a glance at the benchmark
#: make check-sanitize  unit, golden, fuzz corpora and a pass of each program under ASan, UBSan and LeakSanitizer
#: make check-vm        end to end on virtual hosts with systemd and 8 CPUs, cgroup v2 and v1; VM_ALL=1: all cases, faults and rounds; VM_HOSTS="debian13 debian12"
#: make check-packages  the Debian package: built twice, lintian, its life in a chroot; the RPM package's files (needs debhelper,
#:                      lintian, mmdebstrap, rpmbuild)
#: make check-modular   end to end under virtqemud, built from Debian's source of libvirt: minutes more (needs meson; the script names the rest)
#: make lint            warnings of gcc and clang, analyzers, formatting, shell scripts, options in step
#: make coverage        lines of engine/ and hook/ that the suites run through
#: make fuzz            fuzzes each parser for FUZZ_SECONDS (60)
#: make bench           what a start costs, next to the least it could and to what people use; BENCH=quick: in a minute
#: SUITES="unit cli"    only these, for check, check-root and check-sanitize

# A unit test lies in its wing's folder and links that wing and those below it, nothing above.
UNIT_TESTS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/*/test_*.c))
UNIT_PROGRAMS := $(UNIT_TESTS:%=$(BUILD)/tests/unit/%)
SUPPORT := tree threads root
$(foreach test,rules/test_match rules/test_parse rules/test_load,$(eval HELPERS_$(test) := shown))
$(foreach test,pin/test_apply pin/test_apply_undo pin/test_apply_memory,$(eval HELPERS_$(test) := guest))
$(foreach test,pin/test_no_memory lint/test_no_memory,$(eval HELPERS_$(test) := memory))
EXTRA_map := $(BUILD)/cli/map/occupancy.o
USES_map := guest base
wing = $(patsubst %/,%,$(dir $(1)))
FUZZ_TARGETS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_PROGRAMS := $(FUZZ_TARGETS:%=$(BUILD)/tests/fuzz/replay_%)

# For the failures that a tree of files cannot have: the kernel's answers, as the test wants them.
WRAP := -Wl,--wrap=pwrite,--wrap=sched_setaffinity,--wrap=sched_getaffinity
LIBS_pin/test_apply := $(WRAP)
LIBS_pin/test_apply_undo := $(WRAP)
LIBS_pin/test_apply_memory := $(WRAP)
ALLOCATORS := malloc calloc realloc reallocarray strdup strndup vasprintf asprintf open_memstream tsearch
LIBS_pin/test_no_memory := $(ALLOCATORS:%=-Wl,--wrap=%)
LIBS_lint/test_no_memory := $(LIBS_pin/test_no_memory)

$(BUILD)/tests/unit/%.o: EXTRA_CFLAGS = -Itests/unit

.SECONDEXPANSION:
$(UNIT_PROGRAMS): $(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o \
		$$(addprefix $(BUILD)/tests/unit/support/,$$(addsuffix .o,$(SUPPORT) $$(HELPERS_$$*))) \
		$(BUILD)/cli/capture/snapshot_read.o \
		$$(EXTRA_$$(call wing,$$*)) \
		$$(call archives,$$(filter $(WINGS),$$(call wing,$$*)) $$(USES_$$(call wing,$$*)))
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(XML_LIBS) $(INI_LIBS) -lcmocka $(LIBS_$*)

# A fuzz target is a test as well: its corpus is run through a plain main().
$(FUZZ_PROGRAMS): $(BUILD)/tests/fuzz/replay_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/replay.o $$(call archives,pin $(USES_pin))
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(XML_LIBS) $(INI_LIBS)

# Guards with another worker, in a place that is only there in a namespace of the test's own; and one of less
# patience, to see it come to its end.
$(BUILD)/tests/guard $(BUILD)/tests/guard-hasty: hook/guard.c hook/worker_status.h $(BUILD)/engine/base/escape.o $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -DWORKER='"/run/vmaffinity-test-worker"' \
		$(if $(findstring hasty,$@),-DTIME_LIMIT_MS=700 -DGRACE_MS=300) \
		$(ALL_LDFLAGS) -o $@ hook/guard.c $(BUILD)/engine/base/escape.o

# The worker with its module in a place that a test can fill.
$(BUILD)/tests/worker: $(BUILD)/hook/worker.o engine/guest/xml_loader.c engine/guest/xml_module.h $(call archives,pin $(USES_pin))
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -DXML_MODULE='"/run/vmaffinity-test-xml.so"' $(ALL_LDFLAGS) -o $@ $(filter-out %.h,$^) $(INI_LIBS) -ldl

# The benchmark's own programs: the floor is static, so that it is one; the empty ones load what guard and worker do.
BENCH_PROGRAMS := $(addprefix $(BUILD)/tests/bench/,empty empty-linked floor standin stopwatch)
$(BUILD)/tests/bench/empty-linked: tests/bench/empty.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -Wl,--no-as-needed -o $@ $< $(XML_LIBS) $(INI_LIBS)
$(BUILD)/tests/bench/floor: LDHARDEN := -static
$(BUILD)/tests/bench/floor: HARDEN :=
$(filter-out %/empty-linked,$(BENCH_PROGRAMS)): $(BUILD)/tests/bench/%: tests/bench/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $<

# Prints the masks that the oracle compares with hwloc's.
$(BUILD)/tests/oracle/evaluate: $(BUILD)/tests/oracle/evaluate.o $(call archives,desired $(USES_desired))
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(XML_LIBS) $(INI_LIBS)

tests: all $(UNIT_PROGRAMS) $(FUZZ_PROGRAMS) $(BUILD)/tests/oracle/evaluate $(BUILD)/tests/guard $(BUILD)/tests/guard-hasty $(BUILD)/tests/worker $(BENCH_PROGRAMS)

check: tests
	BUILD=$(BUILD) SANITIZE= tests/run.sh $(or $(SUITES),walls unit golden oracle fuzz options)

check-root: tests
	BUILD=$(BUILD) SANITIZE= tests/run.sh $(or $(SUITES),unit-root golden-root cli e2e bench)

check-sanitize:
	+$(MAKE) BUILD=build/sanitize SANITIZE=1 CFLAGS='-O1 -g' tests
	BUILD=build/sanitize SANITIZE=1 tests/run.sh $(or $(SUITES),unit unit-root golden golden-root fuzz cli)

check-packages:
	tests/checks/packages.sh

check-modular: tests
	BUILD=$(BUILD) tests/checks/modular.sh

check-vm:
	tests/run.sh vm

lint:
	BUILD=$(BUILD) tests/checks/lint.sh

coverage:
	+$(MAKE) BUILD=build/coverage CFLAGS='-O0 -g --coverage' LDFLAGS=--coverage tests
	BUILD=build/coverage tests/checks/coverage.sh

FUZZ_SECONDS ?= 60
fuzz:
	BUILD=build/fuzz FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/fuzz.sh

BENCH ?= full
bench: all $(BENCH_PROGRAMS)
	BUILD=$(BUILD) tests/bench/run.sh $(BENCH) $(BUILD)/bench.json

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

.PHONY: tests check check-root check-sanitize check-packages check-modular check-vm lint coverage fuzz bench format
