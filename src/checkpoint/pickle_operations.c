/* What each operation of a pickle does. SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/pickle_machine.h"

#include "base/utf8.h"
#include "checkpoint/show.h"

#include <string.h>

#define SHOWN 64 /* bytes of a name in a message */

typedef lancet_pickle_machine machine;
typedef lancet_pickle_value value;

static lancet_status fail(const machine *m, const char *what)
{
    return lancet_pickle_fail(m, LANCET_ERROR_INPUT, what);
}

/* NONE, NEWTRUE, NEWFALSE */
static lancet_status do_constant(machine *m, int detail)
{
    value *made;
    const lancet_status status =
        lancet_pickle_push_new(m, detail ? LANCET_PICKLE_BOOLEAN : LANCET_PICKLE_NONE, &made);

    if (status == LANCET_OK)
        made->number = detail == 1;
    return status;
}

/* One and two bytes are without sign, four have one. */
static lancet_status do_integer(machine *m, int size)
{
    uint64_t number;
    value *made;
    lancet_status status;

    if (!lancet_pickle_take_number(m, size, &number))
        return lancet_pickle_fail_short(m);
    status = lancet_pickle_push_new(m, LANCET_PICKLE_INTEGER, &made);
    if (status == LANCET_OK)
        made->number = number >> 31 ? (int64_t)number - ((int64_t)1 << 32) : (int64_t)number;
    return status;
}

/* Two's complement of as many bytes as it takes, none for zero. */
static lancet_status do_long(machine *m, int size)
{
    uint64_t count, number = 0;
    const uint8_t *from;
    value *made;
    lancet_status status;

    if (!lancet_pickle_take_number(m, size, &count) || !(from = lancet_pickle_take(m, count)))
        return lancet_pickle_fail_short(m);
    status = lancet_pickle_push_new(m, count > 8 ? LANCET_PICKLE_LARGE : LANCET_PICKLE_INTEGER, &made);
    if (status != LANCET_OK || count > 8)
        return status;
    if (count && from[count - 1] & 0x80)
        number = UINT64_MAX;
    while (count-- > 0)
        number = number << 8 | from[count];
    memcpy(&made->number, &number, sizeof number);
    return LANCET_OK;
}

static lancet_status do_real(machine *m, int size)
{
    value *made;

    return lancet_pickle_take(m, (uint64_t)size) ? lancet_pickle_push_new(m, LANCET_PICKLE_REAL, &made)
                                                 : lancet_pickle_fail_short(m);
}

/* `size` bytes of a length, then the bytes. */
static lancet_status push_bytes(machine *m, lancet_pickle_kind kind, int size)
{
    uint64_t count;
    const uint8_t *from;
    value *made;
    lancet_status status;

    if (!lancet_pickle_take_number(m, size, &count) || !(from = lancet_pickle_take(m, count)))
        return lancet_pickle_fail_short(m);
    if (kind == LANCET_PICKLE_TEXT && lancet_utf8_check((const char *)from, (size_t)count) != count)
        return fail(m, "a text that is not UTF-8");
    status = lancet_pickle_push_new(m, kind, &made);
    if (status == LANCET_OK) {
        made->bytes = (const char *)from;
        made->count = (size_t)count;
    }
    return status;
}

static lancet_status do_text(machine *m, int size)
{
    return push_bytes(m, LANCET_PICKLE_TEXT, size);
}

static lancet_status do_bytes(machine *m, int size)
{
    return push_bytes(m, LANCET_PICKLE_BYTES, size);
}

static lancet_status do_empty(machine *m, int kind)
{
    value *made;

    return lancet_pickle_push_new(m, (lancet_pickle_kind)kind, &made);
}

static lancet_status do_mark(machine *m, int detail)
{
    (void)detail;
    return lancet_pickle_push_mark(m);
}

/* POP takes a mark off too. */
static lancet_status do_pop(machine *m, int to_mark)
{
    value **items;
    size_t count;

    if (!to_mark && lancet_pickle_pop(m))
        return LANCET_OK;
    return to_mark || m->mark_count ? lancet_pickle_pop_to_mark(m, &items, &count)
                                    : lancet_pickle_fail_empty(m);
}

static lancet_status do_duplicate(machine *m, int detail)
{
    value *item = lancet_pickle_top(m);

    (void)detail;
    return item ? lancet_pickle_push(m, item) : lancet_pickle_fail_empty(m);
}

/* MEMOIZE states no number: it is the next one's turn. */
static lancet_status do_memorize(machine *m, int size)
{
    uint64_t number = m->memoized;

    if (size && !lancet_pickle_take_number(m, size, &number))
        return lancet_pickle_fail_short(m);
    return lancet_pickle_memorize(m, number);
}

