/* SPDX-License-Identifier: MIT OR Unlicense
   late_include: system headers first, as most programs have it. */
#include <stdio.h>
#include <stdlib.h>

#define DOLON_IMPLEMENTATION
#include "dolon.h"

int main(void)
{
    dolon_stop(dolon_start(NULL));
    return 0;
}
