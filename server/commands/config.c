/* SPDX-License-Identifier: MIT OR Unlicense
   config: flags before environment before default. Pure: argv and a getenv are arguments. */
#include "commands/config.h"

#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "base/when.h"

/* ---- what a command line may hold ---- */

typedef struct {
    const char *word;
    bool takes_words; /* behind it, that are no options */
} command_form;

static const command_form commands[COMMAND_COUNT] = {
    [COMMAND_SERVE] = {"serve", false},
    [COMMAND_DRIFT] = {"drift", true},
    [COMMAND_EXPORT] = {"export", true},
    [COMMAND_IMPORT] = {"import", true},
    [COMMAND_HEALTHCHECK] = {"healthcheck", false},
    [COMMAND_VERSION] = {"version", false},
    [COMMAND_HELP] = {"help", false},
};

/* The commands that know an option, a bit each. */
enum {
    SERVE = 1 << COMMAND_SERVE,
    DRIFT = 1 << COMMAND_DRIFT,
    EXPORT = 1 << COMMAND_EXPORT,
    IMPORT = 1 << COMMAND_IMPORT,
    HEALTHCHECK = 1 << COMMAND_HEALTHCHECK,
    ON_STORE = SERVE | DRIFT | EXPORT | IMPORT
};

typedef struct {
    const char *name;
    size_t offset; /* of a const char * in config                        */
    unsigned commands;
    const char *variable; /* of the environment; NULL: none, or not this simple */
    bool is_switch;       /* it takes no value                                  */
} option_form;

#define TO(member) offsetof(config, member)
static const option_form options[] = {
    {"--store", TO(store), ON_STORE, "MNEMIC_STORE", false},
    {"--udp", TO(udp), SERVE, NULL, false},
    {"--http", TO(http), SERVE | HEALTHCHECK, NULL, false},
    {"--web", TO(web), SERVE, NULL, false},
    {"--token-file", TO(token_file), SERVE | HEALTHCHECK, "MNEMIC_TOKEN_FILE", false},
    {"--tls-cert", TO(tls_cert), SERVE, "MNEMIC_TLS_CERT", false},
    {"--tls-key", TO(tls_key), SERVE, "MNEMIC_TLS_KEY", false},
    {"--key-file", TO(key_file), SERVE, "MNEMIC_KEY_FILE", false},
    {"--retain", TO(retain_text), SERVE, "MNEMIC_RETAIN", false},
    {"--columns", TO(columns), DRIFT, NULL, false},
    {"--from", TO(from), DRIFT, NULL, false},
    {"--to", TO(to), DRIFT, NULL, false},
    {"--last", TO(last), DRIFT, NULL, false},
    {"--fail-above", TO(fail_above), DRIFT, NULL, false},
    {"--log-level", TO(log_name), ON_STORE, "MNEMIC_LOG_LEVEL", false},
    {"--out", TO(out), EXPORT, NULL, false},
    {"--app", TO(app), EXPORT, NULL, false},
    {"--all", TO(all), EXPORT, NULL, true},
    {"--original", TO(original), IMPORT, NULL, true},
    {"--drop-original", TO(drop_original), IMPORT, NULL, true},
};

static const char **slot_of(config *c, const option_form *o)
{
    return (const char **)(void *)((char *)c + o->offset);
}

static bool is_known_to(const option_form *o, config_command command)
{
    return o->commands >> command & 1;
}

/* ---- the command line ---- */

/* "see mnemic export --help" */
static bool refuse(const config *c, buf *why)
{
    bool own = c->command != COMMAND_SERVE && c->command < COMMAND_VERSION;
    buf_printf(why, "; see mnemic %s%s--help", own ? commands[c->command].word : "", own ? " " : "");
    return false;
}

static bool read_command(config *c, const char *word, buf *why)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        c->command = (config_command)i;
        if (strcmp(commands[i].word, word) == 0) return true;
    }
    buf_printf(why, "unknown command '%s'; see mnemic --help", word);
    return false;
}

