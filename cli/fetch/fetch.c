/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/fetch.h"

#include "fetch/hash.h"
#include "fetch/try.h"
#include "files.h"
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* What a try has to bring for those before it to be forgotten: a bad line may break often, and yet get there.
 */
#define PROGRESS_ENOUGH ((int64_t)1 << 20)
#define WAIT_FIRST_S    0.5
#define WAIT_MAX_S      30.0

/* ---- Checking -------------------------------------------------------------------------------------------
 */

typedef struct hashing {
    progress *bar;
    int64_t size;
    bool (*stopped)(void);
} hashing;

static bool hash_go_on(void *context, int64_t done)
{
    hashing *h = context;

    progress_show(h->bar, (size_t)(done / 1000000), (size_t)((h->size + 999999) / 1000000), "MB checked");
    return !h->stopped();
}

/* Compares an open file with what is known of it. *right stays false, and `found` says what was found
 * instead, if it differs. */
static int check(bool *right, char found[200], fetch_result *result, const fetch_file *file, int descriptor,
                 const char *path, const char *sha256, const fetch_settings *settings)
{
    progress bar;
    struct stat about;
    hashing h = {&bar, 0, settings->stopped};
    int status;

    *right = false;
    if (fstat(descriptor, &about) != 0)
        return report_problem(LANCET_ERROR_IO, "%s: %s", path, strerror(errno));
    result->size = h.size = about.st_size;
    if (file->size && result->size != file->size) {
        snprintf(found, 200, "expected %" PRId64 " bytes, found %" PRId64, file->size, result->size);
        return EXIT_DONE;
    }
    if (file->is_json) {
        json_error_t trouble;
        json_t *value = json_load_file(path, 0, &trouble);

        *right = value != NULL;
        if (!value)
            snprintf(found, 200, "expected JSON, found something else (line %d: %.100s)", trouble.line,
                     trouble.text);
        json_decref(value);
    }
    progress_begin(&bar, path_name(file->path), settings->quiet);
    status = hash_file(result->sha256, descriptor, path, result->size, hash_go_on, &h);
    progress_end(&bar);
    if (status != EXIT_DONE || file->is_json)
        return status;
    if (!*result->sha256) /* stopped */
        return LANCET_ERROR_IO;
    *right = !sha256 || strcmp(sha256, result->sha256) == 0;
    if (!*right)
        snprintf(found, 200, "expected SHA-256 %s, found %s", sha256, result->sha256);
    return EXIT_DONE;
}

/* *there becomes true if the file is there already; it has to be the right one then. */
static int check_present(bool *there, fetch_result *result, const fetch_file *file,
                         const fetch_settings *settings)
{
    const int descriptor = open(file->path, O_RDONLY | O_CLOEXEC);
    char found[200] = "";
    bool right;
    int status;

    *there = descriptor >= 0;
    if (!*there)
        return errno == ENOENT ? EXIT_DONE
                               : report_problem(LANCET_ERROR_IO, "%s: %s", file->path, strerror(errno));
    status = check(&right, found, result, file, descriptor, file->path, file->sha256, settings);
    close(descriptor);
    if (status == EXIT_DONE && !right)
        status = report_problem(LANCET_ERROR_INPUT, "%s: %s; --force fetches it anew", file->path, found);
    result->present = true;
    result->check = file->sha256 ? FETCH_PUBLISHED : FETCH_LENGTH;
    return status;
}

/* ---- Trying ---------------------------------------------------------------------------------------------
 */

static void wait_s(double seconds, const fetch_settings *settings)
{
    const struct timespec moment = {.tv_nsec = 100000000};

    for (; seconds > 0 && !settings->stopped(); seconds -= 0.1)
        nanosleep(&moment, NULL);
}

static int report_failed(const fetch_try *t)
{
    if (!*t->problem)
        return t->status;
    return report_problem(t->status, "%s: %s", t->file->url, t->problem);
}

