/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/pytorch_tensor.h"

#include "base/memory.h"
#include "checkpoint/show.h"

#include <string.h>

#define SHOWN           96 /* bytes of a tensor's name in a message */
#define MEMBER_NAME_MAX 1024

typedef lancet_pickle_value value;

typedef struct reader {
    lancet_pytorch_archive *archive;
    lancet_table *table;
    lancet_entry *entry;
    const char *name;
    lancet_error *error;
} reader;

typedef struct data_type {
    const char *name; /* safetensors' */
    size_t size;
    int dtype; /* lancet_dtype; -1: known, but not read */
} data_type;

static const data_type data_types[] = {
    [LANCET_PICKLE_F32] = {"F32", 4, LANCET_F32},
    [LANCET_PICKLE_F16] = {"F16", 2, LANCET_F16},
    [LANCET_PICKLE_BF16] = {"BF16", 2, LANCET_BF16},
    [LANCET_PICKLE_F64] = {"F64", 8, -1},
    [LANCET_PICKLE_I64] = {"I64", 8, LANCET_I64},
    [LANCET_PICKLE_I32] = {"I32", 4, LANCET_I32},
    [LANCET_PICKLE_I16] = {"I16", 2, -1},
    [LANCET_PICKLE_I8] = {"I8", 1, -1},
    [LANCET_PICKLE_U8] = {"U8", 1, LANCET_U8},
    [LANCET_PICKLE_BOOL] = {"BOOL", 1, -1},
    [LANCET_PICKLE_C64] = {"C64", 8, -1},
    [LANCET_PICKLE_C128] = {"C128", 16, -1},
    [LANCET_PICKLE_U16] = {"U16", 2, -1},
    [LANCET_PICKLE_U32] = {"U32", 4, -1},
    [LANCET_PICKLE_U64] = {"U64", 8, -1},
    [LANCET_PICKLE_F8_E4M3] = {"F8_E4M3", 1, -1},
    [LANCET_PICKLE_F8_E5M2] = {"F8_E5M2", 1, -1},
    [LANCET_PICKLE_UNTYPED] = {"bytes", 1, -1},
};

/* A tensor's numbers in its storage, counted in numbers. */
typedef struct layout {
    const data_type *type;
    const uint8_t *storage;
    size_t length;        /* of the storage */
    size_t offset, reach; /* the first number, and behind the last; both 0 if there are none */
    size_t strides[LANCET_RANK_MAX];
    bool dense;
} layout;

static lancet_status fail_as(const reader *r, lancet_status status, const char *what)
{
    char shown[SHOWN];

    return lancet_fail(r->error, status, "%s: tensor %s: %s", r->archive->path,
                       lancet_show(shown, sizeof shown, r->name), what);
}

static lancet_status fail(const reader *r, const char *what)
{
    return fail_as(r, LANCET_ERROR_INPUT, what);
}

const lancet_zip_member *lancet_pytorch_member(const lancet_pytorch_archive *archive, const char *folder,
                                               const char *name, size_t name_length)
{
    const size_t folder_length = strlen(folder);
    char whole[MEMBER_NAME_MAX], *end = whole;

    if (archive->top_length + folder_length + name_length > sizeof whole)
        return NULL;
    memcpy(end, archive->top, archive->top_length);
    end += archive->top_length;
    memcpy(end, folder, folder_length);
    end += folder_length;
    memcpy(end, name, name_length);
    return lancet_zip_find(&archive->zip, whole, archive->top_length + folder_length + name_length);
}

lancet_status lancet_pytorch_need_stored(const lancet_pytorch_archive *archive,
                                         const lancet_zip_member *member, lancet_error *error)
{
    char shown[SHOWN];

    if (!member->packed)
        return LANCET_OK;
    return lancet_fail(error, LANCET_ERROR_UNSUPPORTED,
                       "%s: member %s of the archive: it is %s, which is not supported: PyTorch stores it as "
                       "it is",
                       archive->path,
                       lancet_show_piece(shown, sizeof shown, member->name, member->name_length),
                       member->packed);
}

bool lancet_pytorch_is_tensor(const lancet_pickle_value *call)
{
    return call->kind == LANCET_PICKLE_CALL && (call->items[0]->role == LANCET_PICKLE_TENSOR ||
                                                call->items[0]->role == LANCET_PICKLE_TENSOR_TYPED ||
                                                call->items[0]->role == LANCET_PICKLE_TENSOR_KIND);
}