static const option_form *find_option(const char *name, size_t n)
{
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        if (strlen(options[i].name) == n && memcmp(options[i].name, name, n) == 0) return &options[i];
    return NULL;
}

/* --help and --version stand for commands. */
static bool read_asking(config *c, const char *word)
{
    bool help = strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
    if (!help && strcmp(word, "--version") != 0) return false;
    if (help && c->command != COMMAND_HELP) c->help_on = c->command;
    c->command = help ? COMMAND_HELP : COMMAND_VERSION;
    return true;
}

/* The option at argv[*i], with its value behind it or behind '='. */
static bool read_option(config *c, int argc, char **argv, int *i, buf *why)
{
    const char *word = argv[*i], *equals = strchr(word, '=');
    size_t n = equals ? (size_t)(equals - word) : strlen(word);
    if (read_asking(c, word)) return true;
    const option_form *o = find_option(word, n);
    if (!o || (c->command < COMMAND_VERSION && !is_known_to(o, c->command)) || (o->is_switch && equals)) {
        if (!o)
            buf_printf(why, "unknown option '%.*s'", (int)n, word);
        else
            buf_printf(why, o->is_switch && equals ? "%s takes no value" : "%s is no option of this command",
                       o->name);
        return refuse(c, why);
    }
    const char *value = o->is_switch ? o->name : equals ? equals + 1 : *i + 1 < argc ? argv[++*i] : NULL;
    if (!value || !*value) {
        buf_printf(why, "%s needs a value", o->name);
        return refuse(c, why);
    }
    *slot_of(c, o) = value;
    return true;
}

/* Words are gathered at argv's beginning, which has been read by then. */
static bool read_arguments(config *c, int argc, char **argv, buf *why)
{
    c->words = argv;
    int first = 1;
    if (argc > 1 && argv[1][0] != '-') {
        if (!read_command(c, argv[1], why)) return false;
        first = 2;
    }
    for (int i = first, plain = 0; i < argc; i++) {
        bool word = plain || argv[i][0] != '-' || !argv[i][1]; /* "-" is a file, "--" ends the options */
        if (!word && strcmp(argv[i], "--") == 0) {
            plain = 1;
        } else if (word && commands[c->command].takes_words) {
            argv[c->word_count++] = argv[i];
        } else if (word) {
            buf_printf(why, "unexpected '%s'", argv[i]);
            return refuse(c, why);
        } else if (!read_option(c, argc, argv, &i, why)) {
            return false;
        }
    }
    return true;
}

/* ---- the environment and the defaults ---- */

static const char *env_value(const char *(*env)(const char *name), const char *name)
{
    const char *value = env(name);
    return value && *value ? value : NULL;
}

static void read_variables(config *c, const char *(*env)(const char *name))
{
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        const option_form *o = &options[i];
        if (o->variable && is_known_to(o, c->command) && !*slot_of(c, o))
            *slot_of(c, o) = env_value(env, o->variable);
    }
}

/* The address that MNEMIC_BIND names and the port that `variable` does, or 127.0.0.1 and the default one. */
static bool default_address(char out[128], const char *(*env)(const char *name), const char *variable,
                            const char *port, buf *why)
{
    const char *bind = env_value(env, "MNEMIC_BIND"), *told = env_value(env, variable);
    char host[ADDRESS_HOST], checked[ADDRESS_PORT];
    int n = snprintf(out, 128, "127.0.0.1:%s", told ? told : port);
    if (n >= 128 || !address_split(out, host, checked) || strcmp(host, "127.0.0.1") != 0) {
        buf_printf(why, "%s is '%s', which is no port (0 to 65535)", variable, told);
        return false;
    }
    n = bind ? snprintf(out, 128, "%s:%s", bind, checked) : n;
    if (n < 128 && address_split(out, host, checked)) return true;
    buf_printf(why, "MNEMIC_BIND is '%s', which is no address, as 0.0.0.0 or [::] are", bind);
    return false;
}