static lancet_status do_recall(machine *m, int size)
{
    uint64_t number;
    value *item;

    if (!lancet_pickle_take_number(m, size, &number))
        return lancet_pickle_fail_short(m);
    item = lancet_pickle_recall(m, number);
    return item ? lancet_pickle_push(m, item) : fail(m, "recalls a value by a number that none has");
}

static lancet_status push_collection(machine *m, lancet_pickle_kind kind, value **items, size_t count)
{
    value *made = lancet_pickle_new(m->pickle, kind);

    if (!made || !lancet_pickle_append(m->pickle, made, items, count))
        return lancet_pickle_fail_room(m);
    return lancet_pickle_push(m, made);
}

/* TUPLE, LIST, DICT and FROZENSET take everything above the mark. */
static lancet_status do_collect(machine *m, int kind)
{
    value **items;
    size_t count;
    const lancet_status status = lancet_pickle_pop_to_mark(m, &items, &count);

    if (status != LANCET_OK)
        return status;
    if (kind == LANCET_PICKLE_DICTIONARY && count % 2)
        return fail(m, "a key without a value");
    return push_collection(m, (lancet_pickle_kind)kind, items, count);
}

/* TUPLE1 to TUPLE3, and BINPERSID, which makes a thing of its identity. */
static lancet_status collect_top(machine *m, lancet_pickle_kind kind, size_t count)
{
    if (lancet_pickle_height(m) < count)
        return lancet_pickle_fail_empty(m);
    return push_collection(m, kind, lancet_pickle_pop_many(m, count), count);
}

static lancet_status do_tuple(machine *m, int count)
{
    return collect_top(m, LANCET_PICKLE_TUPLE, (size_t)count);
}

static lancet_status do_persistent(machine *m, int count)
{
    return collect_top(m, LANCET_PICKLE_PERSISTENT, (size_t)count);
}

/* Adds items to the value below them, which has to be of that kind. */
static lancet_status add(machine *m, lancet_pickle_kind kind, value **items, size_t count)
{
    value *target = lancet_pickle_top(m);

    if (!target)
        return lancet_pickle_fail_empty(m);
    if (target->kind != kind)
        return lancet_fail(m->error, LANCET_ERROR_INPUT, "%s: byte %zu: expected %s to add to, found %s",
                           m->what, m->operation, lancet_pickle_kind_name(kind),
                           lancet_pickle_kind_name(target->kind));
    if (kind == LANCET_PICKLE_DICTIONARY && count % 2)
        return fail(m, "a key without a value");
    return lancet_pickle_append(m->pickle, target, items, count) ? LANCET_OK : lancet_pickle_fail_room(m);
}

/* APPEND and SETITEM. */
static lancet_status do_add(machine *m, int kind)
{
    const size_t count = kind == LANCET_PICKLE_DICTIONARY ? 2 : 1;

    if (lancet_pickle_height(m) < count)
        return lancet_pickle_fail_empty(m);
    return add(m, (lancet_pickle_kind)kind, lancet_pickle_pop_many(m, count), count);
}

/* APPENDS, SETITEMS and ADDITEMS. */
static lancet_status do_add_all(machine *m, int kind)
{
    value **items;
    size_t count;
    const lancet_status status = lancet_pickle_pop_to_mark(m, &items, &count);

    return status == LANCET_OK ? add(m, (lancet_pickle_kind)kind, items, count) : status;
}

static lancet_status push_name(machine *m, const char *module, size_t module_length, const char *attribute,
                               size_t attribute_length)
{
    value name = {.kind = LANCET_PICKLE_NAME}, *made;
    char shown[2][SHOWN];
    lancet_status status;

    if (!lancet_pickle_know(&name, module, module_length, attribute, attribute_length))
        return lancet_fail(
            m->error, LANCET_ERROR_UNSUPPORTED,
            "%s: byte %zu: asks for Python's %s.%s, which weights do not need and Lancet does not run: save "
            "the state dict alone",
            m->what, m->operation, lancet_show_piece(shown[0], SHOWN, module, module_length),
            lancet_show_piece(shown[1], SHOWN, attribute, attribute_length));
    status = lancet_pickle_push_new(m, LANCET_PICKLE_NAME, &made);
    if (status == LANCET_OK)
        *made = name;
    return status;
}

