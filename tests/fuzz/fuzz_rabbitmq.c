/* SPDX-License-Identifier: MIT OR Unlicense
   fuzz_rabbitmq: hostile addresses and answers of a message broker. The first byte says which. Whatever comes:
     - an address that is taken gives requests of six whole lines, whose host is one;
     - an answer gives the same in one piece and byte by byte, no more elements than it has bytes, and whole numbers. */
#define DOLON_IMPLEMENTATION
#define DOLON_STATIC
#define DOLON_RABBITMQ
#include "../../dolon.h"

#include "must.h"

static void address(const uint8_t *bytes, size_t n)
{
    static dolon_rabbitmq mq;
    char *text = malloc(n + 1); /* of its own length, so that a byte too many is seen */
    MUST(text);
    memcpy(text, bytes, n);
    text[n] = 0;
    if (dolon__rabbitmq_address(&mq, text)) {
        MUST(mq.host[0] && strlen(mq.host) < sizeof mq.host && mq.port > 0 && mq.port < 65536);
        for (int i = 0; i < DOLON__REQUESTS; i++) {
            const char *request = mq.requests[i], *end = request + strlen(request);
            int lines = 0;
            for (const char *c = request; c < end; c++) {
                lines += *c == '\n';
                MUST((*c == '\n') == (c > request && c[-1] == '\r'));
            }
            MUST(lines == 6 && memcmp(end - 4, "\r\n\r\n", 4) == 0);
        }
    }
    free(text);
}

static int is_count(double v)
{
    return !dolon__is_finite(v) ? v != v : v >= 0 && v < 1e15 && v == (double)(uint64_t)v;
}

static void answer(const uint8_t *bytes, size_t n)
{
    dolon__answer at_once, by_bytes;
    size_t i = 0;
    dolon__answer_begin(&at_once);
    dolon__answer_begin(&by_bytes);
    dolon__answer_take(&at_once, (const char *)bytes, n);
    while (i < n && dolon__answer_take(&by_bytes, (const char *)bytes + i, 1)) i++;
    MUST(memcmp(&at_once, &by_bytes, sizeof at_once) == 0);
    MUST(at_once.elements >= 0 && at_once.elements <= (double)n);
    MUST(!at_once.whole || at_once.depth == 0);
    for (int k = 0; k < DOLON__OBJECT_TOTALS; k++) MUST(is_count(at_once.figures[k]));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n == 0) return 0;
    if (bytes[0] & 1)
        address(bytes + 1, n - 1);
    else
        answer(bytes + 1, n - 1);
    return 0;
}
