/* The SHA-256 of files. SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_FETCH_HASH_H
#define CLI_FETCH_HASH_H

#include <stdbool.h>
#include <stdint.h>

/** Hashes the first `length` bytes of an open file; `path` is for messages. `go_on` (called now and then with
 * how many have been read) may end it with false: the hash is "" then. Returns a status; a failure is
 * reported. */
int hash_file(char sha256[65], int descriptor, const char *path, int64_t length,
              bool (*go_on)(void *context, int64_t done), void *context);

#endif
