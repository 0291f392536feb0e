/* JSON to write: values that cannot fail half-way, numbers that read back as they were.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include "lancet/image.h"
#include "lancet/lancet.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/** Puts `value` (taken over) under `key`; clears *good if memory is out. */
void json_put(bool *good, json_t *object, const char *key, json_t *value);

/** The same at the end of an array. */
void json_add(bool *good, json_t *array, json_t *value);

/** A text; bytes that are not UTF-8 (file names may hold any) become U+FFFD. NULL gives null. */
json_t *json_words(const char *text);

/** A number; null if it is not finite, which JSON cannot say. */
json_t *json_number(double value);

json_t *json_count(size_t count);

/** [count] numbers. */
json_t *json_numbers(const float *values, size_t count);

/** {"path", "hash", "activation", "activation_origin"} of the model that was used. */
json_t *json_model(const lancet_model *model);

/** {"path", "width", "height", "format", "orientation", "oriented"} of a picture that was read. */
json_t *json_picture(const char *path, const lancet_image *image);

/** The value as text that ends in a line feed: floats with 9 digits, so that they read back exactly. NULL if
 * memory is out. free() it. */
char *json_text(const json_t *value);

/** The same in one line, without a line feed. */
char *json_line(const json_t *value);

/** Writes the value to a file, as a whole. Returns a status; a failure is reported. */
int json_write(const char *path, const json_t *value);

/** Prints a field of a CSV file, in quotes where it needs them. */
void csv_text(const char *text);

/** Prints the value on stdout. Returns a status. */
int json_print(const json_t *value);

#endif
