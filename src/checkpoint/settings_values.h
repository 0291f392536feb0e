/* Values in the files that hold settings, each checked as it is read. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CHECKPOINT_SETTINGS_VALUES_H
#define LANCET_CHECKPOINT_SETTINGS_VALUES_H

#include "checkpoint/json.h"
#include "checkpoint/settings.h"

typedef enum lancet_field_kind {
    LANCET_FIELD_SIZE,
    LANCET_FIELD_BLOCKS, /* a size, or a ResNet's list of them, whose sum is kept */
    LANCET_FIELD_NUMBER,
    LANCET_FIELD_TEXT,
    LANCET_FIELD_ID,          /* of a token, kept as one more: 0 says nothing */
    LANCET_FIELD_NORM_KWARGS, /* an object with eps */
    LANCET_FIELD_REFUSED      /* what, unless it is at its rest, makes an architecture that is not run */
} lancet_field_kind;

typedef struct lancet_field {
    const char *key;
    lancet_field_kind kind;
    size_t offset, size; /* of the member that the value goes to */
    const char *rest[2]; /* REFUSED: texts that change nothing, as null, false, "" and {} do */
    const char *what;    /* ... and what the tower is otherwise */
} lancet_field;

#define LANCET_FIELD(name, type, member)                                                                     \
    {                                                                                                        \
        .key = (name), .kind = LANCET_FIELD_##type, .offset = offsetof(lancet_tower_settings, member),       \
        .size = sizeof((lancet_tower_settings *)0)->member                                                   \
    }
#define LANCET_FIELDS_END                                                                                    \
    {                                                                                                        \
        .key = NULL                                                                                          \
    }

/** A walk through one text. */
typedef struct lancet_settings_reader {
    lancet_json json;
    lancet_settings *settings;
    const char *path;
    lancet_error *error;
} lancet_settings_reader;

/* All of these fail with INPUT and name the value as "section.key" (section may be ""). null counts as
 * absent. */

/** The JSON problem that was met. */
lancet_status lancet_settings_fail(const lancet_settings_reader *r);

/** A value of the wrong kind. */
lancet_status lancet_settings_fail_kind(lancet_settings_reader *r, const char *section, const char *key,
                                        const char *expected);

/** A whole number of 1 or more. */
lancet_status lancet_settings_size(lancet_settings_reader *r, const char *section, const char *key,
                                   size_t *value);

/** A finite number above 0. */
lancet_status lancet_settings_number(lancet_settings_reader *r, const char *section, const char *key,
                                     double *value);

/** A text, cut to `size`. */
lancet_status lancet_settings_text(lancet_settings_reader *r, const char *section, const char *key,
                                   char *text, size_t size);

/** Three finite numbers, one for each colour; above 0 if `positive`. */
lancet_status lancet_settings_triple(lancet_settings_reader *r, const char *section, const char *key,
                                     bool positive, float *values, bool *present);

/** The field of that key; NULL if there is none. `fields` ends with a NULL key. */
const lancet_field *lancet_settings_find(const lancet_field *fields, const char *key);

/** The value of a field. */
lancet_status lancet_settings_field(lancet_settings_reader *r, const char *section, const lancet_field *f,
                                    lancet_tower_settings *tower);

/** An object with the settings of a tower; of at most 64 fields. */
lancet_status lancet_settings_tower(lancet_settings_reader *r, const char *section,
                                    const lancet_field *fields, lancet_tower_settings *tower);

#endif
