/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/try.h"

#include "files.h"
#include "models.h"
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

/* Stays free on the disk. */
#define SPACE_SPARE ((int64_t)16 << 20)
/* Where there is no bar a line is printed this often. */
#define SECONDS_BETWEEN_LINES 10.0
/* A speed says nothing before. */
#define SECONDS_BEFORE_SPEED 0.5

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* Returns false, for a call-back that ends so. */
static bool conclude(fetch_try *t, fetch_verdict verdict, int status, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static bool conclude(fetch_try *t, fetch_verdict verdict, int status, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(t->problem, sizeof t->problem, format, arguments);
    va_end(arguments);
    t->verdict = verdict;
    t->status = status;
    return false;
}

/* For what has been reported already. */
static bool conclude_reported(fetch_try *t, int status)
{
    return conclude(t, FETCH_FAILED, status, "%s", "");
}

/* ---- The head -------------------------------------------------------------------------------------------
 */

static bool accept_status(fetch_try *t, const http_head *head)
{
    const bool asked_for_part = t->part->length > 0;

    if (head->status == 200 || (head->status == 206 && asked_for_part))
        return true;
    if (head->status == 416 && asked_for_part)
        return conclude(t, FETCH_ANEW, LANCET_ERROR_IO, "the file at the server has become shorter");
    if (head->status == 404 && t->file->may_be_absent)
        return conclude(t, FETCH_ABSENT, LANCET_ERROR_IO, "absent");
    t->wait_s = (double)head->wait_s;
    return conclude(
        t, head->status >= 500 || head->status == 408 || head->status == 429 ? FETCH_AGAIN : FETCH_FAILED,
        LANCET_ERROR_IO, "expected the file, found HTTP status %ld", head->status);
}

/* Whether a part that the server sends continues the one that is there. */
static bool continues(const part *p, const http_head *head, int64_t whole)
{
    const part_origin *origin = &p->origin;

    return head->part_start == p->length && whole == origin->size &&
           (!*head->etag || !*origin->etag || strcmp(head->etag, origin->etag) == 0) &&
           (!*head->linked_sha256 || !*origin->sha256 || strcmp(head->linked_sha256, origin->sha256) == 0);
}

static bool accept_size(fetch_try *t, const http_head *head, int64_t whole)
{
    const fetch_file *file = t->file;

    if (whole == 0)
        return conclude(t, FETCH_FAILED, LANCET_ERROR_INPUT, "expected the file, found an empty one");
    if (file->size && whole > 0 && whole != file->size)
        return conclude(t, FETCH_FAILED, LANCET_ERROR_INPUT,
                        "expected %" PRId64 " bytes, found that the server has %" PRId64, file->size, whole);
    if (whole > file->size_max)
        return conclude(t, FETCH_FAILED, LANCET_ERROR_INPUT,
                        "expected at most %" PRId64 " bytes, found that the server has %" PRId64,
                        file->size_max, whole);
    if (whole < 0 && !file->size && !file->sha256 && !*head->linked_sha256 && !file->is_json)
        return conclude(t, FETCH_FAILED, LANCET_ERROR_INPUT,
                        "expected the server to say a size or a hash, found neither");
    return true;
}

static bool accept_space(fetch_try *t, int64_t whole)
{
    const char *path = t->file->path;
    char *folder = text_print("%.*s", (int)(path_name(path) - path), path), needed[16], found[16];
    struct statvfs space;
    int64_t room;
    bool known;

    if (!folder)
        return conclude_reported(t, report_memory());
    known = statvfs(*folder ? folder : ".", &space) == 0;
    free(folder);
    if (!known)
        return true;
    room = (int64_t)((double)space.f_bavail * (double)space.f_frsize);
    if (whole + SPACE_SPARE <= room)
        return true;
    models_print_size(needed, whole + SPACE_SPARE);
    models_print_size(found, room);
    return conclude(t, FETCH_FAILED, LANCET_ERROR_IO, "%s: expected room for %s on the disk, found %s", path,
                    needed, found);
}

static bool begin(void *context, const http_head *head)
{
    fetch_try *t = context;
    int64_t whole = head->status == 206 ? head->part_whole : head->length;
    part_origin origin = {0};
    int status = EXIT_DONE;

    if (!accept_status(t, head))
        return false;
    if (head->is_web_page)
        return conclude(t, FETCH_FAILED, LANCET_ERROR_INPUT, "expected the file, found a web page");
    if (t->file->sha256 && *head->linked_sha256 && strcmp(t->file->sha256, head->linked_sha256) != 0)
        return conclude(t, FETCH_FAILED, LANCET_ERROR_INPUT,
                        "expected SHA-256 %s, found that the server has %s", t->file->sha256,
                        head->linked_sha256);
    if (whole < 0)
        whole = head->linked_size;
    if (head->linked_size >= 0 && whole != head->linked_size)
        return conclude(t, FETCH_FAILED, LANCET_ERROR_INPUT,
                        "expected %" PRId64 " bytes, as the server announces them, found %" PRId64,
                        head->linked_size, whole);
    if (head->status == 206)
        return continues(t->part, head, whole) ||
               conclude(t, FETCH_ANEW, LANCET_ERROR_IO, "the file at the server has changed");
    if (t->part->length > 0) {
        report_note("%s: the server sends it from the start", path_name(t->file->path));
        status = part_restart(t->part);
    }
    if (status != EXIT_DONE)
        return conclude_reported(t, status);
    if (!accept_size(t, head, whole))
        return false;
    if (whole < 0)
        whole = t->file->size;
    if (!accept_space(t, whole))
        return false;
    origin.size = whole;
    strcpy(origin.etag, head->etag);
    strcpy(origin.sha256, head->linked_sha256);
    status = part_set_origin(t->part, &origin);
    return status == EXIT_DONE || conclude_reported(t, status);
}

/* ---- The body -------------------------------------------------------------------------------------------
 */

static void show(fetch_try *t)
{
    const int64_t size = t->part->origin.size, done = t->part->length;
    const double seconds = now() - t->started;
    char detail[80] = "MB", all[16], so_far[16];

    if (seconds >= SECONDS_BEFORE_SPEED && t->fetched > 0) {
        const double speed = (double)t->fetched / seconds;
        const int left = (int)fmin(ceil((double)(size - done) / speed), 359999);

        snprintf(detail, sizeof detail, "MB, %.1f MB/s, %d:%02d left", speed / 1e6, left / 60, left % 60);
    }
    progress_show(t->bar, (size_t)(done / 1000000), (size_t)((size + 999999) / 1000000), detail);
    if (!t->bar->shown && now() - t->line_printed >= SECONDS_BETWEEN_LINES) {
        t->line_printed = now();
        models_print_size(so_far, done);
        models_print_size(all, size);
        report_note("%s: %s of %s", path_name(t->file->path), so_far, all);
    }
}

static bool take(void *context, const void *bytes, size_t length)
{
    fetch_try *t = context;
    const int64_t most = t->part->origin.size > 0 ? t->part->origin.size : t->file->size_max;
    int status;

    if ((int64_t)length > most - t->part->length) {
        t->wrong = true;
        return conclude(t, FETCH_FAILED, LANCET_ERROR_INPUT, "expected at most %" PRId64 " bytes, found more",
                        most);
    }
    status = part_append(t->part, bytes, length);
    if (status != EXIT_DONE)
        return conclude_reported(t, status);
    t->fetched += (int64_t)length;
    if (t->part->origin.size > 0)
        show(t);
    return true;
}

static bool go_on(void *context)
{
    const fetch_try *t = context;

    return !t->settings->stopped();
}

/* ---- The try --------------------------------------------------------------------------------------------
 */

static bool is_strong(const char *etag)
{
    return *etag == '"'; /* a weak one, W/"...", only says that the files mean the same */
}

bool fetch_can_continue(const fetch_try *t)
{
    const part_origin *origin = &t->part->origin;

    return !t->file->is_json && t->part->length > 0 && origin->size >= t->part->length &&
           (!t->file->size || t->file->size == origin->size) &&
           (t->file->sha256 || *origin->sha256 || is_strong(origin->etag));
}

void fetch_once(fetch_try *t)
{
    http_request request = {
        .url = t->file->url,
        .timeout_s = t->settings->timeout_s,
        .begin = begin,
        .take = take,
        .go_on = go_on,
        .context = t,
    };
    char problem[HTTP_PROBLEM_SIZE];
    int status = EXIT_DONE;

    t->verdict = FETCH_GO_ON;
    t->status = EXIT_DONE;
    t->wrong = false;
    t->fetched = 0;
    t->wait_s = 0;
    t->started = t->line_printed = now();
    t->problem[0] = '\0';
    if (fetch_can_continue(t)) {
        request.from = t->part->length;
        request.if_same = is_strong(t->part->origin.etag) ? t->part->origin.etag : NULL;
    } else if (t->part->length > 0) {
        status = part_restart(t->part);
    }
    if (status != EXIT_DONE) {
        conclude_reported(t, status);
        return;
    }
    switch (http_get(problem, &request)) {
    case HTTP_DONE:
        if (t->part->length < t->part->origin.size)
            conclude(t, FETCH_AGAIN, LANCET_ERROR_IO, "the server ended too soon");
        break;
    case HTTP_ENDED:
        if (t->verdict == FETCH_GO_ON) /* go_on */
            conclude_reported(t, LANCET_ERROR_IO);
        break;
    case HTTP_INTERRUPTED:
        conclude(t, FETCH_AGAIN, LANCET_ERROR_IO, "%s", problem);
        break;
    case HTTP_UNREACHABLE:
        /* Where nobody answers from the first, waiting would only hide a wrong address or a missing cable. */
        conclude(t, t->part->length > 0 ? FETCH_AGAIN : FETCH_FAILED, LANCET_ERROR_IO, "%s", problem);
        break;
    case HTTP_FAILED:
        conclude(t, FETCH_FAILED, LANCET_ERROR_IO, "%s", problem);
        break;
    }
}
