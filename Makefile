# SPDX-License-Identifier: GPL-2.0-only
# make            build/dmarec, dmaanalyze, dmareport, dmacompare and the examples
# make demo       record, analyse and draw on this machine
# make check      from a fresh machine to the result of the tests: minutes
# make check-all  the same at full size: every seed, clang, fuzzing, both guests
# make install    PREFIX= DESTDIR=; make uninstall takes it away again
# make dist       sources that build offline; make dist-static: one archive to unpack and run; make deb; make rpm
# make check-distros  in Debian 11 and 13; make check-kernels: the guest with their kernels
# make check-sqlite   SQLITE=DIR, where another SQLite's sqlite3.c is: the tests of databases with that one
# make format, asan, man, clean
# make check-unit, check-cli, check-asan, check-gate, lint, check-vm, check-clang, check-fuzz: the parts of both
# make fuzz       FUZZ_SECONDS=60; make bench: cost of reading a recording
# make check-hostile  10,000 damaged files of each kind; make soak: an hour's recording; make coverage: lines of lib/
# make vm, check-vm, check-vm-again: a card in a virtual machine (examples/edu/README.md)
# make help       this list
#
# Sub-directories add their own programs and tests in examples/*/build.mk and tests/*/build.mk.

B            ?= build
PREFIX       ?= /usr/local
DESTDIR      ?=
CC           := $(if $(filter default,$(origin CC)),gcc,$(CC))
CXX          := $(if $(filter default,$(origin CXX)),g++,$(CXX))
CLANG        ?= clang
LINUX_SOURCE ?=
PKG_CONFIG   ?= pkg-config

TOOLS := dmarec dmaanalyze dmareport dmacompare

all: tools examples

Q := $(if $(V),,@)
say = $(if $(V),,@echo "  $(1)	$(2)")