/* Tries until all of it is there. */
static int fetch_whole(fetch_try *t, fetch_result *result)
{
    int64_t before = 0; /* what had been fetched when a try last brought enough */
    int failures = 0, status = EXIT_DONE;

    while (!fetch_can_continue(t) || t->part->length < t->part->origin.size) {
        double wait = WAIT_FIRST_S;

        fetch_once(t);
        result->fetched += t->fetched;
        result->absent = t->verdict == FETCH_ABSENT;
        if (t->verdict == FETCH_GO_ON || result->absent)
            return EXIT_DONE;
        if (t->verdict == FETCH_FAILED)
            return report_failed(t);
        if (result->fetched - before >= PROGRESS_ENOUGH) {
            before = result->fetched;
            failures = 0;
        }
        if (failures++ == t->settings->retries)
            return report_problem(LANCET_ERROR_IO, "%s: %s%s", t->file->url, t->problem,
                                  t->part->length ? "; the same command goes on where this one ended" : "");
        if (t->verdict == FETCH_ANEW) {
            report_note("%s: %s; fetching it anew", path_name(t->file->path), t->problem);
            status = part_restart(t->part);
            if (status != EXIT_DONE)
                return status;
            continue;
        }
        for (int i = 1; i < failures && wait < WAIT_MAX_S; i++)
            wait *= 2;
        if (wait < t->wait_s)
            wait = t->wait_s;
        if (wait > WAIT_MAX_S)
            wait = WAIT_MAX_S;
        report_note("%s: %s; trying again in %g s (%d of %d)", path_name(t->file->path), t->problem, wait,
                    failures, t->settings->retries);
        wait_s(wait, t->settings);
        if (t->settings->stopped())
            return LANCET_ERROR_IO;
    }
    return EXIT_DONE;
}

/* The part is whole: what it is held against, and its name if it is right. */
static int accept(fetch_try *t, fetch_result *result)
{
    const fetch_file *file = t->file;
    const char *announced = *t->part->origin.sha256 ? t->part->origin.sha256 : NULL;
    char found[200] = "";
    bool right;
    int status;

    status = check(&right, found, result, file, t->part->descriptor, t->part->path,
                   file->sha256 ? file->sha256 : announced, t->settings);
    if (status != EXIT_DONE)
        return status;
    if (!right) {
        part_discard(t->part);
        return report_problem(LANCET_ERROR_INPUT, "%s: %s; what came was removed", file->url, found);
    }
    result->check = file->sha256 ? FETCH_PUBLISHED : announced ? FETCH_ANNOUNCED : FETCH_LENGTH;
    return part_finish(t->part);
}

int fetch(fetch_result *result, const fetch_file *file, const fetch_settings *settings)
{
    part p;
    progress bar;
    fetch_try t = {.file = file, .settings = settings, .part = &p, .bar = &bar};
    bool there = false;
    int status = EXIT_DONE;

    *result = (fetch_result){0};
    if (!settings->force)
        status = check_present(&there, result, file, settings);
    if (there || status != EXIT_DONE)
        return status;
    status = part_open(&p, file->path);
    if (status != EXIT_DONE)
        return status;
    /* Another process may have finished it just before the lock was free. */
    if (!settings->force)
        status = check_present(&there, result, file, settings);
    if (there || status != EXIT_DONE) {
        part_discard(&p);
        goto done;
    }
    if (p.length > 0 && fetch_can_continue(&t))
        report_note("%s: going on after %" PRId64 " bytes of %" PRId64, path_name(file->path), p.length,
                    p.origin.size);
    progress_begin(&bar, path_name(file->path), settings->quiet);
    status = fetch_whole(&t, result);
    progress_end(&bar);
    if (t.wrong)
        part_discard(&p);
    else if (status == EXIT_DONE && !result->absent)
        status = accept(&t, result);
done:
    part_close(&p);
    return status;
}
