# dolon: build, demo, test, bench, install.   make B=DIR builds elsewhere; SAN=address,undefined with sanitizers;
# V=1 shows whole commands.
B       ?= build
PREFIX  ?= /usr/local
VERSION := $(shell sed -n 's/^\#define DOLON_VERSION *"\(.*\)".*/\1/p' dolon.h)

CC       = gcc
CXX      = g++
CLANG    = clang
WARN     = -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wundef -Wcast-align=strict -Wpointer-arith \
           -Wwrite-strings -Wvla -Wformat=2 -Werror
CWARN    = -Wstrict-prototypes -Wmissing-prototypes
OPTIMISE = -O2 -g -fno-omit-frame-pointer $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all,-D_FORTIFY_SOURCE=2 \
           -fstack-protector-strong)
CPPFLAGS = -Iserver -D_GNU_SOURCE -DH2O_USE_LIBUV=0 -DMNEMIC_VERSION='"$(VERSION)"' -MMD -MP \
           $(shell pkg-config --cflags libpq)
CFLAGS   = -std=c11 $(WARN) $(CWARN) $(OPTIMISE) -pthread
LDFLAGS  = $(if $(SAN),-fsanitize=$(SAN)) -pthread -Wl,-z,relro,-z,now
LDLIBS   = -lh2o-evloop -lssl -lcrypto -lsqlite3 -lpq -lzstd -ljansson -lsodium -lz -lm