# ---- what every object is compiled with ----
WARN     := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wvla -Werror
OPT      ?= -O2 -g
SAN      ?=
comma    := ,
SANFLAGS := $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
CFLAGS   ?=
CPPFLAGS ?=
# What a program that root runs is built with. What a compiler does not know is left out; a
# distribution's own level of _FORTIFY_SOURCE gives way to ours, and sanitizers to neither.
cc-has    = $(shell echo 'int x;' | $(CC) -Werror $(1) -x c -c -o /dev/null - 2>/dev/null && echo $(1))
FORTIFY  := $(if $(SAN)$(findstring -O0,$(OPT)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$(shell \
	    echo 'int x;' | $(CC) -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -include features.h -Werror -x c -c -o /dev/null - 2>/dev/null && echo 3 || echo 2))
HARDEN   := -fPIE -fstack-protector-strong $(call cc-has,-fcf-protection) $(call cc-has,-mbranch-protection=standard) \
	     $(call cc-has,-fstack-clash-protection) $(FORTIFY)
HARDEN_LD := -pie -Wl$(comma)-z$(comma)relro$(comma)-z$(comma)now
# What computes little is sooner compiled than run, so it is not optimised: tests, but for those that are a world or a
# sample of their own, and under sanitizers two of the tools.
COMPUTES := $(patsubst %,$(B)/tests/unit/test_%.o,align compare density joinprop lostone stat twosample vector world)
QUICK    := $(filter-out $(COMPUTES),$(patsubst tests/%.c,$(B)/tests/%.o,$(wildcard tests/unit/test_*.c)))
$(QUICK) $(if $(SAN),$(B)/record/%.o $(B)/report/%.o): override CFLAGS += -O0 -U_FORTIFY_SOURCE
ALL_CPPFLAGS = -D_GNU_SOURCE -I. $(CPPFLAGS)
ALL_CFLAGS   = -std=gnu11 $(OPT) $(WARN) $(HARDEN) $(SANFLAGS) -fno-strict-aliasing -pthread -MMD -MP $(CFLAGS)
LDFLAGS  ?=
STATIC   ?=
ALL_LDFLAGS  = $(SANFLAGS) -pthread $(if $(STATIC),-static -Wl$(comma)--wrap=dlopen) $(LDFLAGS)

# Libraries by their users. libdma's objects pull in only what a tool refers to.
# Capstone's name changes from release to release: packaging/debian/rules takes its archive.
CAPSTONE     ?= -lcapstone
LIBS_record  := -lbpf $(CAPSTONE) -ldw -lelf -liberty -ltraceevent -lzstd -lz -lm
LIBS_analyze := -lsqlite3 -ltraceevent -lcrypto -lzstd -lm
LIBS_compare := -lsqlite3 -lm
LIBS_report  := -lsqlite3 -lm
LIBS_all     := $(LIBS_record) -lsqlite3 -lcrypto
# What they need themselves, where no loader brings it (make dist-static).
LIBS_static  := $(if $(STATIC),$(shell $(PKG_CONFIG) --static --libs libdw libelf libcrypto) -lz -ldl)

# ---- libperf, from the distribution's kernel source (scripts/libperf.sh) ----
LIBPERF_DIR := build/libperf
LIBPERF     := $(LIBPERF_DIR)/libperf.a $(LIBPERF_DIR)/libapi.a
LIBPERF_INC  = $(shell cat $(LIBPERF_DIR)/flags)
$(LIBPERF_DIR)/flags:
	CC='$(CC)' PKG_CONFIG='$(PKG_CONFIG)' scripts/libperf.sh '$(LIBPERF_DIR)' '$(LINUX_SOURCE)'
$(LIBPERF): $(LIBPERF_DIR)/flags ;
# (.SECONDARY would let a missing one pass where libperf.a is there.)
$(if $(wildcard $(LIBPERF_DIR)/flags),,$(eval .PHONY: $(LIBPERF_DIR)/flags))
# Only this file may see libperf, and only this one the place of installation.
$(B)/record/profile/profile_find.o: ALL_CPPFLAGS += -DDMA_PREFIX='"$(PREFIX)"'
$(B)/record/session.o $(B)/record/session_open.o $(B)/record/session_irq.o $(B)/record/session_list.o: ALL_CPPFLAGS += $(LIBPERF_INC)
$(B)/record/session.o $(B)/record/session_open.o $(B)/record/session_irq.o $(B)/record/session_list.o: | $(LIBPERF)

# libtraceevent can be told to be quiet since 1.3 (Debian 11 has 1.1).
$(B)/lib/event/event_format.o: ALL_CPPFLAGS += $(shell $(PKG_CONFIG) --atleast-version=1.3 libtraceevent && echo -DTEP_HAS_LOGLEVEL)

# ---- archives: one for lib/ and one for each tool's parts without its main ----
# The rooms, and which may include which: doc/design.md (scripts/house.sh checks it).
OWNERS  := record analyze compare report
MAINS   := record/dmarec.c analyze/dmaanalyze.c compare/dmacompare.c report/dmareport.c
rooms    = $(1) $(patsubst %/.,%,$(wildcard $(1)/*/.))
sources  = $(filter-out $(MAINS) %.bpf.c %.so.c,$(wildcard $(addsuffix /*.c,$(call rooms,$(1)))))
objs     = $(patsubst %.c,$(B)/%.o,$(1))
embeds   = $(patsubst %,$(B)/%.embed.o,$(wildcard $(foreach s,css js html gp,$(addsuffix /*.$(s),$(call rooms,$(1))))))
SQL     := $(patsubst %.sql,$(B)/%.sql.o,$(wildcard schema/*.sql))
BPF     := $(patsubst %.bpf.c,$(B)/%.bpf.embed.o,$(wildcard record/*.bpf.c))

# With their directories, so that a file that leaves one leaves the archive.
$(B)/libdma.a: $(call objs,$(call sources,lib)) $(SQL) $(call embeds,lib) $(call rooms,lib)
$(B)/record.a: $(BPF) $(B)/record/agent/agent.embed.o
$(foreach o,$(OWNERS),$(eval $(B)/$(o).a: $(call objs,$(call sources,$(o))) $(call embeds,$(o)) $(call rooms,$(o))))
$(B)/%.a:
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR,$@)
	$(Q)$(AR) rcs $@ $(filter %.o,$^)

# What is missing is said in sentences, once for a build's directory.
$(B)/.libraries:
	@mkdir -p $(@D)
	@CC='$(CC)' CLANG='$(CLANG)' CPPFLAGS='$(CPPFLAGS)' LDFLAGS='$(LDFLAGS)' STATIC='$(STATIC)' scripts/libraries.sh && touch $@

$(B)/%.o: %.c | $(B)/.libraries
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

# embed SYMBOL FILE OBJECT: a text with a NUL behind it, and SYMBOL_len
embed = @mkdir -p $(dir $(3)); printf '.section .rodata\n.balign 16\n.globl %s\n%s:\n.incbin "%s"\n1: .byte 0\n.balign 8\n.globl %s_len\n%s_len: .quad 1b-%s\n.section .note.GNU-stack,"",%%progbits\n' \
	$(1) $(1) $(2) $(1) $(1) $(1) | $(CC) -c -x assembler -o $(3) -
sym = $(subst -,_,$(subst .,_,$(notdir $(1))))
$(B)/schema/%.sql.o: schema/%.sql
	$(call embed,sql_$*,$<,$@)
$(B)/report/%.embed.o: report/%
	$(call embed,embed_$(call sym,$<),$<,$@)
$(B)/lib/draw/%.embed.o: lib/draw/%
	$(call embed,embed_$(call sym,$<),$<,$@)
$(B)/record/%.bpf.o: record/%.bpf.c | $(B)/.libraries
	@mkdir -p $(@D)
	$(call say,BPF,$<)
	$(Q)$(CLANG) -O2 -g -Wall -Werror -target bpf -I/usr/include/$(shell $(CC) -print-multiarch) -c -o $@ $<
$(B)/record/%.bpf.embed.o: $(B)/record/%.bpf.o
	$(call embed,embed_$*_bpf,$<,$@)

# ---- what runs inside the workload (record/agent): no libc, no vector registers ----
AGENT_GCC    = $(if $(findstring clang,$(CC)),,-fno-tree-loop-distribute-patterns)
AGENT_PARTS  := $(wildcard record/agent/agent*.so.c)
AGENT_MACHINE = $(if $(findstring aarch64,$(1)),$(filter-out %_x86.so.c,$(AGENT_PARTS)),$(filter-out %_arm64.so.c,$(AGENT_PARTS)))
AGENT_CFLAGS := -std=gnu11 -O2 -g $(WARN) -I. -fPIC -shared -nostdlib -ffreestanding -fno-stack-protector \
	-mgeneral-regs-only -fvisibility=hidden -fno-asynchronous-unwind-tables \
	-Wl,-z,initfirst,-z,now,--no-undefined,--hash-style=both,--build-id=none,-soname,dmarec-agent.so
AGENT_OPT     = $(if $(findstring aarch64,$(1)),-mno-outline-atomics,-fcf-protection=full)
$(B)/dmarec-agent.so: $(AGENT_PARTS) $(wildcard record/agent/*.h)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(AGENT_CFLAGS) $(AGENT_GCC) $(call AGENT_OPT,$(shell $(CC) -dumpmachine)) -o $@ \
		$(call AGENT_MACHINE,$(shell $(CC) -dumpmachine))
$(B)/record/agent/agent.embed.o: $(B)/dmarec-agent.so
	$(call embed,embed_agent,$<,$@)

# ---- the tools ----
TOOL_dmarec     := record
TOOL_dmaanalyze := analyze
TOOL_dmacompare := compare
TOOL_dmareport  := report
tools: $(addprefix $(B)/,$(TOOLS))
define tool
$(B)/$(1): $(B)/$(TOOL_$(1))/$(1).o $(B)/$(TOOL_$(1)).a $(B)/libdma.a $(if $(STATIC),$(B)/packaging/static.o)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(HARDEN_LD) $$(ALL_LDFLAGS) -o $$@ $$^ $$(TOOL_LIBPERF) $$(LIBS_$(TOOL_$(1))) $$(LIBS_static)
endef
$(foreach t,$(TOOLS),$(eval $(call tool,$(t))))
$(B)/dmarec: TOOL_LIBPERF = $(LIBPERF)
$(B)/dmarec: | $(LIBPERF)

# ---- unit tests: every tests/unit/test_*.c is a program; other .c files there are shared ----
# There are many to link: by the faster linker, where there is one.
UNIT        := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/test_*.c))
TEST_LD     := $(shell echo 'int main(void) { return 0; }' | $(CC) -fuse-ld=gold -x c -o /dev/null - 2>/dev/null && echo -fuse-ld=gold)
UNIT_SHARED := $(call objs,$(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c)))
ARCHIVES    := $(patsubst %,$(B)/%.a,$(OWNERS)) $(B)/libdma.a
$(B)/tests/%.o: ALL_CPPFLAGS += -DTEST_BUILD='"$(abspath $(B))"' -DTEST_SOURCE='"$(CURDIR)"'
$(UNIT): $(B)/tests/unit/%: $(B)/tests/unit/%.o $(UNIT_SHARED) $(ARCHIVES) | $(LIBPERF)
	$(call say,LD,$@)
	$(Q)$(CC) $(TEST_LD) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBPERF) $(LIBS_all) -lcmocka
unit: $(UNIT)

examples:
include $(wildcard examples/*/build.mk tests/*/build.mk)

# ---- checks ----
# The tests of a program can be shared out: prove is given so many scripts, each with its SIM_SHARE (tests/unit/sim.h).
SHARES_test_joinprop := 4
SHARES_test_vector   := 2
part   = $(B)/tests/unit/$(1).$(2)of$(SHARES_$(1))
parts  = $(foreach k,$(wordlist 1,$(SHARES_$(1)),1 2 3 4 5 6 7 8),$(call part,$(1),$(k)))
SHARED := $(foreach t,$(notdir $(UNIT)),$(if $(SHARES_$(t)),$(t)))
# As prove is given them, the longest first.
UNIT_RUN := $(foreach t,$(SHARED),$(call parts,$(t))) $(filter-out $(addprefix %/,$(SHARED)),$(UNIT))
define shares
$(call part,$(1),$(2)): $(B)/tests/unit/$(1)
	$$(Q)printf '%s\n' '#!/bin/sh' 'SIM_SHARE=$(2)/$(SHARES_$(1)) exec "$$$${0%.*}" "$$$$@"' >$$@ && chmod +x $$@
endef
$(foreach t,$(SHARED),$(foreach k,$(wordlist 1,$(SHARES_$(t)),1 2 3 4 5 6 7 8),$(eval $(call shares,$(t),$(k)))))

JOBS     ?= $(shell nproc)
CLI      := $(sort $(wildcard tests/cli/*.t))
CLI_LONG := $(addprefix tests/cli/,truth.t dmareport.t dmacompare.t)
CLI_RUN  := $(CLI_LONG) $(filter-out $(CLI_LONG),$(CLI))
# Minutes of recordings, of terminals and of damage; make check-all has them.
CLI_SLOW := $(addprefix tests/cli/,live.t keep.t certain.t rotate.t inside.t)
ASAN     := B=build/asan SAN=1 OPT='-O1 -g' CFLAGS=-Wno-format-truncation
ASAN_RUN := $(patsubst $(B)/%,build/asan/%,$(UNIT_RUN))
TESTS    := B='$(B)' JOBS='$(JOBS)' MAKE='$(MAKE)' scripts/tests.sh
export B CC CXX
unit-programs: unit $(UNIT_RUN) $(CHECK_UNIT_NEEDS)
cli-programs: all $(CHECK_CLI_NEEDS)
asan-programs:
	$(MAKE) --no-print-directory $(ASAN) unit-programs hostile-programs
check-unit: unit-programs
	$(TESTS) $(UNIT_RUN)
check-cli: cli-programs
	@scripts/tracefs.sh
	$(TESTS) $(CLI_RUN)
check-asan: asan-programs
	SIM_SIZE="$${SIM_SIZE:-tenth}" $(TESTS) $(ASAN_RUN)
check-clang:
	$(MAKE) --no-print-directory B=build/clang CC=clang CXX=clang++ tools unit
COVERED  := B=build/coverage OPT='-O0 -g' CFLAGS='--coverage -Wno-format-truncation' LDFLAGS=--coverage
coverage:
	$(MAKE) --no-print-directory $(COVERED) unit $(patsubst $(B)/%,build/coverage/%,$(CHECK_UNIT_NEEDS))
	@scripts/coverage.sh build/coverage
soak: cli-programs
	@scripts/tracefs.sh
	SOAK_SECONDS=$(SOAK_SECONDS) prove --comments --failures -e /bin/bash tests/cli/soak.t
SOAK_SECONDS ?= 3600
check-format:
	@clang-format --dry-run --Werror $(FORMATTED)
asan:
	$(MAKE) --no-print-directory $(ASAN) all
FORMATTED = $(shell git ls-files '*.c' '*.h' '*.cc' 2>/dev/null)
format:
	@clang-format -i $(FORMATTED)
lint: check-format tools
	@scripts/house.sh
	@scripts/house.sh objects $(B)
	@for t in $$(git ls-files 'tests/*.t' 2>/dev/null); do [ -x $$t ] || { echo "$$t: is not executable, so prove cannot run it"; exit 1; }; done
	@cppcheck --quiet --error-exitcode=1 --inline-suppr --suppressions-list=.cppcheck \
		--enable=warning,portability -j2 -D_GNU_SOURCE -D__CPPCHECK__ -I. lib $(OWNERS)

deps:
	scripts/deps.sh build test check
	@scripts/offer-hook
	$(MAKE) --no-print-directory $(LIBPERF)

# The page is looked at in a browser where one can be had; without one that test is skipped with its reason.
browser:
	-@scripts/deps.sh browser

# Built once, then judged in one run of prove, whose totals are the last words. Quick: a tenth of the seeds, and a guest
# beside the other tests. All: before it what another compiler and the fuzzers say; the guests have the machine to
# themselves, so that their times are judged, too.
check:     CLI_SKIP := $(CLI_SLOW)
check:     SIZE := SIM_SIZE=tenth VM_BOOTS=edu VM_EDU='sleep missing spurious timeout two_cards' VM_TIMES=0
check-all: SIZE := SIM_SIZE=full VM_BOOTS='edu flx watch shared keys upset inside' ALONE=tests/vm/check.sh
check-all: MORE := check-clang check-fuzz check-hostile check-distros check-kernels
check-all: DAY := tests/gate/day.t
check check-all: BEGAN := $(shell date +%s)
check check-all: deps browser
	$(MAKE) --no-print-directory -j$(JOBS) lint programs
	@for c in $(MORE); do $(MAKE) --no-print-directory -j$(JOBS) $$c || exit 1; done
	@scripts/tracefs.sh
	@$(SIZE) CHECK="$@" CHECK_BEGAN=$(BEGAN) $(TESTS) $(EVERY_TEST)
programs: unit-programs cli-programs asan-programs vm-programs
EVERY_TEST = tests/vm/check.sh tests/gate/gate.t $(DAY) $(UNIT_RUN) $(CLI_LONG) $(ASAN_RUN) $(filter-out $(CLI_LONG) $(CLI_SKIP),$(CLI))

# ---- from a fresh machine to a picture ----
demo:
	scripts/deps.sh build
	$(MAKE) --no-print-directory -j2 $(LIBPERF) all
	B=$(B) scripts/demo.sh

# The README's pictures, from the demo.
docs: demo
	install -d doc/pictures
	install -m 644 $(B)/demo/report/histogram.png $(B)/demo/report/tail.png $(B)/demo/report/time.png doc/pictures

# ---- manual pages and installation ----
MAN := $(patsubst %.scd,$(B)/%,$(wildcard doc/*.scd))
$(B)/doc/%: doc/%.scd
	@mkdir -p $(@D)
	$(call say,MAN,$@)
	$(Q)scdoc <$< >$@
man: $(MAN)

BINDIR  = $(DESTDIR)$(PREFIX)/bin
DATADIR = $(DESTDIR)$(PREFIX)/share/dmarec
MANDIR  = $(DESTDIR)$(PREFIX)/share/man
COMPDIR = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
INSTALLED_IN = $(BINDIR) $(DATADIR)/profiles $(MANDIR)/man1 $(MANDIR)/man5 $(COMPDIR)
# A package has no list of folders: its manager knows them.
FOLDERS  = $(DATADIR)/folders
PROFILES := $(wildcard examples/profiles/*.ini)
install: tools man
	scripts/folders.sh make '$(if $(DESTDIR),,$(FOLDERS))' $(INSTALLED_IN)
	install -m 755 $(addprefix $(B)/,$(TOOLS)) $(BINDIR)
	install -m 644 $(PROFILES) $(DATADIR)/profiles
	install -m 644 $(filter %.1,$(MAN)) $(MANDIR)/man1
	install -m 644 $(filter %.5,$(MAN)) $(MANDIR)/man5
	for t in $(TOOLS); do install -m 644 doc/completion.bash $(COMPDIR)/$$t || exit 1; done
uninstall:
	rm -f $(addprefix $(BINDIR)/,$(TOOLS)) $(addprefix $(COMPDIR)/,$(TOOLS))
	rm -f $(addprefix $(MANDIR)/man1/,$(notdir $(filter %.1,$(MAN))))
	rm -f $(addprefix $(MANDIR)/man5/,$(notdir $(filter %.5,$(MAN))))
	rm -f $(addprefix $(DATADIR)/profiles/,$(notdir $(PROFILES)))
	scripts/folders.sh $(if $(DESTDIR),prune '$(abspath $(DESTDIR))' $(abspath $(INSTALLED_IN)),remove '$(FOLDERS)')

# ---- what can be carried away: build/dist ----
export MAKE
dist:
	@packaging/dist.sh source
dist-static:
	@scripts/deps.sh build dist
	@packaging/dist.sh static
deb: dist
	@scripts/deps.sh build deb
	packaging/deb.sh
rpm: dist
	@scripts/deps.sh build rpm
	packaging/rpm.sh

# ---- other generations of libraries and kernels ----
DISTROS ?= bullseye trixie
check-distros: all
	@scripts/tracefs.sh
	@$(TESTS) $(DISTROS:%=tests/distros/%.t) tests/distros/static.t tests/distros/deb.t

# Of databases, with another version of the library, as a distribution would replace it.
SQLITE ?=
OTHER  := build/sqlite
SQLITE_RUN := $(patsubst %,$(OTHER)/tests/unit/test_%,db analysis compare compare_load report_figure) $(patsubst %,tests/cli/%.t,dmacompare \
	dmareport figures columns crafted sections default reader dmaanalyze report wrap)
check-sqlite:
	@[ -f '$(SQLITE)/sqlite3.c' ] || { echo "check-sqlite: no '$(SQLITE)/sqlite3.c': SQLITE= names the directory of SQLite's amalgamation" >&2; exit 1; }
	@mkdir -p $(OTHER)
	$(CC) -O1 -w -fPIC -shared -Wl,-soname,libsqlite3.so.0 -o $(OTHER)/libsqlite3.so.0 '$(SQLITE)/sqlite3.c' -lpthread -ldl -lm
	$(MAKE) --no-print-directory B=$(OTHER) LDFLAGS=-Wl,-rpath,$(CURDIR)/$(OTHER) cli-programs $(filter $(OTHER)/%,$(SQLITE_RUN))
	@ldd $(OTHER)/dmaanalyze | grep -q '$(OTHER)/libsqlite3' || { echo "check-sqlite: the tools took this system's SQLite" >&2; exit 1; }
	SIM_SIZE=$${SIM_SIZE:-tenth} B=$(OTHER) JOBS='$(JOBS)' MAKE='$(MAKE)' scripts/tests.sh $(SQLITE_RUN)

list-tests:
	@echo $(UNIT_RUN) $(CLI_RUN)

clean:
	rm -rf build

help:
	@sed -n '/^# make/s/^# //p' $(firstword $(MAKEFILE_LIST))

-include $(shell find $(B) \( -name linux -o -name distros \) -prune -o -type f -name '*.d' -print 2>/dev/null)
.PHONY: dist dist-static deb rpm check-distros check-sqlite list-tests coverage soak browser docs man all tools unit examples check check-all check-unit check-cli check-asan check-clang \
	programs unit-programs cli-programs asan-programs \
	check-format asan format lint deps clean help demo install uninstall
.SECONDARY:
.DELETE_ON_ERROR:
