/* The settings in a file that Lancet converted: one JSON text in its metadata. SPDX-License-Identifier:
 * Apache-2.0
 */
#ifndef LANCET_CHECKPOINT_SETTINGS_OWN_H
#define LANCET_CHECKPOINT_SETTINGS_OWN_H

#include "checkpoint/clip_configuration.h"
#include "checkpoint/settings_values.h"

/** The key in the metadata. */
#define LANCET_SETTINGS_OWN_KEY "lancet.model"

/** What readers of another version must know; keys that an older one may pass over do not raise it. */
#define LANCET_SETTINGS_OWN_VERSION 1

/** Reads the text that lancet_settings_print wrote. Errors: INPUT, UNSUPPORTED (a later version). */
lancet_status lancet_settings_own(lancet_settings_reader *r);

/** Appends a configuration, with where the model comes from, as such a text. Numbers read back exactly. */
void lancet_settings_print(lancet_buffer *out, const lancet_clip_configuration *configuration,
                           const lancet_origin *origin);

#endif
