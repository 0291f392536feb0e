/* Commands over many pictures: which ones, under which names, and how far an earlier run got.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_MANY_H
#define CLI_MANY_H

#include "common.h"

typedef struct many_settings {
    const char *list, *journal;
    bool recursive, resume, jsonl;
    int on_broken; /* a many_broken */
    int decoders;  /* 0: the default */
} many_settings;

enum many_broken { MANY_SKIP, MANY_STOP };

extern const option many_options[7];

/* A row of a command's table of groups, for a settings struct with a member `many`. */
#define MANY_GROUP(settings)                                                                                 \
    {                                                                                                        \
        "Many pictures", many_options, 7, offsetof(settings, many)                                           \
    }

/** Pictures, and for each what its files are called: no two alike, without ends, and with the folder in the
 * output folder that they belong into ("2020/cat"). Zero-initialised is empty. */
typedef struct many_pictures {
    texts paths, names;
} many_pictures;

void many_close(many_pictures *pictures);

/** Joins the processes of mpirun, if it started this one (all but the first are then quiet), and checks what
 * the command line cannot say together. `operands`: how many pictures and folders it names. Returns a status;
 * a mistake is reported. */
int many_begin(const command *self, common_settings *common, const many_settings *settings, size_t operands,
               bool json);

/** All processes have done their pictures: from here on broken ones are no reason to end the others. */
void many_finish(void);

/** Leaves the other processes, and ends them if this one failed before many_finish. Returns the status that
 * this one is to end with: what became of the pictures is the first one's to tell. */
int many_end(int status);

/** Finds the pictures: the operands and the lines of the list, with folders replaced by what is in them. What
 * cannot be listed is reported, and the rest still counts. Returns the first status that is no success. */
int many_find(many_pictures *pictures, const texts *operands, const many_settings *settings);

/** Where the journal goes; *folder is to be free()d, and NULL if none is kept. output: the folder of the
 * results, NULL if there is none. Returns a status; a mistake is reported. */
int many_journal(char **folder, const many_settings *settings, const char *command_name, const char *output,
                 size_t picture_count);

/** Every setting that the results depend on, a line each: the command, its options, the model, the labels
 * (NULL: none). NULL if memory is out. free() it. */
char *many_describe(const command *self, const void *settings, const lancet_model *model,
                    const lancet_labels *labels);

#endif
