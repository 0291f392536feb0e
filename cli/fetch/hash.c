/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/hash.h"

#include "report.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_SIZE ((size_t)1 << 20)

int hash_file(char sha256[65], int descriptor, const char *path, int64_t length,
              bool (*go_on)(void *context, int64_t done), void *context)
{
    uint8_t digest[SHA256_DIGEST_SIZE], *bytes = malloc(READ_SIZE);
    struct sha256_ctx hash;
    int status = bytes ? EXIT_DONE : report_memory();
    bool ended = false;

    sha256[0] = '\0';
    sha256_init(&hash);
    for (int64_t done = 0; status == EXIT_DONE && done < length && !ended;) {
        const int64_t rest = length - done;
        const ssize_t got =
            pread(descriptor, bytes, rest < (int64_t)READ_SIZE ? (size_t)rest : READ_SIZE, done);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            status = report_problem(LANCET_ERROR_IO, "%s: %s", path, strerror(errno));
        } else if (got == 0) {
            status = report_problem(LANCET_ERROR_IO, "%s: it became shorter while it was read", path);
        } else {
            sha256_update(&hash, (size_t)got, bytes);
            done += got;
            ended = !go_on(context, done);
        }
    }
    free(bytes);
    if (status != EXIT_DONE || ended)
        return status;
    sha256_digest(&hash, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(sha256 + 2 * i, 3, "%02x", digest[i]);
    return EXIT_DONE;
}
