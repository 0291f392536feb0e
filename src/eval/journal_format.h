/* The bytes of a journal's files. Numbers are in the machine's byte order, which the magic shows.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_EVAL_JOURNAL_FORMAT_H
#define LANCET_EVAL_JOURNAL_FORMAT_H

#include "base/file.h"
#include "base/memory.h"
#include "eval/journal.h"

#define LANCET_JOURNAL_MAGIC  UINT64_C(0x314E524A54434E4C) /* "LNCTJRN1" */
#define LANCET_JOURNAL_ENDING ".journal"

/** In front of each record's bytes, which are padded with zeros to whole eights. */
typedef struct lancet_journal_entry {
    uint64_t picture, length;
    uint64_t checksum; /* of picture, length and bytes */
} lancet_journal_entry;

/** What stands before the fingerprint, which is padded with zeros to whole eights. */
typedef struct lancet_journal_head {
    uint64_t magic, length;
    uint64_t checksum; /* of the fingerprint */
} lancet_journal_head;

uint64_t lancet_journal_checksum(const lancet_journal_entry *entry, const void *bytes);

/** A whole header. Errors: MEMORY. */
lancet_status lancet_journal_header(lancet_buffer *header, const char *fingerprint, lancet_error *error);

/** Reads all files of the folder. own, sound: *sound = how far the file `own` is whole (both may be NULL).
 * Errors: as lancet_journal_open. */
lancet_status lancet_journal_load(lancet_records *records, const char *folder, const lancet_buffer *header,
                                  const char *own, uint64_t *sound, lancet_error *error);

/** Reads one open file. */
lancet_status lancet_journal_load_descriptor(lancet_records *records, int descriptor,
                                             const lancet_buffer *header, lancet_error *error);

#endif
