# vmaffinity. "make" builds; "make help" lists the rest.
#: make                 builds the programs below BUILD (build); WERROR=1: warnings are errors; SANITIZE=1: with ASan and UBSan
#: make install         installs below DESTDIR: PREFIX (/usr), SBINDIR, LIBDIR, SYSCONFDIR (/etc), MANDIR, DATADIR, UNITDIR, COMPLETIONDIR;
#:                      then "vmaffinity enable" puts the hook in place
#: make uninstall       takes the hook away ("vmaffinity disable") and removes what install installed, but not the configuration
#: make clean           removes BUILD
#: make dist            vmaffinity-VERSION.tar.gz of the commit that has the tag vVERSION
#: make deb             a Debian package of the commit at hand, in BUILD/deb (needs debhelper and dpkg-dev)
#: make rpm             an RPM package of the commit at hand, in BUILD/rpm (needs rpmbuild; RPM_OPTIONS=--nodeps where rpm knows no packages)
#: make compile_commands.json   for clangd and clang-tidy (needs bear)
#: GUARD_STATIC=        links the guard to the host's libc, where no static one is installed

VERSION := 0.1.0
BUILD ?= build

PREFIX ?= /usr
SYSCONFDIR ?= /etc
SBINDIR ?= $(PREFIX)/sbin
LIBDIR ?= $(PREFIX)/lib
MANDIR ?= $(PREFIX)/share/man
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
DATADIR ?= $(PREFIX)/share/vmaffinity
UNITDIR ?= $(PREFIX)/lib/systemd/system

CC ?= cc
PKG_CONFIG ?= pkg-config
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla \
	-Wswitch-enum -Wpointer-arith -Wwrite-strings -Wconversion $(if $(WERROR),-Werror)
# The compiler warns of a second definition, and glibc of one without optimisation.
FORTIFY := $(if $(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS))$(findstring -O0,$(CFLAGS)),,-D_FORTIFY_SOURCE=2)
HARDEN := -fstack-protector-strong -fPIE $(FORTIFY)
LDHARDEN := -pie -Wl,-z,relro,-z,now
ifdef SANITIZE
HARDEN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDHARDEN := $(HARDEN)
endif
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -I. -Iengine -DVERSION='"$(VERSION)"' \
	$(WARNINGS) $(HARDEN) -MMD -MP $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(LDHARDEN) -Wl,--as-needed $(LDFLAGS)

# Goals that compile nothing ask for no library.
COMPILES := $(filter-out clean help dist uninstall format check-vm check-packages deb rpm print-%,$(or $(MAKECMDGOALS),all))
ifneq ($(COMPILES),)
LIBRARIES := libxml-2.0 inih libvirt smartcols json-c libsystemd
MISSING := $(foreach library,$(LIBRARIES),$(if $(shell $(PKG_CONFIG) --exists $(library) && echo yes),,$(library)))
ifneq ($(strip $(MISSING)),)
$(error $(PKG_CONFIG) does not find: $(MISSING). On Debian: apt-get install pkgconf libxml2-dev libinih-dev \
	libvirt-dev libsmartcols-dev libjson-c-dev libsystemd-dev)
endif
XML_CFLAGS := $(shell $(PKG_CONFIG) --cflags libxml-2.0)
XML_LIBS := $(shell $(PKG_CONFIG) --libs libxml-2.0)
INI_CFLAGS := $(shell $(PKG_CONFIG) --cflags inih)
INI_LIBS := $(shell $(PKG_CONFIG) --libs inih)
ADMIN_CFLAGS := $(shell $(PKG_CONFIG) --cflags libvirt smartcols json-c libsystemd)
ADMIN_LIBS := $(shell $(PKG_CONFIG) --libs libvirt smartcols json-c libsystemd)
endif

# The wings of engine/, lowest first, and which of the lower ones each may use: tests/walls.sh holds them to it.
WINGS := base guest rules host desired cgroup pin lint
USES_guest := base
USES_rules := guest base
USES_host := base
USES_desired := rules guest host base
USES_cgroup := guest base
USES_pin := cgroup desired rules guest host base
USES_lint := desired rules guest host base

