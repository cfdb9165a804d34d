/* SPDX-License-Identifier: MIT OR Unlicense
   rabbitmq: a message broker beside the program that uses it, on one page: its connections, channels, queues and bindings.
   Where it is, and as whom to ask, is in RMQ_SERVER: "http://user:password@host:15672"; else guest on this machine.
       rabbitmq [SECONDS]                  10 */
#define DOLON_IMPLEMENTATION
#define DOLON_RABBITMQ
#include "dolon.h"

#include <stdlib.h>

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 10;
    dolon_rabbitmq *mq = dolon_rabbitmq_open("", 0.5);
    dolon_tracer *t = dolon_start(&(dolon_desc){
        .app_name = "rabbitmq",
        .interval = 0.5,
        .probes = {DOLON_DEFAULT_PROBES,
                   {"rabbitmq_connections", dolon_rabbitmq_connections, mq, NULL},
                   {"rabbitmq_channels", dolon_rabbitmq_channels, mq, NULL},
                   {"rabbitmq_queues", dolon_rabbitmq_queues, mq, NULL},
                   {"rabbitmq_bindings", dolon_rabbitmq_bindings, mq, NULL}},
    });
    usleep((useconds_t)(seconds * 1e6)); /* here your program would work */
    dolon_stop(t);                       /* first what asks, then who answers */
    dolon_rabbitmq_close(mq);
    return 0;
}
