/* SPDX-License-Identifier: Apache-2.0 */
#include "lancet/lancet.h"

#include "lancet_version.h"

const char *lancet_version(void)
{
    return LANCET_VERSION_TEXT;
}
