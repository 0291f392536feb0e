#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes src/clip/text/entities_table.c: the named HTML character references.

    python3 tools/generate/entities.py > src/clip/text/entities_table.c

The facts are those of Python's own html.entities.html5 (the table of the HTML standard). Beside them stand the
upper-case spellings that ftfy also resolves ("&NTILDE;"): those of the names in lower case that html.unescape leaves
alone when they are written in capitals.
"""

import html
import html.entities

SEMICOLON, BARE, CAPITALS = 1, 2, 4

forms = {}
texts = {}


def note(name, form, text):
    assert name.isascii() and name.isalnum() and len(name) <= 31
    assert texts.setdefault(name, text) == text and len(text) <= 3
    forms[name] = forms.get(name, 0) | form


for name, text in html.entities.html5.items():
    if name.endswith(";"):
        note(name[:-1], SEMICOLON, text)
        if name == name.lower():
            capitals = "&" + name.upper()
            if html.unescape(capitals) == capitals:
                note(name[:-1].upper(), CAPITALS, text.upper())
    else:
        note(name, BARE, text)

print("""/* The named HTML character references. Written by tools/generate/entities.py: do not edit.
 * SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
#include "clip/text/entities.h"

const lancet_entity lancet_entities[] = {""")
for name in sorted(forms):
    points = ", ".join(f"0x{ord(c):X}" for c in texts[name])
    print(f'    {{"{name}", {forms[name]}, {{{points}}}}},')
print("""};

const size_t lancet_entity_count = sizeof lancet_entities / sizeof *lancet_entities;""")
