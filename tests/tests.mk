#: make check           every suite as shipped: unit, golden, hwloc as oracle, cli, fuzz corpora, links, end to end, a glance at the benchmark
#: make check-sanitize  the same under ASan, UBSan and LeakSanitizer
#: make check-vm        end to end on virtual hosts with systemd and 8 CPUs, cgroup v2 and v1; VM_ALL=1: all cases, faults and rounds; VM_HOSTS="debian13"
#: make lint            warnings of gcc and clang, analyzers, formatting, shell scripts, options in step
#: make coverage        lines of engine/ and hook/ that the suites run through
#: make fuzz            fuzzes each parser for FUZZ_SECONDS (60)
#: make bench           what a start costs, next to the least it could and to what people use; BENCH=quick: in a minute
#: SUITES="unit cli"    only these, for check and check-sanitize

# What each unit test links besides itself: its module and what that stands on, nothing else.
UNIT_err := err
UNIT_notes := notes
UNIT_printable := printable
UNIT_file := file err
UNIT_cpumask := cpumask err
UNIT_group := group cpumask err
UNIT_domain := domain xml group cpumask err
UNIT_domain_pins := domain_pins $(UNIT_domain)
UNIT_spelling := spelling
UNIT_rules_key := rules_key spelling cpumask err
UNIT_rules := rules spelling rules_key rules_add rules_parse rules_load notes file domain xml group cpumask err
UNIT_rules_parse := $(UNIT_rules)
UNIT_rules_load := $(UNIT_rules)
UNIT_topology := topology topology_tree topology_nodes file cpumask err
UNIT_cpuwords := cpuwords spelling $(UNIT_topology)
UNIT_cpuexpr := $(UNIT_rules) cpuexpr cpuwords topology topology_tree topology_nodes
UNIT_memory := memory topology topology_tree topology_nodes $(UNIT_rules)
UNIT_onetoone := onetoone onetoone_cells $(UNIT_memory)
UNIT_placement := placement pairing onetoone onetoone_cells $(UNIT_cpuexpr)
UNIT_plan := plan $(UNIT_placement)
UNIT_process := process domain xml group file cpumask err
UNIT_lock := lock clock file err
UNIT_scope := scope process domain xml group file cpumask err
UNIT_occupancy := occupancy group cpumask err
UNIT_observe := observe scope process domain xml group file cpumask err
UNIT_drift := drift observe scope process domain xml group file cpumask err
UNIT_apply := apply apply_memory scope process domain xml group file cpumask err
UNIT_apply_undo := $(UNIT_apply)
UNIT_apply_memory := $(UNIT_apply)
UNIT_apply_cgroup := $(UNIT_apply)
UNIT_pin := $(ENGINE)
UNIT_pin_guest := $(ENGINE)

# What of tests/unit/ a test links besides: all of them, and one of them.
UNIT_HELPERS := tree threads
HELPERS_rules := shown
HELPERS_rules_parse := shown
HELPERS_rules_load := shown
HELPERS_apply := guest
HELPERS_apply_undo := guest
HELPERS_apply_memory := guest

UNIT_TESTS := $(patsubst tests/unit/test_%.c,%,$(wildcard tests/unit/test_*.c))
UNIT_PROGRAMS := $(UNIT_TESTS:%=$(BUILD)/tests/unit/test_%)
FUZZ_TARGETS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_PROGRAMS := $(FUZZ_TARGETS:%=$(BUILD)/tests/fuzz/replay_%)

# For the failures that a tree of files cannot have: the kernel's answers, as the test wants them.
LIBS_apply := -Wl,--wrap=pwrite,--wrap=sched_setaffinity,--wrap=sched_getaffinity
LIBS_apply_undo := $(LIBS_apply)
LIBS_apply_memory := $(LIBS_apply)

.SECONDEXPANSION:
$(UNIT_PROGRAMS): $(BUILD)/tests/unit/test_%: $(BUILD)/tests/unit/test_%.o \
		$$(addsuffix .o,$$(addprefix $(BUILD)/tests/unit/,$(UNIT_HELPERS) $$(HELPERS_$$*))) \
		$$(addsuffix .o,$$(addprefix $(BUILD)/engine/,$$(UNIT_$$*)))
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(XML_LIBS) $(INI_LIBS) -lcmocka $(LIBS_$*)

# A fuzz target is a test as well: its corpus is run through a plain main().
$(FUZZ_PROGRAMS): $(BUILD)/tests/fuzz/replay_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/replay.o $(ENGINE_OBJECTS)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(XML_LIBS) $(INI_LIBS)

# Guards with another worker, in a place that is only there in a namespace of the test's own; and one of less
# patience, to see it come to its end.
$(BUILD)/tests/guard $(BUILD)/tests/guard-hasty: hook/guard.c hook/status.h $(BUILD)/engine/printable.o $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -UWORKER -DWORKER='"/run/vmaffinity-test-worker"' \
		$(if $(findstring hasty,$@),-DTIME_LIMIT_MS=700 -DGRACE_MS=300) \
		$(ALL_LDFLAGS) -o $@ hook/guard.c $(BUILD)/engine/printable.o

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

# What the oracle is compared with.
$(BUILD)/tests/oracle/evaluate: $(BUILD)/tests/oracle/evaluate.o $(addsuffix .o,$(addprefix $(BUILD)/engine/,$(UNIT_cpuexpr)))
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(XML_LIBS) $(INI_LIBS)

tests: all $(UNIT_PROGRAMS) $(FUZZ_PROGRAMS) $(BUILD)/tests/oracle/evaluate $(BUILD)/tests/guard $(BUILD)/tests/guard-hasty $(BENCH_PROGRAMS)

SUITES ?= links unit golden oracle cli fuzz e2e bench
check: tests
	BUILD=$(BUILD) SANITIZE= tests/run.sh $(SUITES)

check-sanitize:
	+$(MAKE) BUILD=build/sanitize SANITIZE=1 CFLAGS='-O1 -g' tests
	BUILD=build/sanitize SANITIZE=1 tests/run.sh $(filter-out links bench,$(SUITES))

check-vm:
	tests/run.sh vm

lint:
	BUILD=$(BUILD) tests/lint.sh

coverage:
	+$(MAKE) BUILD=build/coverage CFLAGS='-O0 -g --coverage' LDFLAGS=--coverage tests
	BUILD=build/coverage tests/coverage.sh

FUZZ_SECONDS ?= 60
fuzz:
	BUILD=build/fuzz FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/fuzz.sh

BENCH ?= full
bench: all $(BENCH_PROGRAMS)
	BUILD=$(BUILD) tests/bench/run.sh $(BENCH) $(BUILD)/bench.json

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

.PHONY: tests check check-sanitize check-vm lint coverage fuzz bench format
