/* SPDX-License-Identifier: MIT OR Unlicense
   config: flags before environment before default. Pure: argv and a getenv are arguments. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "address.h"

const char *config_usage(void)
{
    return "usage: mnemic [serve] [OPTION…]    receive, store and show what traced programs send\n"
           "       mnemic version              print the version\n"
           "\n"
           "  --store URL        where runs are kept: sqlite:FILE          (sqlite:mnemic.db; MNEMIC_STORE, "
           "POSTGRES_CONN_STR)\n"
           "  --udp ADDR:PORT    where programs send to; port 0 picks one  (127.0.0.1:12013; BACK_END_PORT)\n"
           "                     unix:PATH is a datagram socket of this machine\n"
           "  --http ADDR:PORT   where the page is; port 0 picks one       (127.0.0.1:12111; FRONT_END_PORT)\n"
           "  --key-file FILE    holds a key, 64 hex digits: only datagrams sealed with it are taken and answered\n"
           "  --token-file FILE  holds a token that every reader must show (everyone who reaches the port may read)\n"
           "  --tls-cert FILE    serve HTTPS with this certificate chain (PEM) …\n"
           "  --tls-key FILE     … and this private key (PEM)\n"
           "  --web DIR          serve the page from a folder instead of the one built in\n"
           "  --log-level LEVEL  error, warn, info or debug                (info)\n"
           "  --help             this text\n"
           "\n"
           "Options are --name VALUE or --name=VALUE. They go before the environment variables named in brackets,\n"
           "and these before the defaults. A folder, file or address that cannot be used ends mnemic with a "
           "message.\n";
}

/* ---- where a flag's value goes ---- */

typedef struct {
    const char *name;
    size_t offset; /* of a const char * in config */
} flag;

#define FLAG(name, member)                                                                                           \
    {                                                                                                                \
        name, offsetof(config, member)                                                                               \
    }
static const flag flags[] = {
    FLAG("--store", store),
    FLAG("--udp", udp),
    FLAG("--http", http),
    FLAG("--web", web),
    FLAG("--token-file", token_file),
    FLAG("--tls-cert", tls_cert),
    FLAG("--tls-key", tls_key),
    FLAG("--key-file", key_file),
};

static const char **flag_slot(config *c, const char *name, size_t n)
{
    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        if (strlen(flags[i].name) == n && memcmp(flags[i].name, name, n) == 0)
            return (const char **)(void *)((char *)c + flags[i].offset);
    return NULL;
}

/* ---- the command line ---- */

static bool read_command(config *c, const char *word, buf *why)
{
    if (strcmp(word, "serve") == 0) {
        c->command = COMMAND_SERVE;
    } else if (strcmp(word, "version") == 0) {
        c->command = COMMAND_VERSION;
    } else if (strcmp(word, "help") == 0) {
        c->command = COMMAND_HELP;
    } else {
        buf_printf(why, "unknown command '%s'; see mnemic --help", word);
        return false;
    }
    return true;
}

/* One option at argv[*i], with its value behind it or behind '='. */
static bool read_option(config *c, int argc, char **argv, int *i, const char **log, buf *why)
{
    const char *word = argv[*i], *equals = strchr(word, '=');
    size_t n = equals ? (size_t)(equals - word) : strlen(word);
    if (!equals && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)) {
        c->command = COMMAND_HELP;
        return true;
    }
    if (!equals && strcmp(word, "--version") == 0) {
        c->command = COMMAND_VERSION;
        return true;
    }
    const char **slot = n == 11 && memcmp(word, "--log-level", n) == 0 ? log : flag_slot(c, word, n);
    if (!slot) {
        buf_printf(why, "unknown option '%.*s'; see mnemic --help", (int)n, word);
        return false;
    }
    const char *value = equals ? equals + 1 : *i + 1 < argc ? argv[++*i] : NULL;
    if (!value || !*value) {
        buf_printf(why, "%.*s needs a value; see mnemic --help", (int)n, word);
        return false;
    }
    *slot = value;
    return true;
}

static bool read_arguments(config *c, int argc, char **argv, const char **log, buf *why)
{
    for (int i = 1; i < argc; i++) {
        bool good = argv[i][0] == '-' ? read_option(c, argc, argv, &i, log, why)
                    : i == 1          ? read_command(c, argv[i], why)
                                      : (buf_printf(why, "unexpected '%s'; see mnemic --help", argv[i]), false);
        if (!good) return false;
    }
    return true;
}

/* ---- the environment and the defaults ---- */

static const char *env_value(const char *(*env)(const char *name), const char *name)
{
    const char *value = env(name);
    return value && *value ? value : NULL;
}

/* 127.0.0.1 and the port that the variable names, or the default one. */
static bool default_address(char out[64], const char *(*env)(const char *name), const char *variable,
                            const char *port, buf *why)
{
    const char *told = env_value(env, variable);
    char host[ADDRESS_HOST], checked[ADDRESS_PORT];
    int n = snprintf(out, 64, "127.0.0.1:%s", told ? told : port);
    if (n < 64 && address_split(out, host, checked) && strcmp(host, "127.0.0.1") == 0) return true;
    buf_printf(why, "%s is '%s', which is no port (0 to 65535)", variable, told);
    return false;
}

static bool fill_defaults(config *c, const char *(*env)(const char *name), buf *why)
{
    if (!c->store) c->store = env_value(env, "MNEMIC_STORE");
    if (!c->store) c->store = env_value(env, "POSTGRES_CONN_STR");
    if (!c->store) c->store = "sqlite:mnemic.db";
    if (!c->udp) {
        if (!default_address(c->udp_default, env, "BACK_END_PORT", "12013", why)) return false;
        c->udp = c->udp_default;
    }
    if (!c->http) {
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

static bool check(const config *c, buf *why)
{
    if (!c->tls_cert != !c->tls_key) {
        buf_printf(why, "%s is given without %s; TLS needs both", c->tls_cert ? "--tls-cert" : "--tls-key",
                   c->tls_cert ? "--tls-key" : "--tls-cert");
        return false;
    }
    return (address_unix_path(c->udp) || check_address("--udp", c->udp, why)) &&
           check_address("--http", c->http, why);
}

bool config_read(config *c, int argc, char **argv, const char *(*env)(const char *name), buf *why)
{
    *c = (config){.log = LOG_INFO};
    const char *log = NULL;
    if (!read_arguments(c, argc, argv, &log, why)) return false;
    if (c->command != COMMAND_SERVE) return true;
    if (log && !log_level_parse(log, &c->log)) {
        buf_printf(why, "--log-level: '%s' is none of error, warn, info, debug", log);
        return false;
    }
    return fill_defaults(c, env, why) && check(c, why);
}
