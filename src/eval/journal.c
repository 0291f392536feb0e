/* Journals: written. SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE /* flock */
#include "eval/journal.h"

#include "base/memory.h"
#include "base/status.h"
#include "eval/journal_format.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <xxhash.h>

#define SECONDS_BETWEEN_SYNCS 5

struct lancet_journal {
    char *folder; /* NULL: a file without a name */
    char *path;
    lancet_buffer header;
    int descriptor;
    bool begun;
    uint64_t sound;  /* bytes of this process's file that are whole */
    uint64_t *known; /* [known_count], rising: pictures measured before */
    size_t known_count;
    time_t synced;
};

static lancet_status fail_path(const lancet_journal *journal, const char *what, lancet_error *error)
{
    return lancet_fail(error, LANCET_ERROR_IO, "%s: %s: %s", journal->path ? journal->path : "the journal",
                       what, strerror(errno));
}

static lancet_status make_folder(const char *path, lancet_error *error)
{
    struct stat about;

    if (mkdir(path, 0777) == 0 || (errno == EEXIST && stat(path, &about) == 0 && S_ISDIR(about.st_mode)))
        return LANCET_OK;
    return lancet_fail(error, LANCET_ERROR_IO, "%s: %s", path, strerror(errno));
}

/* A file that is gone as soon as it is closed. */
static lancet_status open_nameless(lancet_journal *journal, lancet_error *error)
{
    const char *parent = getenv("TMPDIR");
    char *path = lancet_path_join(parent && *parent ? parent : "/tmp", "lancet-eval-XXXXXX");

    if (!path)
        return lancet_fail_memory(error, "the journal");
    journal->descriptor = mkstemp(path);
    if (journal->descriptor >= 0)
        unlink(path);
    lancet_free(path);
    return journal->descriptor >= 0 ? LANCET_OK
                                    : fail_path(journal, "a temporary file cannot be made", error);
}