/* A whole number of 0 or more. */
static bool read_size(size_t *size, const value *number)
{
    if (number->kind != LANCET_PICKLE_INTEGER || number->number < 0)
        return false;
    *size = (size_t)number->number;
    return true;
}

/* ("storage", its class, its key, where it was, how many numbers) */
static lancet_status read_storage(const reader *r, layout *l, const value *storage)
{
    const value *identity = storage->kind == LANCET_PICKLE_PERSISTENT ? storage->items[0] : NULL;
    const lancet_zip_member *member;
    value *const *items;
    char shown[SHOWN];
    size_t bytes;
    lancet_status status;

    if (!identity || identity->kind != LANCET_PICKLE_TUPLE || identity->count < 5 ||
        !lancet_pickle_is(identity->items[0], "storage"))
        return fail(r, "expected a storage to be a tuple of five that begins with \"storage\"");
    items = identity->items;
    if (items[1]->kind != LANCET_PICKLE_NAME || items[1]->role != LANCET_PICKLE_STORAGE ||
        items[2]->kind != LANCET_PICKLE_TEXT || !read_size(&l->length, items[4]))
        return fail(r, "expected a storage's class, key and size");
    l->type = &data_types[items[1]->number];
    member = lancet_pytorch_member(r->archive, "data/", items[2]->bytes, items[2]->count);
    if (!member)
        return fail(r, "its storage is not in the archive");
    status = lancet_pytorch_need_stored(r->archive, member, r->error);
    if (status != LANCET_OK)
        return status;
    /* A storage that is looked at with a wider type may end in a part of a number. */
    if (!lancet_multiply(&bytes, l->length, l->type->size) || bytes > member->length ||
        member->length - bytes >= l->type->size)
        return lancet_fail(r->error, LANCET_ERROR_INPUT,
                           "%s: member %s of the archive: expected %zu numbers of %zu bytes, found %zu bytes",
                           r->archive->path,
                           lancet_show_piece(shown, sizeof shown, member->name, member->name_length),
                           l->length, l->type->size, member->length);
    l->storage = member->bytes;
    return LANCET_OK;
}

/* What of the arguments changes the numbers: their type, where it is not the storage's, and that a view was
 * conjugated or negated without touching them. */
static lancet_status read_extras(const reader *r, layout *l, const value *arguments, bool typed)
{
    const size_t place = typed ? 7 : 6;
    const value *metadata = arguments->count > place ? arguments->items[place] : NULL;

    if (typed) {
        const value *type = arguments->count > 6 ? arguments->items[6] : NULL;

        if (!type || type->kind != LANCET_PICKLE_NAME || type->role != LANCET_PICKLE_DATA_TYPE)
            return fail(r, "expected its seventh argument to be a data type");
        l->length = l->length * l->type->size / data_types[type->number].size;
        l->type = &data_types[type->number];
    } else if (l->type == &data_types[LANCET_PICKLE_UNTYPED]) {
        return fail(r, "expected a storage of a type of numbers, found one of bytes");
    }
    if (metadata && metadata->kind == LANCET_PICKLE_DICTIONARY && metadata->count)
        return fail_as(r, LANCET_ERROR_UNSUPPORTED,
                       "a view that changes its numbers (conjugated or negated) is not supported");
    return LANCET_OK;
}

/* Sizes and strides into the entry and the layout. The largest index is the sum of each dimension's; all of
 * it is checked as it grows. */
static lancet_status read_shape(const reader *r, layout *l, const value *sizes, const value *strides)
{
    lancet_tensor *tensor = &r->entry->tensor;
    size_t last = 0, expected = 1;
    char shown[SHOWN];

    if (sizes->kind != LANCET_PICKLE_TUPLE || strides->kind != LANCET_PICKLE_TUPLE ||
        sizes->count != strides->count)
        return fail(r, "expected as many strides as dimensions");
    if (sizes->count > LANCET_RANK_MAX)
        return fail(r, "shape: more than 8 dimensions");
    tensor->rank = sizes->count;
    tensor->count = 1;
    for (size_t i = 0; i < tensor->rank; i++) {
        if (!read_size(&tensor->shape[i], sizes->items[i]) || !read_size(&l->strides[i], strides->items[i]))
            return fail(r, "expected its dimensions and strides to be whole numbers of 0 or more");
        if (!lancet_multiply(&tensor->count, tensor->count, tensor->shape[i]))
            return fail(r, "shape: the product of its dimensions overflows");
    }
    l->dense = true;
    for (size_t i = tensor->rank; tensor->count && i-- > 0;) {
        size_t step;

        if (!lancet_multiply(&step, tensor->shape[i] - 1, l->strides[i]) || !lancet_add(&last, last, step))
            return fail(r, "its numbers end outside of its storage");
        l->dense = l->dense && (tensor->shape[i] == 1 || l->strides[i] == expected);
        expected *= tensor->shape[i];
    }
    if (!tensor->count) {
        l->offset = l->reach = 0;
    } else if (!lancet_add(&last, last, l->offset) || last >= l->length) {
        return lancet_fail(r->error, LANCET_ERROR_INPUT,
                           "%s: tensor %s: its numbers end outside of its storage, which holds %zu",
                           r->archive->path, lancet_show(shown, sizeof shown, r->name), l->length);
    } else {
        l->reach = last + 1;
    }
    return LANCET_OK;
}

