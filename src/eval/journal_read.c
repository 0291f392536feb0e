/* Journals: read. Whatever a file holds, what is taken from it was bounded and checked.
 * SPDX-License-Identifier: Apache-2.0 */
#include "eval/journal_format.h"

#include "base/status.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <xxhash.h>

/* Records as they are found, before they are sorted. */
typedef struct found {
    lancet_buffer records, files; /* of lancet_record, lancet_mapping */
    uint64_t dropped;
} found;

static uint64_t padded(uint64_t length)
{
    return length + (8 - length % 8) % 8;
}

uint64_t lancet_journal_checksum(const lancet_journal_entry *entry, const void *bytes)
{
    const uint64_t parts[3] = {entry->picture, entry->length, XXH3_64bits(bytes, entry->length)};

    return XXH3_64bits(parts, sizeof parts);
}

lancet_status lancet_journal_header(lancet_buffer *header, const char *fingerprint, lancet_error *error)
{
    static const char padding[8];
    const size_t length = strlen(fingerprint);
    const lancet_journal_head head = {LANCET_JOURNAL_MAGIC, length, XXH3_64bits(fingerprint, length)};

    lancet_buffer_append(header, &head, sizeof head);
    lancet_buffer_append(header, fingerprint, length);
    lancet_buffer_append(header, padding, (size_t)(padded(length) - length));
    return header->failed ? lancet_fail_memory(error, "the journal") : LANCET_OK;
}

/* The first line that differs, of both texts. */
static lancet_status fail_fingerprint(const char *path, const char *was, size_t was_length, const char *is,
                                      size_t is_length, lancet_error *error)
{
    size_t line = 0, at = 0, was_end, is_end;

    for (; at < was_length && at < is_length && was[at] == is[at]; at++)
        if (was[at] == '\n')
            line = at + 1;
    for (was_end = line; was_end < was_length && was[was_end] != '\n' && was_end - line < 120;)
        was_end++;
    for (is_end = line; is_end < is_length && is[is_end] != '\n' && is_end - line < 120;)
        is_end++;
    return lancet_fail(error, LANCET_ERROR_INPUT,
                       "%s: expected the journal of this run (\"%.*s\"), found that of another one "
                       "(\"%.*s\"); give another folder, or remove this one",
                       path, (int)(is_end - line), is + line, (int)(was_end - line), was + line);
}

/* *begun = whether the header is whole; one that was cut short is as none. */
static lancet_status check_header(bool *begun, const char *path, const lancet_mapping *file,
                                  const lancet_buffer *header, lancet_error *error)
{
    const size_t shorter = file->length < header->length ? file->length : header->length;
    lancet_journal_head head;

    *begun = file->length >= header->length;
    if (memcmp(file->bytes, header->bytes, shorter) == 0)
        return LANCET_OK;
    memset(&head, 0, sizeof head);
    memcpy(&head, file->bytes, file->length < sizeof head ? file->length : sizeof head);
    if (head.magic != LANCET_JOURNAL_MAGIC || file->length < sizeof head ||
        head.length > file->length - sizeof head ||
        XXH3_64bits(file->bytes + sizeof head, head.length) != head.checksum)
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "%s: expected a journal of Lancet's, found something else", path);
    return fail_fingerprint(path, (const char *)file->bytes + sizeof head, (size_t)head.length,
                            header->bytes + sizeof head, header->length - sizeof head, error);
}

/* Adds a file's records. Behind the first one that is not whole nothing can be trusted: those pictures are
 * measured again. */
static lancet_status take_records(found *all, uint64_t *sound, const lancet_mapping *file, size_t from,
                                  lancet_error *error)
{
    uint64_t at = from;

    while (file->length - at >= sizeof(lancet_journal_entry)) {
        lancet_journal_entry entry;
        const uint64_t rest = file->length - at - sizeof entry;
        const uint8_t *bytes = file->bytes + at + sizeof entry;

        memcpy(&entry, file->bytes + at, sizeof entry);
        if (entry.length > rest || padded(entry.length) > rest ||
            lancet_journal_checksum(&entry, bytes) != entry.checksum)
            break;
        if (!lancet_buffer_append(&all->records, &(lancet_record){entry.picture, bytes, (size_t)entry.length},
                                  sizeof(lancet_record)))
            return lancet_fail_memory(error, "the journal's records");
        at += sizeof entry + padded(entry.length);
    }
    all->dropped += file->length - at;
    *sound = at;
    return LANCET_OK;
}