static lancet_status open_named(lancet_journal *journal, const char *folder, size_t rank, lancet_error *error)
{
    char name[48];

    snprintf(name, sizeof name, "rank-%04zu" LANCET_JOURNAL_ENDING, rank);
    journal->folder = lancet_copy_text(folder, strlen(folder));
    journal->path = lancet_path_join(folder, name);
    if (!journal->folder || !journal->path)
        return lancet_fail_memory(error, "the journal");
    if (make_folder(folder, error) != LANCET_OK)
        return LANCET_ERROR_IO;
    journal->descriptor = open(journal->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (journal->descriptor < 0)
        return fail_path(journal, "cannot be opened", error);
    if (flock(journal->descriptor, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? lancet_fail(error, LANCET_ERROR_ARGUMENT,
                                                  "%s: another process is writing it", journal->path)
                                    : fail_path(journal, "cannot be locked", error);
    return LANCET_OK;
}

/* What was measured before, and where this process's file goes on. */
static lancet_status look_back(lancet_journal *journal, lancet_error *error)
{
    lancet_records records;
    lancet_status status;

    if (!journal->folder)
        return LANCET_OK;
    status = lancet_journal_load(&records, journal->folder, &journal->header, journal->path, &journal->sound,
                                 error);
    if (status != LANCET_OK)
        return status;
    journal->known = lancet_allocate(records.count, sizeof *journal->known);
    if (journal->known) {
        for (size_t i = 0; i < records.count; i++)
            journal->known[i] = records.items[i].picture;
        journal->known_count = records.count;
    } else {
        status = lancet_fail_memory(error, "the journal");
    }
    lancet_records_close(&records);
    return status;
}

lancet_status lancet_journal_open(lancet_journal **journal, const char *folder, const char *fingerprint,
                                  size_t rank, lancet_error *error)
{
    lancet_journal *made = lancet_allocate_zero(1, sizeof *made);
    lancet_status status;

    *journal = NULL;
    if (!made)
        return lancet_fail_memory(error, "the journal");
    made->descriptor = -1;
    made->synced = time(NULL);
    status = lancet_journal_header(&made->header, fingerprint, error);
    if (status == LANCET_OK)
        status = folder ? open_named(made, folder, rank, error) : open_nameless(made, error);
    if (status == LANCET_OK)
        status = look_back(made, error);
    if (status == LANCET_OK)
        *journal = made;
    else
        lancet_journal_close(&made);
    return status;
}

void lancet_journal_close(lancet_journal **journal)
{
    if (!journal || !*journal)
        return;
    if ((*journal)->descriptor >= 0)
        close((*journal)->descriptor);
    lancet_free((*journal)->folder);
    lancet_free((*journal)->path);
    lancet_free((*journal)->known);
    lancet_buffer_close(&(*journal)->header);
    lancet_free(*journal);
    *journal = NULL;
}

/* A file that a process writes is locked. */
static lancet_status remove_file(const char *path, lancet_error *error)
{
    const int descriptor = open(path, O_RDWR | O_CLOEXEC);
    lancet_status status = LANCET_OK;

    if (descriptor < 0)
        return lancet_fail(error, LANCET_ERROR_IO, "%s: cannot be opened: %s", path, strerror(errno));
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0)
        status = lancet_fail(error, LANCET_ERROR_ARGUMENT, "%s: another process is writing it", path);
    else if (unlink(path) != 0)
        status = lancet_fail(error, LANCET_ERROR_IO, "%s: cannot be removed: %s", path, strerror(errno));
    close(descriptor);
    return status;
}

lancet_status lancet_journal_remove(const char *folder, lancet_error *error)
{
    DIR *directory = opendir(folder);
    const size_t ending = strlen(LANCET_JOURNAL_ENDING);
    lancet_status status = LANCET_OK;

    if (!directory)
        return errno == ENOENT ? LANCET_OK
                               : lancet_fail(error, LANCET_ERROR_IO, "%s: %s", folder, strerror(errno));
    for (const struct dirent *entry; status == LANCET_OK && (entry = readdir(directory));) {
        const size_t length = strlen(entry->d_name);
        char *path;

        if (length <= ending || strcmp(entry->d_name + length - ending, LANCET_JOURNAL_ENDING) != 0)
            continue;
        path = lancet_path_join(folder, entry->d_name);
        status = path ? remove_file(path, error) : lancet_fail_memory(error, "the journal");
        lancet_free(path);
    }
    closedir(directory);
    return status;
}

static int compare_pictures(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return a < b ? -1 : a > b;
}

bool lancet_journal_has(const lancet_journal *journal, uint64_t picture)
{
    return journal->known_count &&
           bsearch(&picture, journal->known, journal->known_count, sizeof picture, compare_pictures);
}

size_t lancet_journal_count(const lancet_journal *journal)
{
    return journal->known_count;
}

/* The pieces behind each other, by one call unless the system cuts it short. */
static lancet_status write_pieces(lancet_journal *journal, struct iovec *pieces, int count,
                                  lancet_error *error)
{
    while (count > 0) {
        ssize_t written = writev(journal->descriptor, pieces, count);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return fail_path(journal, "cannot be written", error);
        while (count > 0 && (size_t)written >= pieces->iov_len) {
            written -= (ssize_t)pieces->iov_len;
            pieces++;
            count--;
        }
        if (count > 0) {
            pieces->iov_base = (char *)pieces->iov_base + written;
            pieces->iov_len -= (size_t)written;
        }
    }
    return LANCET_OK;
}

/* Behind the last whole record; a fresh file gets its header. */
static lancet_status begin(lancet_journal *journal, lancet_error *error)
{
    struct iovec header = {journal->header.bytes, journal->header.length};
    lancet_status status = LANCET_OK;

    if (ftruncate(journal->descriptor, (off_t)journal->sound) != 0 ||
        lseek(journal->descriptor, (off_t)journal->sound, SEEK_SET) < 0)
        return fail_path(journal, "cannot be written", error);
    if (!journal->sound)
        status = write_pieces(journal, &header, 1, error);
    journal->begun = status == LANCET_OK;
    return status;
}

lancet_status lancet_journal_append(lancet_journal *journal, uint64_t picture, const void *bytes,
                                    size_t length, lancet_error *error)
{
    static const char padding[8];
    lancet_journal_entry entry = {.picture = picture, .length = length};
    struct iovec pieces[3] = {{&entry, sizeof entry},
                              {(void *)(uintptr_t)bytes, length},
                              {(void *)(uintptr_t)padding, (8 - length % 8) % 8}};
    const time_t now = time(NULL);
    lancet_status status = LANCET_OK;

    if (!journal->begun)
        status = begin(journal, error);
    entry.checksum = lancet_journal_checksum(&entry, bytes);
    if (status == LANCET_OK)
        status = write_pieces(journal, pieces, 3, error);
    if (status == LANCET_OK && journal->folder && now - journal->synced >= SECONDS_BETWEEN_SYNCS)
        status = lancet_journal_sync(journal, error);
    return status;
}

lancet_status lancet_journal_sync(lancet_journal *journal, lancet_error *error)
{
    journal->synced = time(NULL);
    if (journal->folder && fdatasync(journal->descriptor) != 0)
        return fail_path(journal, "cannot be written", error);
    return LANCET_OK;
}

lancet_status lancet_journal_read(lancet_records *records, const lancet_journal *journal, lancet_error *error)
{
    if (journal->folder)
        return lancet_journal_load(records, journal->folder, &journal->header, NULL, NULL, error);
    return lancet_journal_load_descriptor(records, journal->descriptor, &journal->header, error);
}