/* Row-major, from wherever the numbers lie: the last dimension in a row, the others counted up. */
static void lay_out(uint8_t *out, const lancet_tensor *tensor, const layout *l)
{
    const size_t size = l->type->size, last = tensor->rank - 1;
    size_t index[LANCET_RANK_MAX] = {0}, at = l->offset;

    for (size_t written = 0; written < tensor->count; written += tensor->shape[last]) {
        for (size_t i = 0; i < tensor->shape[last]; i++, out += size)
            memcpy(out, l->storage + (at + i * l->strides[last]) * size, size);
        for (size_t d = last; d-- > 0;) {
            at += l->strides[d];
            if (++index[d] < tensor->shape[d])
                break;
            at -= index[d] * l->strides[d];
            index[d] = 0;
        }
    }
}

static lancet_status take_numbers(const reader *r, const layout *l)
{
    lancet_entry *entry = r->entry;
    lancet_tensor *tensor = &entry->tensor;
    size_t bytes;
    uint8_t *anew;

    entry->begin = (size_t)(l->storage - r->archive->bytes) + l->offset * l->type->size;
    entry->end = entry->begin + (l->reach - l->offset) * l->type->size;
    if (l->type->dtype < 0) {
        entry->unreadable = l->type->name;
        return LANCET_OK;
    }
    tensor->dtype = (lancet_dtype)l->type->dtype;
    tensor->data = l->storage + l->offset * l->type->size;
    if (l->dense)
        return LANCET_OK;
    if (!lancet_multiply(&bytes, tensor->count, l->type->size) || bytes > r->archive->anew_left)
        return fail_as(r, LANCET_ERROR_UNSUPPORTED,
                       "a view that is larger than what it looks at is not supported");
    r->archive->anew_left -= bytes;
    anew = lancet_table_own(r->table, bytes);
    if (!anew)
        return lancet_fail_memory(r->error, r->archive->path);
    lay_out(anew, tensor, l);
    tensor->data = anew;
    return LANCET_OK;
}

lancet_status lancet_pytorch_tensor_read(lancet_entry *entry, lancet_pytorch_archive *archive,
                                         lancet_table *table, const lancet_pickle_value *call,
                                         const char *name, lancet_error *error)
{
    const reader r = {archive, table, entry, name, error};
    const value *function = call->items[0], *arguments = call->items[1];
    layout l = {0};
    lancet_status status;

    /* _rebuild_from_type_v2(function, class, arguments, state) */
    if (function->role == LANCET_PICKLE_TENSOR_KIND) {
        if (arguments->count < 3 || arguments->items[0]->kind != LANCET_PICKLE_NAME ||
            arguments->items[2]->kind != LANCET_PICKLE_TUPLE)
            return fail(&r, "expected a tensor's function, class and arguments");
        function = arguments->items[0];
        arguments = arguments->items[2];
    }
    if (function->role != LANCET_PICKLE_TENSOR && function->role != LANCET_PICKLE_TENSOR_TYPED)
        return fail(&r, "expected a tensor, found something else");
    if (arguments->count < 4 || !read_size(&l.offset, arguments->items[1]))
        return fail(&r, "expected a tensor's storage, offset, dimensions and strides");
    status = read_storage(&r, &l, arguments->items[0]);
    if (status == LANCET_OK)
        status = read_extras(&r, &l, arguments, function->role == LANCET_PICKLE_TENSOR_TYPED);
    if (status == LANCET_OK)
        status = read_shape(&r, &l, arguments->items[2], arguments->items[3]);
    return status == LANCET_OK ? take_numbers(&r, &l) : status;
}
