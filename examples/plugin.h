/* SPDX-License-Identifier: MIT OR Unlicense
   plugin: what plugin.so offers. Nothing of dolon is seen here. */
#ifndef PLUGIN_H
#define PLUGIN_H

void plugin_open(void);
double plugin_compute(double x); /* the square root of 2, from any x > 0 */
void plugin_close(void);         /* before the library is unloaded */

#endif