/* Two lines of text: a module, and a name in it. */
static lancet_status do_name(machine *m, int detail)
{
    const char *lines[2];
    size_t lengths[2];

    (void)detail;
    for (size_t i = 0; i < 2; i++) {
        const size_t left = m->length - m->at;
        const uint8_t *from = m->bytes + m->at, *end = left ? memchr(from, '\n', left) : NULL;

        if (!end)
            return lancet_pickle_fail_short(m);
        lines[i] = (const char *)from;
        lengths[i] = (size_t)(end - from);
        if (lancet_utf8_check(lines[i], lengths[i]) != lengths[i])
            return fail(m, "a text that is not UTF-8");
        m->at += lengths[i] + 1;
    }
    return push_name(m, lines[0], lengths[0], lines[1], lengths[1]);
}

static lancet_status do_name_on_stack(machine *m, int detail)
{
    value **texts;

    (void)detail;
    if (lancet_pickle_height(m) < 2)
        return lancet_pickle_fail_empty(m);
    texts = lancet_pickle_pop_many(m, 2);
    if (texts[0]->kind != LANCET_PICKLE_TEXT || texts[1]->kind != LANCET_PICKLE_TEXT)
        return fail(m, "a Python name that is no text");
    return push_name(m, texts[0]->bytes, texts[0]->count, texts[1]->bytes, texts[1]->count);
}

/* What Python would call becomes a value of its own, but for the few whose result is known without calling.
 */
static lancet_status push_call(machine *m, value *name, value *arguments)
{
    if (name->role == LANCET_PICKLE_FIRST && arguments->count)
        return lancet_pickle_push(m, arguments->items[0]);
    if (name->role == LANCET_PICKLE_FIRST)
        return fail(m, "a call without the argument that is its result");
    if (name->role == LANCET_PICKLE_MAPPING && arguments->count <= (size_t)name->number)
        return push_collection(m, LANCET_PICKLE_DICTIONARY, NULL, 0);
    if (name->role == LANCET_PICKLE_MAPPING)
        return lancet_pickle_fail(m, LANCET_ERROR_UNSUPPORTED, "a dictionary that is made of arguments");
    return push_collection(m, LANCET_PICKLE_CALL, (value *[]){name, arguments, NULL}, 3);
}

/* REDUCE and NEWOBJ; NEWOBJ_EX has a third operand, arguments by name. */
static lancet_status do_call(machine *m, int operands)
{
    value **parts;

    if (lancet_pickle_height(m) < (size_t)operands)
        return lancet_pickle_fail_empty(m);
    parts = lancet_pickle_pop_many(m, (size_t)operands);
    if (parts[0]->kind != LANCET_PICKLE_NAME || parts[1]->kind != LANCET_PICKLE_TUPLE)
        return lancet_fail(
            m->error, LANCET_ERROR_INPUT,
            "%s: byte %zu: expected a call of a function or class with a tuple, found one of %s with %s",
            m->what, m->operation, lancet_pickle_kind_name(parts[0]->kind),
            lancet_pickle_kind_name(parts[1]->kind));
    return push_call(m, parts[0], parts[1]);
}

/* BUILD: attributes for an object. What an OrderedDict carries beside its items is no weight. */
static lancet_status do_build(machine *m, int detail)
{
    value *state = lancet_pickle_pop(m), *object = lancet_pickle_top(m);

    (void)detail;
    if (!state || !object)
        return lancet_pickle_fail_empty(m);
    if (object->kind == LANCET_PICKLE_CALL)
        object->items[2] = state;
    else if (object->kind != LANCET_PICKLE_DICTIONARY)
        return lancet_fail(m->error, LANCET_ERROR_INPUT,
                           "%s: byte %zu: expected an object to give attributes, found %s", m->what,
                           m->operation, lancet_pickle_kind_name(object->kind));
    return LANCET_OK;
}

/* Frames only help readers that read in pieces. */
static lancet_status do_frame(machine *m, int size)
{
    uint64_t length;

    if (!lancet_pickle_take_number(m, size, &length) || length > m->length - m->at)
        return lancet_pickle_fail_short(m);
    return LANCET_OK;
}

static lancet_status do_stop(machine *m, int detail)
{
    (void)detail;
    if (m->mark_count || m->stack.count != 1)
        return fail(m, "stops with other than one value");
    if (m->at != m->length)
        return fail(m, "stops before its end");
    m->pickle->root = m->stack.items[0];
    m->stopped = true;
    return LANCET_OK;
}

