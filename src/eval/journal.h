/* Journals: what a run over many pictures has done so far, on disk, so that it can be interrupted at any
 * moment.
 *
 * A journal is a folder with a file for each process. A file is a header, which holds the fingerprint (a text
 * of every setting that decides the numbers, a line each), and records that are only ever appended: picture,
 * length, checksum, bytes. A record is written by one call, so that after a crash of the process it is there
 * or not; after one of the machine the end may be torn, and is dropped by length and checksum.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_EVAL_JOURNAL_H
#define LANCET_EVAL_JOURNAL_H

#include "lancet/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct lancet_journal lancet_journal;

/** What was measured of one picture, or done with it; the bytes are in the records' memory, 8-byte aligned.
 */
typedef struct lancet_record {
    uint64_t picture;
    const uint8_t *bytes;
    size_t length;
} lancet_record;

/** All records of a journal by rising picture, none twice, whatever process wrote them in which order. */
typedef struct lancet_records {
    lancet_record *items;
    size_t count;
    uint64_t dropped; /* bytes of torn ends */
    struct lancet_mapping *files;
    size_t file_count;
} lancet_records;

/** Removes the journal in `folder`, if there is one. Errors: ARGUMENT (a process is writing it), IO, MEMORY.
 */
lancet_status lancet_journal_remove(const char *folder, lancet_error *error);

/** Opens the journal in `folder` (made if it is not there), reads what all processes have written, and takes
 * the file of process `rank` for itself. `folder` NULL: a journal that nobody sees, gone when it is closed.
 * Nothing is written yet: see lancet_journal_append.
 *
 * Errors: INPUT (a file that is no journal, or of another fingerprint: the message has the first line that
 * differs), ARGUMENT (another process has the file), IO, MEMORY. */
lancet_status lancet_journal_open(lancet_journal **journal, const char *folder, const char *fingerprint,
                                  size_t rank, lancet_error *error);

/** Whether the picture was measured when the journal was opened. */
bool lancet_journal_has(const lancet_journal *journal, uint64_t picture);

/** How many pictures were measured when it was opened. */
size_t lancet_journal_count(const lancet_journal *journal);

/** Adds a record. The first one also drops the file's torn end: by then every process that shares the folder
 * must have opened it. What was written reaches the disk every few seconds. Errors: IO. */
lancet_status lancet_journal_append(lancet_journal *journal, uint64_t picture, const void *bytes,
                                    size_t length, lancet_error *error);

/** Waits until everything is on the disk. Errors: IO. */
lancet_status lancet_journal_sync(lancet_journal *journal, lancet_error *error);

void lancet_journal_close(lancet_journal **journal);

/** Everything in the journal now, also of other processes. On success lancet_records_close it. Errors: as
 * lancet_journal_open. */
lancet_status lancet_journal_read(lancet_records *records, const lancet_journal *journal,
                                  lancet_error *error);

void lancet_records_close(lancet_records *records);

#endif
