/* SPDX-License-Identifier: MIT OR Unlicense
   config_usage: what --help says of each command. */
#include "commands/config.h"

#define STORE_HELP                                                                                                   \
    "  --store URL        where runs are kept: sqlite:FILE          (sqlite:mnemic.db; MNEMIC_STORE, "               \
    "POSTGRES_CONN_STR)\n"
#define LOG_HELP  "  --log-level LEVEL  error, warn, info or debug                (info; MNEMIC_LOG_LEVEL)\n"
#define HELP_HELP "  --help             this text\n"

static const char serve[] =
    "usage: mnemic [serve] [OPTION…]    receive, store and show what traced programs send\n"
    "       mnemic drift RUN            tell which columns of a run rise or fall\n"
    "       mnemic export RUN…          write runs into a portable file\n"
    "       mnemic import FILE…         take runs from such files\n"
    "       mnemic healthcheck          ask a running server whether all is well\n"
    "       mnemic version              print the version\n"
    "       mnemic COMMAND --help       tell the options of a command\n"
    "\n" STORE_HELP
    "  --udp ADDR:PORT    where programs send to; port 0 picks one  (127.0.0.1:12013; BACK_END_PORT)\n"
    "                     unix:PATH is a datagram socket of this machine\n"
    "  --http ADDR:PORT   where the page is; port 0 picks one       (127.0.0.1:12111; FRONT_END_PORT)\n"
    "  --retain LENGTH    remove rows that are older than 90s, 12h, 30d, 52w, but of pinned runs\n"
    "                                                               (for ever; MNEMIC_RETAIN)\n"
    "  --key-file FILE    holds a key, 64 hex digits: only datagrams sealed with it are taken and answered\n"
    "                                                               (MNEMIC_KEY_FILE)\n"
    "  --token-file FILE  holds a token that every reader must show (everyone who reaches the port may read;\n"
    "                                                                MNEMIC_TOKEN_FILE)\n"
    "  --tls-cert FILE    serve HTTPS with this certificate chain (PEM) …   (MNEMIC_TLS_CERT)\n"
    "  --tls-key FILE     … and this private key (PEM)                      (MNEMIC_TLS_KEY)\n"
    "  --web DIR          serve the page from a folder instead of the one built in\n" LOG_HELP HELP_HELP "\n"
    "Options are --name VALUE or --name=VALUE. They go before the environment variables named in brackets,\n"
    "and these before the defaults. MNEMIC_BIND is the address that the default ports are bound to instead of\n"
    "127.0.0.1. A folder, file or address that cannot be used ends mnemic with a message.\n";

static const char export[] =
    "usage: mnemic export [--store URL] [--out FILE] RUN… | --app NAME | --all\n"
    "\n"
    "Writes runs with everything that is known of them into one file, for a backup or for a colleague, who reads it\n"
    "with mnemic import. The server may run meanwhile.\n"
    "\n"
    "  RUN…               their UUIDs, as the page and the API show them\n"
    "  --app NAME         every run of an application\n"
    "  --all              every run\n"
    "  --out FILE         the file to write; it appears when it is whole (standard output, which is also '-')\n" STORE_HELP
        LOG_HELP HELP_HELP;

static const char import[] =
    "usage: mnemic import [--store URL] FILE…\n"
    "       mnemic import [--store postgresql://…] --original [--drop-original]\n"
    "\n"
    "Takes the runs from files that mnemic export wrote; '-' is standard input. What is there already is left as it is,\n"
    "so that importing twice, or again after an interruption, does no harm. A damaged file is refused. A store in\n"
    "SQLite must not be in use by a running server.\n"
    "\n"
    "  --original         take the runs of the Python original from its tables in the same database, and compare them\n"
    "                     row for row; servers may run meanwhile. Ended half-way, it goes on when called again\n"
    "  --drop-original    then drop these tables, if nothing is in them that is not in mnemic's own\n" STORE_HELP LOG_HELP HELP_HELP;

static const char healthcheck[] =
    "usage: mnemic healthcheck [--http ADDR:PORT] [--token-file FILE]\n"
    "\n"
    "Asks the server that runs on this machine for /readyz, by HTTP or HTTPS. Exits with 0 if it takes requests and\n"
    "reaches its store, else with 1 and one line that tells why.\n"
    "\n"
    "  --http ADDR:PORT   where the server's page is                (127.0.0.1:12111; FRONT_END_PORT)\n"
    "  --token-file FILE  holds the token, if the server wants one  (MNEMIC_TOKEN_FILE)\n" HELP_HELP;

static const char drift[] =
    "usage: mnemic drift RUN [OPTION…]\n"
    "\n"
    "Tells of each column of a run whether it rises, falls or stands, how fast and how surely, and when it went to\n"
    "another level. RUN is a run's UUID or what only it begins with, or an application, whose newest run is meant.\n"
    "Exits with 0 if nothing drifts, 1 if something does, 2 on a wrong option, 3 if there is nothing to read.\n"
    "\n" STORE_HELP "  --columns A,B      only these columns\n"
    "  --from WHEN        only rows from then on: a time in UTC as 2026-01-31T12:00, or one since the run began, as "
    "30m\n"
    "  --to WHEN          only rows up to then\n"
    "  --last LENGTH      only the last 90s, 30m, 2h, 7d of the run\n"
    "  --fail-above COLUMN=SLOPE/h,…   exit with 1 only if one of these surely rises faster than that, in its unit "
    "per\n"
    "                     hour; a SLOPE below 0 is for what must not fall\n" LOG_HELP HELP_HELP;

const char *config_usage(config_command of)
{
    switch (of) {
    case COMMAND_DRIFT: return drift;
    case COMMAND_EXPORT: return export;
    case COMMAND_IMPORT: return import;
    case COMMAND_HEALTHCHECK: return healthcheck;
    default: return serve;
    }
}