const lancet_pickle_operation lancet_pickle_operations[256] = {
    ['('] = {"MARK", do_mark, 0},
    ['.'] = {"STOP", do_stop, 0},
    ['0'] = {"POP", do_pop, 0},
    ['1'] = {"POP_MARK", do_pop, 1},
    ['2'] = {"DUP", do_duplicate, 0},
    ['G'] = {"BINFLOAT", do_real, 8},
    ['J'] = {"BININT", do_integer, 4},
    ['K'] = {"BININT1", do_integer, 1},
    ['M'] = {"BININT2", do_integer, 2},
    ['N'] = {"NONE", do_constant, 0},
    [0x88] = {"NEWTRUE", do_constant, 1},
    [0x89] = {"NEWFALSE", do_constant, 2},
    [0x8A] = {"LONG1", do_long, 1},
    [0x8B] = {"LONG4", do_long, 4},
    ['X'] = {"BINUNICODE", do_text, 4},
    [0x8C] = {"SHORT_BINUNICODE", do_text, 1},
    [0x8D] = {"BINUNICODE8", do_text, 8},
    ['T'] = {"BINSTRING", do_bytes, 4},
    ['U'] = {"SHORT_BINSTRING", do_bytes, 1},
    ['B'] = {"BINBYTES", do_bytes, 4},
    ['C'] = {"SHORT_BINBYTES", do_bytes, 1},
    [0x8E] = {"BINBYTES8", do_bytes, 8},
    [0x96] = {"BYTEARRAY8", do_bytes, 8},
    [')'] = {"EMPTY_TUPLE", do_empty, LANCET_PICKLE_TUPLE},
    [']'] = {"EMPTY_LIST", do_empty, LANCET_PICKLE_LIST},
    ['}'] = {"EMPTY_DICT", do_empty, LANCET_PICKLE_DICTIONARY},
    [0x8F] = {"EMPTY_SET", do_empty, LANCET_PICKLE_SET},
    ['t'] = {"TUPLE", do_collect, LANCET_PICKLE_TUPLE},
    ['l'] = {"LIST", do_collect, LANCET_PICKLE_LIST},
    ['d'] = {"DICT", do_collect, LANCET_PICKLE_DICTIONARY},
    [0x91] = {"FROZENSET", do_collect, LANCET_PICKLE_SET},
    [0x85] = {"TUPLE1", do_tuple, 1},
    [0x86] = {"TUPLE2", do_tuple, 2},
    [0x87] = {"TUPLE3", do_tuple, 3},
    ['a'] = {"APPEND", do_add, LANCET_PICKLE_LIST},
    ['s'] = {"SETITEM", do_add, LANCET_PICKLE_DICTIONARY},
    ['e'] = {"APPENDS", do_add_all, LANCET_PICKLE_LIST},
    ['u'] = {"SETITEMS", do_add_all, LANCET_PICKLE_DICTIONARY},
    [0x90] = {"ADDITEMS", do_add_all, LANCET_PICKLE_SET},
    ['q'] = {"BINPUT", do_memorize, 1},
    ['r'] = {"LONG_BINPUT", do_memorize, 4},
    [0x94] = {"MEMOIZE", do_memorize, 0},
    ['h'] = {"BINGET", do_recall, 1},
    ['j'] = {"LONG_BINGET", do_recall, 4},
    ['c'] = {"GLOBAL", do_name, 0},
    [0x93] = {"STACK_GLOBAL", do_name_on_stack, 0},
    ['Q'] = {"BINPERSID", do_persistent, 1},
    ['R'] = {"REDUCE", do_call, 2},
    [0x81] = {"NEWOBJ", do_call, 2},
    [0x92] = {"NEWOBJ_EX", do_call, 3},
    ['b'] = {"BUILD", do_build, 0},
    [0x95] = {"FRAME", do_frame, 8},
    [0x80] = {"PROTO", NULL, 0}, /* but for the first */
    ['P'] = {"PERSID", NULL, 0},
    ['I'] = {"INT", NULL, 0},
    ['L'] = {"LONG", NULL, 0},
    ['F'] = {"FLOAT", NULL, 0},
    ['S'] = {"STRING", NULL, 0},
    ['V'] = {"UNICODE", NULL, 0},
    ['g'] = {"GET", NULL, 0},
    ['p'] = {"PUT", NULL, 0},
    ['i'] = {"INST", NULL, 0},
    ['o'] = {"OBJ", NULL, 0},
    [0x82] = {"EXT1", NULL, 0},
    [0x83] = {"EXT2", NULL, 0},
    [0x84] = {"EXT4", NULL, 0},
    [0x97] = {"NEXT_BUFFER", NULL, 0},
    [0x98] = {"READONLY_BUFFER", NULL, 0},
};
