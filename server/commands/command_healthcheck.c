/* SPDX-License-Identifier: MIT OR Unlicense
   command_healthcheck: exits with 0 if the server is well.

   In a container the server is process 1, and what it was given as arguments stands in none of the variables that both
   have. So its command line is read, too, if it runs the same program: our own options, then its, then the environment. */
#include "commands/commands.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/health.h"
#include "http/guard.h"

#define ARGUMENTS 64

typedef struct {
    char text[8192];
    char *words[ARGUMENTS];
    int count;
} command_line;

static bool is_our_program(const char *link)
{
    char one[1024], other[1024];
    ssize_t n = readlink("/proc/self/exe", one, sizeof one);
    return n > 0 && n == readlink(link, other, sizeof other) && memcmp(one, other, (size_t)n) == 0;
}

static const char *variable(const char *name)
{
    return getenv(name);
}

/* false: process 1 is something else, or says nothing that we understand. */
static bool read_server(command_line *line, config *of)
{
    int fd = is_our_program("/proc/1/exe") ? open("/proc/1/cmdline", O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return false;
    ssize_t n = read(fd, line->text, sizeof line->text - 1);
    close(fd);
    for (char *p = line->text; n > 0 && p < line->text + n && line->count < ARGUMENTS; p += strlen(p) + 1)
        line->words[line->count++] = p;
    buf why = {0};
    bool read = config_read(of, line->count, line->words, variable, &why) && of->command == COMMAND_SERVE;
    buf_free(&why);
    return read;
}

int command_healthcheck(const config *c)
{
    buf token = {0}, why = {0};
    command_line line = {.count = 0};
    config of = {0};
    const char *address = c->http, *token_file = c->token_file;
    if (c->http == c->http_default && read_server(&line, &of)) {
        address = of.http;
        if (!token_file || token_file == variable("MNEMIC_TOKEN_FILE")) token_file = of.token_file;
    }
    signal(SIGPIPE, SIG_IGN);
    bool well = (!token_file || guard_read_token(token_file, &token, &why)) &&
                health_ask(address, (span){token.p, token.n}, &why);
    buf_free(&token);
    return well ? EXIT_SUCCESS : command_failed(&why);
}
