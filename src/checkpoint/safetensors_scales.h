/* Whole numbers with scales: two tensors of a safetensors file that are one. SPDX-License-Identifier:
 * Apache-2.0
 */
#ifndef LANCET_CHECKPOINT_SAFETENSORS_SCALES_H
#define LANCET_CHECKPOINT_SAFETENSORS_SCALES_H

#include "checkpoint/table.h"

/** What the tensor of scales is called, after the name of what it scales. */
#define LANCET_SCALE_SUFFIX ".scale"

/** Makes each I8 tensor X of [rows, ...] that has an F32 tensor "X.scale" of [rows] beside it readable: a
 * number is then its row's scale times what is stored. The tensor of scales leaves the table. I8 entries come
 * with dtype and data set and as unreadable; without scales they stay so.
 * Errors: INPUT (scales of another type or shape, or not finite), MEMORY. */
lancet_status lancet_safetensors_join_scales(lancet_table *table, const char *path, lancet_error *error);

#endif
