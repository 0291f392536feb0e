/* The machine that a pickle is a program for, without the part that calls Python. SPDX-License-Identifier:
 * Apache-2.0 */
#ifndef LANCET_CHECKPOINT_PICKLE_MACHINE_H
#define LANCET_CHECKPOINT_PICKLE_MACHINE_H

#include "checkpoint/pickle.h"

/** Lists in lists, and modules in modules, which take one a level. */
#define LANCET_PICKLE_MARKS_MAX 1000
#define LANCET_PICKLE_STACK_MAX ((size_t)1 << 20)
#define LANCET_PICKLE_MEMO_MAX  ((size_t)1 << 22)

/** A growing array of pointers to values. */
typedef struct lancet_pickle_values {
    lancet_pickle_value **items;
    size_t count, capacity;
} lancet_pickle_values;

typedef struct lancet_pickle_machine {
    lancet_pickle *pickle;
    const uint8_t *bytes;
    size_t length, at;
    size_t operation; /* where the one being done stands */
    lancet_pickle_values stack;
    lancet_pickle_values memo; /* by number; NULL is not there */
    size_t memoized;
    size_t marks[LANCET_PICKLE_MARKS_MAX]; /* how high the stack was */
    size_t mark_count;
    bool stopped;
    const char *what;
    lancet_error *error;
} lancet_pickle_machine;

/** An operation. `detail` is what the table says of it: a size, a kind, a count. */
typedef struct lancet_pickle_operation {
    const char *name;                                           /* NULL: there is none of that number */
    lancet_status (*run)(lancet_pickle_machine *m, int detail); /* NULL: known, but not done */
    int detail;
} lancet_pickle_operation;

/** By their numbers. */
extern const lancet_pickle_operation lancet_pickle_operations[256];

/* Each of these returns its status, so that a failing operation ends in one line. */
lancet_status lancet_pickle_fail(const lancet_pickle_machine *m, lancet_status status, const char *what);
/** The pickle is cut short. */
lancet_status lancet_pickle_fail_short(const lancet_pickle_machine *m);
/** There is no value above the last mark. */
lancet_status lancet_pickle_fail_empty(const lancet_pickle_machine *m);
/** Memory is out, or the limit is reached. */
lancet_status lancet_pickle_fail_room(const lancet_pickle_machine *m);

lancet_status lancet_pickle_push(lancet_pickle_machine *m, lancet_pickle_value *item);
lancet_status lancet_pickle_push_new(lancet_pickle_machine *m, lancet_pickle_kind kind,
                                     lancet_pickle_value **made);
lancet_status lancet_pickle_push_mark(lancet_pickle_machine *m);

/** How many values stand above the last mark. */
size_t lancet_pickle_height(const lancet_pickle_machine *m);

/** The topmost value above the last mark; NULL if there is none. pop takes it off. */
lancet_pickle_value *lancet_pickle_top(const lancet_pickle_machine *m);
lancet_pickle_value *lancet_pickle_pop(lancet_pickle_machine *m);

/** Takes `count` values off, of which there are so many; readable until the next push. */
lancet_pickle_value **lancet_pickle_pop_many(lancet_pickle_machine *m, size_t count);

/** Takes off the values above the last mark, which goes with them. */
lancet_status lancet_pickle_pop_to_mark(lancet_pickle_machine *m, lancet_pickle_value ***items,
                                        size_t *count);

/** Gives the topmost value a number, and finds it again; NULL if none has it. */
lancet_status lancet_pickle_memorize(lancet_pickle_machine *m, uint64_t number);
lancet_pickle_value *lancet_pickle_recall(const lancet_pickle_machine *m, uint64_t number);

/** `count` bytes behind the operation; NULL if the pickle ends before. */
const uint8_t *lancet_pickle_take(lancet_pickle_machine *m, uint64_t count);

/** A number of `size` bytes, little-endian; false likewise. */
bool lancet_pickle_take_number(lancet_pickle_machine *m, int size, uint64_t *number);

#endif
