/* Names for what is written about each picture, no two alike. SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_NAMES_H
#define CLI_NAMES_H

#include <jansson.h>

/** The names given so far. Zero-initialised is empty. */
typedef struct names {
    json_t *taken;    /* name -> the last number put after it */
    json_t *prefixes; /* what, with "-<number>" after it, begins a taken name */
} names;

/** "folder/name", or the name alone for the folder "": the picture's name without its own folder and
 * extension, changed where files "<name>-<number>-<text>..." could get the same name as another picture's:
 * pictures in two folders may share a name, and a picture may be called "cat-1". NULL if memory is out.
 * free() it. */
char *names_give(names *given, const char *folder, const char *picture_path);

void names_close(names *given);

#endif