objects = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(1)/*.c))
archives = $(1:%=$(BUILD)/lib%.a)
CLI_OBJECTS := $(call objects,cli) $(call objects,cli/*)
PROGRAMS := $(BUILD)/vmaffinity-guard $(BUILD)/vmaffinity-hook $(BUILD)/xml.so $(BUILD)/vmaffinity
UNIT := $(BUILD)/vmaffinity-watch.service

all: $(PROGRAMS) $(UNIT)

# The guard must run when every library is gone: it knows libc only, and brings it along. That is also a sixth of its
# time. "make GUARD_STATIC=": with the host's libc.
GUARD_STATIC ?= $(if $(SANITIZE),,-static-pie)
$(BUILD)/vmaffinity-guard: $(BUILD)/hook/guard.o $(BUILD)/engine/base/escape.o
	$(CC) $(ALL_LDFLAGS) $(GUARD_STATIC) -o $@ $^
# Programs open what needs libxml2 as a module, when it is asked for: engine/guest/xml_module.h. Tests link it.
LOADER := $(BUILD)/engine/guest/xml_loader.o
NOT_IN_WINGS := $(LOADER) $(BUILD)/engine/guest/xml_module.o
$(BUILD)/vmaffinity-hook: $(BUILD)/hook/worker.o $(LOADER) $(call archives,pin $(USES_pin))
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(INI_LIBS) -ldl
$(LOADER): EXTRA_CFLAGS = -DXML_MODULE='"$(LIBDIR)/vmaffinity/xml.so"'
$(BUILD)/hook/guard.o: EXTRA_CFLAGS = -DWORKER='"$(SBINDIR)/vmaffinity-hook"'
$(LOADER) $(BUILD)/hook/guard.o $(UNIT): $(BUILD)/paths
MODULE_SOURCES := $(addprefix engine/guest/,xml_module domain_parse domain_pins_parse domain domain_pins thread_group xml) \
	engine/base/cpumask engine/base/err engine/base/number
$(BUILD)/xml.so: $(MODULE_SOURCES:%=$(BUILD)/module/%.o)
	$(CC) $(filter-out -pie,$(ALL_LDFLAGS)) -shared $(if $(SANITIZE),,-Wl,-z,defs) -o $@ $^ $(XML_LIBS)
$(BUILD)/module/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -fPIC -fvisibility=hidden $(XML_CFLAGS) -c -o $@ $<
$(BUILD)/vmaffinity: $(CLI_OBJECTS) $(LOADER) $(call archives,lint pin $(USES_pin))
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(INI_LIBS) $(ADMIN_LIBS) -ldl

$(BUILD)/engine/guest/xml.o: EXTRA_CFLAGS = $(XML_CFLAGS)
$(foreach wing,$(WINGS),$(eval $(BUILD)/lib$(wing).a: $(filter-out $(NOT_IN_WINGS),$(call objects,engine/$(wing)))))
$(BUILD)/lib%.a:
	rm -f $@ && $(AR) rcs $@ $^
$(CLI_OBJECTS): EXTRA_CFLAGS = $(ADMIN_CFLAGS)
ENABLE_OBJECTS := $(call objects,cli/enable)
$(ENABLE_OBJECTS): EXTRA_CFLAGS = $(ADMIN_CFLAGS) -DHOOKS='"$(SYSCONFDIR)/libvirt/hooks"' -DGUARD='"$(LIBDIR)/vmaffinity/guard"'
$(ENABLE_OBJECTS): $(BUILD)/paths
$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(EXTRA_CFLAGS) -c -o $@ $<

$(UNIT): conf/vmaffinity-watch.service
	sed 's,@SBINDIR@,$(SBINDIR),' $< >$@

# The flags of the last build, and the paths that some files hold, compared as make reads this file: with other flags all is
# built again, with other paths those files; with the same ones "make -q" says that all is up to date.
FLAGS = $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)
PATHS = $(SBINDIR) $(LIBDIR) $(SYSCONFDIR)
# remember FILE, TEXT: writes the file if it does not hold that text.
define remember
ifneq ($$(if $$(wildcard $$(BUILD)/$(1)),$$(file <$$(BUILD)/$(1))),$$($(2)))
$$(shell mkdir -p $$(BUILD))
$$(file >$$(BUILD)/$(1),$$($(2)))
endif
endef
ifneq ($(COMPILES),)
$(eval $(call remember,flags,FLAGS))
$(eval $(call remember,paths,PATHS))
endif
$(BUILD)/flags $(BUILD)/paths:
	@mkdir -p $(@D)
	@$(file >$@,$(if $(filter %/flags,$@),$(FLAGS),$(PATHS)))

-include $(shell find $(BUILD)/engine $(BUILD)/hook $(BUILD)/cli $(BUILD)/module $(BUILD)/tests -name '*.d' 2>/dev/null)

include tests/tests.mk

# Programs and the module come into place by rename: a hook may run them at any time. The guard is only shipped here;
# "vmaffinity enable" puts a copy into libvirt's directory.
ETC := $(DESTDIR)$(SYSCONFDIR)
PRIVATE := $(DESTDIR)$(LIBDIR)/vmaffinity

install: all
	install -d $(DESTDIR)$(SBINDIR) $(ETC) $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man8 \
		$(DESTDIR)$(COMPLETIONDIR) $(DESTDIR)$(UNITDIR) $(PRIVATE) $(DESTDIR)$(DATADIR)
	install -m 0644 $(BUILD)/xml.so $(PRIVATE)/.xml.so.new
	mv -f $(PRIVATE)/.xml.so.new $(PRIVATE)/xml.so
	for f in vmaffinity vmaffinity-hook; do \
		install -m 0755 $(BUILD)/$$f $(DESTDIR)$(SBINDIR)/.$$f.new && \
		mv -f $(DESTDIR)$(SBINDIR)/.$$f.new $(DESTDIR)$(SBINDIR)/$$f || exit 1; done
	install -m 0755 $(BUILD)/vmaffinity-guard $(PRIVATE)/.guard.new
	mv -f $(PRIVATE)/.guard.new $(PRIVATE)/guard
	install -m 0644 man/vmaffinity.8 man/vmaffinity-hook.8 $(DESTDIR)$(MANDIR)/man8
	install -m 0644 man/vmaffinity.ini.5 $(DESTDIR)$(MANDIR)/man5
	install -m 0644 conf/vmaffinity.bash $(DESTDIR)$(COMPLETIONDIR)/vmaffinity
	install -m 0644 conf/output.schema.json $(DESTDIR)$(DATADIR)/output.schema.json
	install -m 0644 $(UNIT) $(DESTDIR)$(UNITDIR)/vmaffinity-watch.service
	test -e $(ETC)/vmaffinity.ini || install -m 0644 conf/vmaffinity.ini $(ETC)/vmaffinity.ini

# Leaves the configuration. The hook goes first: nothing may run a worker that is half gone.
uninstall:
	! test -x $(DESTDIR)$(SBINDIR)/vmaffinity || \
		$(DESTDIR)$(SBINDIR)/vmaffinity disable $(if $(DESTDIR),--sysroot $(DESTDIR))
	rm -f $(DESTDIR)$(SBINDIR)/vmaffinity $(DESTDIR)$(SBINDIR)/vmaffinity-hook \
		$(DESTDIR)$(MANDIR)/man8/vmaffinity.8 $(DESTDIR)$(MANDIR)/man8/vmaffinity-hook.8 \
		$(DESTDIR)$(MANDIR)/man5/vmaffinity.ini.5 $(DESTDIR)$(COMPLETIONDIR)/vmaffinity \
		$(DESTDIR)$(UNITDIR)/vmaffinity-watch.service $(PRIVATE)/xml.so $(PRIVATE)/guard \
		$(DESTDIR)$(DATADIR)/output.schema.json
	rmdir $(PRIVATE) $(DESTDIR)$(DATADIR) 2>/dev/null || true

clean:
	rm -rf "$(BUILD)"

dist:
	git archive --prefix=vmaffinity-$(VERSION)/ -o vmaffinity-$(VERSION).tar.gz v$(VERSION)

deb:
	rm -rf $(BUILD)/deb && mkdir -p $(BUILD)/deb
	git archive --prefix=vmaffinity-$(VERSION)/ HEAD | tar -x -C $(BUILD)/deb
	cd $(BUILD)/deb/vmaffinity-$(VERSION) && \
		env -u BUILD -u MAKEFLAGS -u MFLAGS -u MAKELEVEL dpkg-buildpackage --build=binary --no-sign $(DEB_OPTIONS)
	rm -rf $(BUILD)/deb/vmaffinity-$(VERSION)

rpm:
	rm -rf $(BUILD)/rpm && mkdir -p $(BUILD)/rpm/SOURCES
	git archive --prefix=vmaffinity-$(VERSION)/ -o $(BUILD)/rpm/SOURCES/vmaffinity-$(VERSION).tar.gz HEAD
	env -u BUILD -u MAKEFLAGS -u MFLAGS -u MAKELEVEL rpmbuild -bb --define '_topdir $(abspath $(BUILD)/rpm)' $(RPM_OPTIONS) vmaffinity.spec

compile_commands.json:
	bear --output $@ -- $(MAKE) -B tests

# For scripts: "make -s print-SBINDIR".
print-%:
	@echo '$($*)'

help:
	@sed -n 's/^#: //p' Makefile tests/tests.mk

.PHONY: all install uninstall clean deb rpm dist compile_commands.json help
.DELETE_ON_ERROR:
