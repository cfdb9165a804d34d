/* SPDX-License-Identifier: MIT OR Unlicense
   command_healthcheck: exits with 0 if the server is well. */
#include "commands/commands.h"

#include <signal.h>
#include <stdlib.h>

#include "commands/health.h"
#include "http/guard.h"

int command_healthcheck(const config *c)
{
    buf token = {0}, why = {0};
    signal(SIGPIPE, SIG_IGN);
    bool well = (!c->token_file || guard_read_token(c->token_file, &token, &why)) &&
                health_ask(c->http, (span){token.p, token.n}, &why);
    buf_free(&token);
    return well ? EXIT_SUCCESS : command_failed(&why);
}
