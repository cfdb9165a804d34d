/* SPDX-License-Identifier: MIT OR Unlicense
   gzip: compressed answers. Pure. */
#include "base/gzip.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

/* One element of the list, as "gzip", "gzip;q=0.5"; a weight of 0 refuses. */
static bool element_accepts(const char *element)
{
    size_t name = strcspn(element, " \t;");
    if (name != 4 || strncasecmp(element, "gzip", name) != 0) return false;
    const char *weight = strcasestr(element, "q=");
    return !weight || strtod(weight + 2, NULL) > 0;
}

bool gzip_accepted(span header)
{
    char text[256];
    if (header.n >= sizeof text) return false;
    memcpy(text, header.p, header.n);
    text[header.n] = 0;
    char *rest = NULL;
    for (char *part = strtok_r(text, ",", &rest); part; part = strtok_r(NULL, ",", &rest)) {
        part += strspn(part, " \t");
        if (element_accepts(part)) return true;
    }
    return false;
}

bool gzip_compress(buf *bytes)
{
    z_stream z = {0};
    const int gzip_wrapper = 16;
    if (bytes->n > UINT32_MAX / 2 ||
        deflateInit2(&z, 1, Z_DEFLATED, 15 + gzip_wrapper, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    size_t room = deflateBound(&z, bytes->n);
    buf out = {.p = mem_alloc(room), .cap = room};
    z.next_in = (Bytef *)bytes->p;
    z.avail_in = (uInt)bytes->n;
    z.next_out = (Bytef *)out.p;
    z.avail_out = (uInt)room;
    deflate(&z, Z_FINISH);
    out.n = z.total_out;
    out.p = mem_resize(out.p, out.n, 1);
    out.cap = out.n;
    deflateEnd(&z);
    buf_free(bytes);
    *bytes = out;
    return true;
}