static bool fill_defaults(config *c, const char *(*env)(const char *name), buf *why)
{
    read_variables(c, env);
    if (!c->store) c->store = env_value(env, "POSTGRES_CONN_STR");
    if (!c->store) c->store = "sqlite:mnemic.db";
    if (!c->out) c->out = "-";
    if (!c->udp && c->command == COMMAND_SERVE) {
        if (!default_address(c->udp_default, env, "BACK_END_PORT", "12013", why)) return false;
        c->udp = c->udp_default;
    }
    if (!c->http && is_known_to(find_option("--http", 6), c->command)) {
        if (!default_address(c->http_default, env, "FRONT_END_PORT", "12111", why)) return false;
        c->http = c->http_default;
    }
    return true;
}

/* ---- what does not fit together ---- */

static bool check_address(const char *option, const char *address, buf *why)
{
    char host[ADDRESS_HOST], port[ADDRESS_PORT];
    if (address_split(address, host, port)) return true;
    buf_printf(why, "%s: '%s' is not of the form ADDR:PORT, as 127.0.0.1:12013 or [::1]:12013", option, address);
    return false;
}

static bool check_retain(config *c, buf *why)
{
    if (!c->retain_text || (when_duration(c->retain_text, &c->retain) && c->retain >= NS_PER_SECOND)) return true;
    buf_printf(why, "--retain: '%s' is no length of time, as 90s, 12h, 30d or 52w are", c->retain_text);
    return false;
}

static bool check_serve(config *c, buf *why)
{
    if (!check_retain(c, why)) return false;
    if (!c->tls_cert != !c->tls_key) {
        buf_printf(why, "%s is given without %s; TLS needs both", c->tls_cert ? "--tls-cert" : "--tls-key",
                   c->tls_cert ? "--tls-key" : "--tls-cert");
        return false;
    }
    return (address_unix_path(c->udp) || check_address("--udp", c->udp, why)) &&
           check_address("--http", c->http, why);
}

static bool check_drift(const config *c, buf *why)
{
    if (c->word_count != 1)
        buf_text(why, c->word_count ? "one run at a time" : "which run? Name it, or its application");
    else if (c->last && c->from)
        buf_text(why, "--last and --from say two things about where to begin");
    else
        return true;
    return refuse(c, why);
}

static bool check_export(const config *c, buf *why)
{
    int ways = (c->word_count > 0) + (c->app != NULL) + (c->all != NULL);
    if (ways == 1) return true;
    buf_text(why, ways ? "name runs, or give --app, or --all: one of them"
                       : "which runs? Name them, or an application by --app, or give --all");
    return refuse(c, why);
}

static bool check_import(const config *c, buf *why)
{
    if (c->drop_original && !c->original)
        buf_text(why, "--drop-original goes with --original");
    else if (c->original && c->word_count > 0)
        buf_text(why, "--original takes no files");
    else if (!c->original && c->word_count == 0)
        buf_text(why, "which files? Name them, or '-' for standard input");
    else
        return true;
    return refuse(c, why);
}

static bool check(config *c, buf *why)
{
    switch (c->command) {
    case COMMAND_SERVE: return check_serve(c, why);
    case COMMAND_DRIFT: return check_drift(c, why);
    case COMMAND_EXPORT: return check_export(c, why);
    case COMMAND_IMPORT: return check_import(c, why);
    case COMMAND_HEALTHCHECK: return check_address("--http", c->http, why);
    default: return true;
    }
}

bool config_read(config *c, int argc, char **argv, const char *(*env)(const char *name), buf *why)
{
    *c = (config){.log = LOG_INFO};
    if (!read_arguments(c, argc, argv, why)) return false;
    if (c->command >= COMMAND_VERSION) return true;
    if (!fill_defaults(c, env, why)) return false;
    if (c->log_name && !log_level_parse(c->log_name, &c->log)) {
        buf_printf(why, "--log-level: '%s' is none of error, warn, info, debug", c->log_name);
        return false;
    }
    return check(c, why);
}
