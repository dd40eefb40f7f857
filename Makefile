# vmaffinity. "make" builds; "make help" lists the rest.

VERSION := 0.1.0
BUILD ?= build

PREFIX ?= /usr
SYSCONFDIR ?= /etc
SBINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
UNITDIR ?= $(PREFIX)/lib/systemd/system
# The guard's place below $(SYSCONFDIR)/libvirt/hooks: qemu, or qemu.d/50-vmaffinity next to another hook.
HOOK ?= qemu

CC ?= cc
PKG_CONFIG ?= pkg-config
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla \
	-Wswitch-enum -Wpointer-arith -Wwrite-strings -Wconversion $(if $(WERROR),-Werror)
HARDEN := -fstack-protector-strong -fPIE $(if $(findstring -O0,$(CFLAGS)),,-D_FORTIFY_SOURCE=2)
LDHARDEN := -pie -Wl,-z,relro,-z,now
ifdef SANITIZE
HARDEN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDHARDEN := $(HARDEN)
endif
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -I. -Iengine -Itests/unit -DVERSION='"$(VERSION)"' -DWORKER='"$(SBINDIR)/vmaffinity-hook"' \
	$(WARNINGS) $(HARDEN) -MMD -MP $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(LDHARDEN) -Wl,--as-needed $(LDFLAGS)

XML_CFLAGS := $(shell $(PKG_CONFIG) --cflags expat)
XML_LIBS := $(shell $(PKG_CONFIG) --libs expat)
INI_LIBS := -linih
ADMIN_LIBS := $(shell $(PKG_CONFIG) --libs libvirt smartcols json-c libsystemd)
ADMIN_CFLAGS := $(shell $(PKG_CONFIG) --cflags libvirt smartcols json-c libsystemd)

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
PROGRAMS := $(BUILD)/vmaffinity-guard $(BUILD)/vmaffinity-hook $(BUILD)/vmaffinity

all: $(PROGRAMS)

# The guard must run when every library is gone: it knows libc only, and brings it along. That is also a sixth of its
# time. "make GUARD_STATIC=": with the host's libc.
GUARD_STATIC ?= $(if $(SANITIZE),,-static-pie)
$(BUILD)/vmaffinity-guard: $(BUILD)/hook/guard.o $(BUILD)/engine/base/escape.o
	$(CC) $(ALL_LDFLAGS) $(GUARD_STATIC) -o $@ $^
$(BUILD)/vmaffinity-hook: $(BUILD)/hook/worker.o $(call archives,pin $(USES_pin))
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(XML_LIBS) $(INI_LIBS)
$(BUILD)/vmaffinity: $(CLI_OBJECTS) $(call archives,lint pin $(USES_pin))
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(XML_LIBS) $(INI_LIBS) $(ADMIN_LIBS)

$(BUILD)/engine/guest/xml.o: EXTRA_CFLAGS = $(XML_CFLAGS)
$(foreach wing,$(WINGS),$(eval $(BUILD)/lib$(wing).a: $(call objects,engine/$(wing))))
$(BUILD)/lib%.a:
	rm -f $@ && $(AR) rcs $@ $^
$(CLI_OBJECTS): EXTRA_CFLAGS = $(ADMIN_CFLAGS)
$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(EXTRA_CFLAGS) -c -o $@ $<

# What was built with other flags, say for another PREFIX, is built again.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo "$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)" | cmp -s - $@ || echo "$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)" >$@
FORCE:

-include $(shell find $(BUILD) -name "*.d" 2>/dev/null)

include tests/tests.mk

# Files come into place by rename, so that libvirt never sees half of one; and what is executable never lies in the
# hooks directory under another name, for libvirt runs whatever it finds in qemu.d. So the way leads over a directory
# next to it, on the same file system.
ETC := $(DESTDIR)$(SYSCONFDIR)
install: all
	install -d $(DESTDIR)$(SBINDIR) $(ETC)/libvirt/hooks $(dir $(ETC)/libvirt/hooks/$(HOOK)) \
		$(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man8 $(DESTDIR)$(COMPLETIONDIR) $(DESTDIR)$(UNITDIR)
	for f in vmaffinity vmaffinity-hook; do \
		install -m 0755 $(BUILD)/$$f $(DESTDIR)$(SBINDIR)/.$$f.new && \
		mv -f $(DESTDIR)$(SBINDIR)/.$$f.new $(DESTDIR)$(SBINDIR)/$$f || exit 1; done
	install -m 0755 $(BUILD)/vmaffinity-guard $(ETC)/libvirt/.vmaffinity-guard.new
	mv -f $(ETC)/libvirt/.vmaffinity-guard.new $(ETC)/libvirt/hooks/$(HOOK)
	install -m 0644 man/vmaffinity.8 man/vmaffinity-hook.8 $(DESTDIR)$(MANDIR)/man8
	install -m 0644 man/vmaffinity.ini.5 $(DESTDIR)$(MANDIR)/man5
	install -m 0644 conf/vmaffinity.bash $(DESTDIR)$(COMPLETIONDIR)/vmaffinity
	sed 's,@SBINDIR@,$(SBINDIR),' conf/vmaffinity-watch.service >$(BUILD)/vmaffinity-watch.service
	install -m 0644 $(BUILD)/vmaffinity-watch.service $(DESTDIR)$(UNITDIR)/vmaffinity-watch.service
	test -e $(ETC)/vmaffinity.ini || install -m 0644 conf/vmaffinity.ini $(ETC)/vmaffinity.ini

# All but the configuration. The hook goes first: nothing may run a worker that is half gone.
uninstall:
	rm -f $(ETC)/libvirt/hooks/$(HOOK)
	rm -f $(DESTDIR)$(SBINDIR)/vmaffinity $(DESTDIR)$(SBINDIR)/vmaffinity-hook \
		$(DESTDIR)$(MANDIR)/man8/vmaffinity.8 $(DESTDIR)$(MANDIR)/man8/vmaffinity-hook.8 \
		$(DESTDIR)$(MANDIR)/man5/vmaffinity.ini.5 $(DESTDIR)$(COMPLETIONDIR)/vmaffinity \
		$(DESTDIR)$(UNITDIR)/vmaffinity-watch.service

clean:
	rm -rf build

help:
	@sed -n 's/^#: //p' Makefile tests/tests.mk

.PHONY: all install uninstall clean help
.DELETE_ON_ERROR:
