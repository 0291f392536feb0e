/* Comparing arrays, and the table that says how they compared. SPDX-License-Identifier: Apache-2.0 */
#include "verify.h"

#include "json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void verify_compare(verify_row *row, const float *expected, const float *found, size_t count, double limit)
{
    double product = 0, expected_square = 0, found_square = 0, largest = 0, difference = 0;
    bool finite = true;

    for (size_t i = 0; i < count; i++) {
        const double e = (double)expected[i], f = (double)found[i];

        finite = finite && isfinite(e) && isfinite(f);
        product += e * f;
        expected_square += e * e;
        found_square += f * f;
        largest = fmax(largest, fabs(e));
        difference = fmax(difference, fabs(e - f));
    }
    row->limit = limit;
    if (!finite) {
        row->difference = row->cosine = NAN;
        row->result = VERIFY_FAIL;
        snprintf(row->note, sizeof row->note, "not every value is a finite number");
        return;
    }
    /* An array of zeros has no direction, and nothing to measure a difference by: it has to be met exactly.
     */
    row->difference = difference > 0 ? difference / largest : 0;
    row->cosine = expected_square > 0 && found_square > 0 ? product / sqrt(expected_square * found_square)
                                                          : (expected_square == found_square ? 1 : 0);
    row->result = row->difference <= limit && row->cosine >= VERIFY_COSINE_LEAST ? VERIFY_PASS : VERIFY_FAIL;
}

static const char *result_name(verify_result result)
{
    static const char *const names[] = {"pass", "FAIL", "absent", "not replayed", "ERROR"};

    return names[result];
}

static int name_width(const verify_set *set)
{
    size_t width = 5;

    for (size_t i = 0; i < set->array_count; i++)
        if (strlen(set->arrays[i].name) > width)
            width = strlen(set->arrays[i].name);
    return width < 60 ? (int)width : 60;
}

void verify_print_header(const verify_set *set)
{
    printf("%-*s  %10s  %11s  %6s  %s\n", name_width(set), "stage", "max abs", "cosine", "limit", "result");
}

void verify_print_row(const verify_set *set, const verify_row *row)
{
    char difference[24] = "-", cosine[24] = "-", limit[24] = "exact", name[200];

    /* The name is a stranger's: no control character of it may reach the terminal. */
    snprintf(name, sizeof name, "%s", row->name);
    for (char *at = name; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7F)
            *at = '?';

    if (row->result == VERIFY_PASS || row->result == VERIFY_FAIL) {
        if (row->limit > 0)
            snprintf(limit, sizeof limit, "%.0e", row->limit);
        snprintf(difference, sizeof difference, row->limit > 0 ? "%.2e" : "%.0f", row->difference);
        if (!isnan(row->cosine))
            snprintf(cosine, sizeof cosine, "%.9f", row->cosine);
    } else {
        limit[0] = '-';
        limit[1] = '\0';
    }
    printf("%-*s  %10s  %11s  %6s  %s%s%s\n", name_width(set), name, difference, cosine, limit,
           result_name(row->result), *row->note ? ": " : "", row->note);
}

void verify_print_counts(const size_t counts[5])
{
    printf("\n%zu passed, %zu failed", counts[VERIFY_PASS], counts[VERIFY_FAIL]);
    if (counts[VERIFY_ERROR])
        printf(", %zu could not be checked", counts[VERIFY_ERROR]);
    if (counts[VERIFY_ABSENT])
        printf(", %zu absent", counts[VERIFY_ABSENT]);
    if (counts[VERIFY_NOT_REPLAYED])
        printf(", %zu not replayed", counts[VERIFY_NOT_REPLAYED]);
    printf("\n");
}

json_t *verify_row_json(const verify_row *row)
{
    static const char *const names[] = {"pass", "fail", "absent", "not replayed", "error"};
    const bool compared = row->result == VERIFY_PASS || row->result == VERIFY_FAIL;
    json_t *object = json_object();
    bool good = object != NULL;

    json_put(&good, object, "stage", json_words(row->name));
    json_put(&good, object, "result", json_words(names[row->result]));
    json_put(&good, object, "max_abs", compared ? json_number(row->difference) : json_null());
    json_put(&good, object, "cosine", compared ? json_number(row->cosine) : json_null());
    json_put(&good, object, "limit", compared ? json_number(row->limit) : json_null());
    json_put(&good, object, "note", *row->note ? json_words(row->note) : json_null());
    if (good)
        return object;
    json_decref(object);
    return NULL;
}
