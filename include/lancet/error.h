/* Status codes and the one error type of every Lancet call.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_ERROR_H
#define LANCET_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/** Marks what the shared library exports; everything else stays hidden. */
#if defined(__GNUC__)
#define LANCET_API __attribute__((visibility("default")))
#else
#define LANCET_API
#endif

/** What a call came to. The numbers are also the exit statuses of the `lancet` command, where 1 is kept for
 * "a check failed" (`lancet verify`). */
typedef enum lancet_status {
    LANCET_OK = 0,
    LANCET_ERROR_ARGUMENT =
        2,                  /**< the caller's mistake: a NULL, a range, an option that contradicts another */
    LANCET_ERROR_INPUT = 3, /**< the file or text is not what it claims to be */
    LANCET_ERROR_UNSUPPORTED = 4, /**< sound, but not something Lancet runs; the message says what it is */
    LANCET_ERROR_IO = 5,          /**< the operating system refused: no such file, no permission, disk full */
    LANCET_ERROR_MEMORY = 6       /**< an allocation failed */
} lancet_status;

/** Room for a message, its terminating zero included. Longer messages are cut at a character's boundary. */
#define LANCET_ERROR_MESSAGE_SIZE 512

/** What went wrong, in words a person can act on:
 * "model.safetensors: tensor visual.proj: expected [768,512], found [1024,768]".
 *
 * The caller owns the struct (usually on its stack); a call that fails fills it, a call that succeeds leaves
 * it alone. Every function accepts NULL in its place. */
typedef struct lancet_error {
    lancet_status status;
    char message[LANCET_ERROR_MESSAGE_SIZE];
} lancet_error;

/** The status in one or two English words ("bad input"); never NULL, also for numbers that are no status. */
LANCET_API const char *lancet_status_name(lancet_status status);

#ifdef __cplusplus
}
#endif
#endif
