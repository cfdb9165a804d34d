/* SPDX-License-Identifier: MIT OR Unlicense
   config: flags before environment before default. Pure: argv and a getenv are arguments. */
#ifndef CONFIG_H
#define CONFIG_H

#include "base/base.h"

typedef enum {
    COMMAND_SERVE,
    COMMAND_DRIFT,
    COMMAND_EXPORT,
    COMMAND_IMPORT,
    COMMAND_HEALTHCHECK,
    COMMAND_VERSION,
    COMMAND_HELP,
    COMMAND_COUNT
} config_command;

/* Strings point into argv, the environment, or constants; composed ones are owned by the config. */
typedef struct {
    config_command command;
    config_command help_on;         /* of COMMAND_HELP: whose options to tell                                */
    const char *store;              /* "sqlite:mnemic.db"; --store, MNEMIC_STORE, POSTGRES_CONN_STR          */
    const char *udp, *http;         /* "127.0.0.1:12013", "127.0.0.1:12111"; MNEMIC_BIND, BACK_END_PORT, …   */
    const char *web;                /* a folder to serve the page from; NULL: the page in the binary         */
    const char *token_file;         /* NULL: everyone who reaches the port may read                          */
    const char *key_file;           /* NULL: datagrams are not sealed                                        */
    const char *tls_cert, *tls_key; /* both or neither                                                       */
    const char *columns;            /* drift: names, with commas between them; NULL: all                     */
    const char *from, *to, *last;   /* drift: NULL where not told                                            */
    const char *fail_above;         /* drift: COLUMN=SLOPE/h, with commas between them; NULL: any drift      */
    const char *out;                /* export: the file to write; "-": standard output                       */
    const char *app;                /* export: the runs of this application …                                */
    const char *all;                /* … not NULL: every run; else those that `words` name                   */
    const char *retain_text;
    int64_t retain;                 /* ns: rows older than that are removed; 0: none; --retain, MNEMIC_RETAIN */
    const char *original;           /* import: not NULL: from the Python original's tables in the database   */
    const char *drop_original;      /* … which are dropped in the end                                        */
    const char *log_name;
    log_level log;
    char *const *words; /* what follows the command and is no option: runs, files                */
    size_t word_count;
    char udp_default[128], http_default[128];
} config;

/* false: `why` holds one clear line, and the program should exit with 2. argv's order may be changed. */
bool config_read(config *c, int argc, char **argv, const char *(*env)(const char *name), buf *why);
const char *config_usage(config_command of);

#endif