SERVER   = $(wildcard server/*/*.c server/*/*/*.c)
UPLOT    = build/npm/node_modules/uplot/dist
PAGE     = $(wildcard web/*.html web/*.css web/*.js web/*.svg)
TESTS    = $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/test_*.c))
FUZZERS  = $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
BENCHES  = $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/bench_*.c))
EXAMPLES = $(patsubst examples/%.c,$(B)/examples/%,$(filter-out examples/plugin.c,$(wildcard examples/*.c))) \
           $(B)/examples/plugin.so $(if $(shell command -v $(CXX)),$(B)/examples/classes)
PROGRAMS = $(patsubst tests/programs/%.c,$(B)/programs/%,$(wildcard tests/programs/*.c))

say      = $(if $(V),,@printf '  %-8s%s\n' $(1) '$@';)

.PHONY: all demo split dist test bench screenshots install clean tests programs fuzzers benches
.DELETE_ON_ERROR:
.SECONDARY:
all: $(B)/mnemic $(EXAMPLES)
tests: $(TESTS)
programs: $(PROGRAMS)
fuzzers: $(FUZZERS)
benches: $(BENCHES)

# ---- what people call ----
demo:
	@sh server/setup.sh build
	@$(MAKE) --no-print-directory -j"$$(nproc)" all
	@sh examples/demo.sh $(B)
test:
	@sh server/setup.sh test
	@bash tests/run.sh
bench:
	@sh server/setup.sh bench
	@$(MAKE) --no-print-directory -j"$$(nproc)" all benches
	@sh tests/bench/run.sh $(B)
screenshots:
	@sh server/setup.sh test
	@$(MAKE) --no-print-directory -j"$$(nproc)" all build/npm-test/.done
	@NODE_MODULES=$(CURDIR)/build/npm-test/node_modules MNEMIC=$(abspath $(B)/mnemic) node tests/e2e/screenshots.mjs
install: all
	install -D -m 755 $(B)/mnemic $(DESTDIR)$(PREFIX)/bin/mnemic
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/include dolon.h
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/cmake/dolon packaging/dolonConfig.cmake packaging/dolonConfigVersion.cmake
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man3 packaging/man/dolon.3
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man1 packaging/man/mnemic.1
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man7 packaging/man/dolon-wire.7
	install -d $(DESTDIR)$(PREFIX)/share/pkgconfig
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' packaging/dolon.pc.in > $(DESTDIR)$(PREFIX)/share/pkgconfig/dolon.pc
split:
	@sh packaging/split.sh $(B)/split
dist:
	@sh packaging/dist.sh $(B)/dist $(or $(URL),$(error make dist URL=https://… is where the release will lie))
clean:
	rm -rf $(B)

# ---- the server ----
$(B)/mnemic: $(B)/server/main.o $(B)/libmnemic.a
	$(call say,LD)$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@
$(B)/libmnemic.a: $(SERVER:%.c=$(B)/%.o) $(B)/assets_data.o
	$(call say,AR)rm -f $@ && $(AR) rcs $@ $^
$(B)/server/store/chunk.o $(B)/server/store/column.o: OPTIMISE += $(if $(SAN),,-O3) # loops over many numbers
$(B)/server/%.o: server/%.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS) $(CFLAGS) -c $< -o $@

# ---- the page: our files and uPlot's, joined, and embedded; mnemic --web build/page serves them as they are ----
build/npm/.done: web/package.json web/package-lock.json
	@mkdir -p $(@D) && cp $^ $(@D)
	$(call say,NPM)cd $(@D) && npm ci --loglevel=error --omit=dev --ignore-scripts --no-audit --no-fund && touch .done
build/npm-test/.done: web/package.json web/package-lock.json
	@mkdir -p $(@D) && cp $^ $(@D)
	$(call say,NPM)cd $(@D) && npm ci --loglevel=error --ignore-scripts --no-audit --no-fund && touch .done
build/page/.done: build/npm/.done $(PAGE)
	@rm -rf $(@D) && mkdir -p $(@D)
	$(call say,COPY)cp $(PAGE) $(UPLOT)/uPlot.esm.js $(UPLOT)/uPlot.min.css $(@D)
	@touch $@
build/web/.done: build/page/.done server/bundle.mjs
	@rm -rf $(@D) && mkdir -p $(@D) && cp build/page/index.html build/page/icon.svg $(@D)
	$(call say,BUNDLE)node server/bundle.mjs build/npm/node_modules build/page $(@D)
	@touch $@
$(B)/assets_data.S: build/web/.done server/embed.sh
	@mkdir -p $(@D)
	$(call say,EMBED)sh server/embed.sh build/web > $@
$(B)/assets_data.o: $(B)/assets_data.S
	$(call say,AS)$(CC) -c $< -o $@

# ---- examples, tests, fuzzers, benches ----
$(B)/examples/postgres: USES = $(shell pkg-config --cflags --libs libpq)
$(B)/examples/plugin_host: USES = -ldl -Wl,-rpath,'$$ORIGIN'
$(B)/examples/%: examples/%.c dolon.h
	@mkdir -p $(@D)
	$(call say,CC)$(CC) -std=c99 $(WARN) $(CWARN) $(OPTIMISE) -MMD -MP -I. $< -o $@ -pthread -lm $(USES)
$(B)/examples/%: examples/%.cpp dolon.h
	@mkdir -p $(@D)
	$(call say,CXX)$(CXX) -std=c++11 $(WARN) $(OPTIMISE) -MMD -MP -I. $< -o $@ -pthread
$(B)/examples/%.so: examples/%.c dolon.h
	@mkdir -p $(@D)
	$(call say,CC)$(CC) -std=c99 $(WARN) $(CWARN) $(OPTIMISE) -MMD -MP -I. -fPIC -shared $< -o $@ -pthread
$(B)/programs/%_sealed: SEAL = -lsodium
$(B)/programs/%: tests/programs/%.c dolon.h
	@mkdir -p $(@D)
	$(call say,CC)$(CC) -std=c99 $(WARN) $(CWARN) $(OPTIMISE) -MMD -MP -I. $< -o $@ -pthread -lm $(SEAL)
$(B)/tests/%: tests/%.c $(B)/libmnemic.a
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -I. $< $(B)/libmnemic.a -lcmocka $(LDLIBS) -o $@
$(B)/bench/bench_lttng: USES = $(shell pkg-config --libs lttng-ust 2>/dev/null)
$(B)/bench/%: tests/bench/%.c $(B)/libmnemic.a
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -I. $< $(B)/libmnemic.a $(LDLIBS) $(USES) -o $@
$(B)/fuzz/%: tests/fuzz/%.c $(SERVER) dolon.h
	@mkdir -p $(@D)
	$(call say,CLANG)$(CLANG) $(CPPFLAGS) -std=c11 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -I. $< \
	    $(filter server/archive/archive.c server/archive/archive_block.c server/base/base.c server/base/histogram.c server/ingest/decode% server/ingest/replay.c \
        server/ingest/seal.c server/ingest/sources.c server/runs/% server/store/chunk% server/store/column.c,$(SERVER)) -ljansson -lsodium -lzstd -lm -o $@

-include $(shell find $(B) -path '*/container' -prune -o -name '*.d' -print 2>/dev/null)
