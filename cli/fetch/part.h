/* A file that is not whole yet: "NAME.part" beside the place where it will be, and "NAME.part.json", which
 * tells what it is a part of. SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_FETCH_PART_H
#define CLI_FETCH_PART_H

#include "fetch/http.h"

/** What identifies the whole at the server, so that a later run goes on with the same one only. */
typedef struct part_origin {
    int64_t size; /* 0: not known */
    char etag[HTTP_ETAG_SIZE];
    char sha256[HTTP_SHA256_SIZE]; /* "" if the server said none */
} part_origin;

typedef struct part {
    char *path, *origin_path;
    const char *target;
    int descriptor;
    int64_t length; /* bytes that are there */
    part_origin origin;
} part;

/** Opens the part of `target` (which has to outlive it), with whatever an earlier run left, and locks it
 * against other processes: IO if one holds it. Returns a status; a failure is reported and *p holds nothing.
 */
int part_open(part *p, const char *target);

/** Drops what is there. */
int part_restart(part *p);

/** Notes what the part is of, before its first byte comes. */
int part_set_origin(part *p, const part_origin *origin);

int part_append(part *p, const void *bytes, size_t length);

/** The part becomes the target: on the disk first, then under its name, at once. */
int part_finish(part *p);

/** Removes the part. */
void part_discard(part *p);

/** Lets it go; what was not finished stays for the next run, unless it is empty. */
void part_close(part *p);

#endif