static lancet_status take_file(found *all, uint64_t *sound, const char *path, const lancet_buffer *header,
                               lancet_error *error)
{
    lancet_mapping file = {0};
    lancet_status status = lancet_mapping_open(&file, path, error);
    bool begun;

    *sound = 0;
    if (status != LANCET_OK)
        return status;
    if (!lancet_buffer_append(&all->files, &file, sizeof file)) {
        lancet_mapping_close(&file);
        return lancet_fail_memory(error, "the journal");
    }
    status = check_header(&begun, path, &file, header, error);
    if (status == LANCET_OK && begun)
        status = take_records(all, sound, &file, header->length, error);
    return status;
}

static lancet_status take_folder(found *all, const char *folder, const lancet_buffer *header, const char *own,
                                 uint64_t *sound, lancet_error *error)
{
    DIR *directory = opendir(folder);
    const size_t ending = strlen(LANCET_JOURNAL_ENDING);
    lancet_status status = LANCET_OK;

    if (!directory)
        return lancet_fail(error, LANCET_ERROR_IO, "%s: %s", folder, strerror(errno));
    for (const struct dirent *entry; status == LANCET_OK && (entry = readdir(directory));) {
        const size_t length = strlen(entry->d_name);
        uint64_t whole;
        char *path;

        if (length <= ending || strcmp(entry->d_name + length - ending, LANCET_JOURNAL_ENDING) != 0)
            continue;
        path = lancet_path_join(folder, entry->d_name);
        status =
            path ? take_file(all, &whole, path, header, error) : lancet_fail_memory(error, "the journal");
        if (status == LANCET_OK && own && strcmp(path, own) == 0)
            *sound = whole;
        lancet_free(path);
    }
    closedir(directory);
    return status;
}

static int compare_records(const void *left, const void *right)
{
    const lancet_record *a = left, *b = right;

    return a->picture < b->picture ? -1 : a->picture > b->picture;
}

/* Sorts, drops what is there twice, and hands over. */
static lancet_status settle(lancet_records *records, found *all, lancet_status status)
{
    size_t kept = 0;

    memset(records, 0, sizeof *records);
    records->items = (lancet_record *)(void *)all->records.bytes;
    records->count = all->records.length / sizeof *records->items;
    records->files = (lancet_mapping *)(void *)all->files.bytes;
    records->file_count = all->files.length / sizeof *records->files;
    records->dropped = all->dropped;
    if (records->count)
        qsort(records->items, records->count, sizeof *records->items, compare_records);
    for (size_t i = 0; i < records->count; i++)
        if (!kept || records->items[i].picture != records->items[kept - 1].picture)
            records->items[kept++] = records->items[i];
    records->count = kept;
    if (status != LANCET_OK)
        lancet_records_close(records);
    return status;
}

lancet_status lancet_journal_load(lancet_records *records, const char *folder, const lancet_buffer *header,
                                  const char *own, uint64_t *sound, lancet_error *error)
{
    found all = {0};

    return settle(records, &all, take_folder(&all, folder, header, own, sound, error));
}

lancet_status lancet_journal_load_descriptor(lancet_records *records, int descriptor,
                                             const lancet_buffer *header, lancet_error *error)
{
    char path[64];
    found all = {0};
    uint64_t sound;

    /* The file has no name any more, but its descriptor has one. */
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    return settle(records, &all, take_file(&all, &sound, path, header, error));
}

void lancet_records_close(lancet_records *records)
{
    for (size_t i = 0; i < records->file_count; i++)
        lancet_mapping_close(&records->files[i]);
    lancet_free(records->files);
    lancet_free(records->items);
    memset(records, 0, sizeof *records);
}
