/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/part.h"

#include "files.h"
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPENINGS 3

static int fail(const part *p)
{
    return report_problem(LANCET_ERROR_IO, "%s: %s", p->path, strerror(errno));
}

/* Opens and locks. *retry becomes true if the file that was locked is no longer the one of that name: whoever
 * held it finished meanwhile. */
static int open_locked(part *p, bool *retry)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct stat held, named;
    int status = EXIT_DONE;

    *retry = false;
    /* Not through a link: in a folder that others write to it could lead anywhere. */
    p->descriptor = open(p->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (p->descriptor < 0)
        return fail(p);
    if (fcntl(p->descriptor, F_SETLK, &lock) != 0)
        status = errno == EACCES || errno == EAGAIN
                     ? report_problem(LANCET_ERROR_IO, "%s: another lancet is fetching it just now", p->path)
                     : fail(p);
    else if (fstat(p->descriptor, &held) != 0)
        status = fail(p);
    else if (!S_ISREG(held.st_mode))
        status = report_problem(LANCET_ERROR_IO, "%s: expected a file, found something else", p->path);
    else
        *retry = stat(p->path, &named) != 0 || named.st_ino != held.st_ino || named.st_dev != held.st_dev;
    if (status != EXIT_DONE || *retry) {
        close(p->descriptor);
        p->descriptor = -1;
    } else {
        p->length = held.st_size;
    }
    return status;
}

/* What an earlier run noted. Anything that does not read as it should counts as nothing. */
static void read_origin(part *p)
{
    json_t *object = json_load_file(p->origin_path, 0, NULL);
    const char *etag = "", *sha256 = "";
    json_int_t size = 0;

    if (object &&
        json_unpack(object, "{s:I, s:s, s:s}", "size", &size, "etag", &etag, "sha256", &sha256) == 0 &&
        size >= 0 && strlen(etag) < HTTP_ETAG_SIZE && (!*sha256 || strlen(sha256) == 64)) {
        p->origin.size = size;
        strcpy(p->origin.etag, etag);
        strcpy(p->origin.sha256, sha256);
    }
    json_decref(object);
}

int part_open(part *p, const char *target)
{
    bool retry = true;
    int status = EXIT_DONE;

    *p = (part){.path = text_print("%s.part", target),
                .origin_path = text_print("%s.part.json", target),
                .target = target,
                .descriptor = -1};
    if (!p->path || !p->origin_path)
        status = report_memory();
    for (int i = 0; i < OPENINGS && status == EXIT_DONE && retry; i++)
        status = open_locked(p, &retry);
    if (status == EXIT_DONE && retry)
        status = report_problem(LANCET_ERROR_IO, "%s: others keep replacing it", p->path);
    if (status == EXIT_DONE)
        read_origin(p);
    else
        part_close(p);
    return status;
}

int part_restart(part *p)
{
    p->origin = (part_origin){0};
    p->length = 0;
    unlink(p->origin_path);
    return ftruncate(p->descriptor, 0) == 0 ? EXIT_DONE : fail(p);
}

int part_set_origin(part *p, const part_origin *origin)
{
    json_t *object = json_pack("{s:I, s:s, s:s}", "size", (json_int_t)origin->size, "etag", origin->etag,
                               "sha256", origin->sha256);
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    int status = text ? file_write(p->origin_path, text, strlen(text)) : report_memory();

    if (status == EXIT_DONE)
        p->origin = *origin;
    free(text);
    json_decref(object);
    return status;
}

int part_append(part *p, const void *bytes, size_t length)
{
    const char *at = bytes;

    while (length) {
        const ssize_t written = pwrite(p->descriptor, at, length, p->length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return fail(p);
        at += written;
        length -= (size_t)written;
        p->length += written;
    }
    return EXIT_DONE;
}

int part_finish(part *p)
{
    if (fsync(p->descriptor) != 0 || rename(p->path, p->target) != 0)
        return fail(p);
    unlink(p->origin_path);
    close(p->descriptor);
    p->descriptor = -1;
    return EXIT_DONE;
}

void part_discard(part *p)
{
    unlink(p->path);
    unlink(p->origin_path);
    p->length = 0;
    if (p->descriptor >= 0)
        close(p->descriptor);
    p->descriptor = -1;
}

void part_close(part *p)
{
    if (p->descriptor >= 0 && p->length == 0)
        part_discard(p);
    if (p->descriptor >= 0)
        close(p->descriptor);
    free(p->path);
    free(p->origin_path);
    *p = (part){.descriptor = -1};
}
