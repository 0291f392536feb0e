/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/pytorch.h"

#include "base/memory.h"
#include "checkpoint/pytorch_tensor.h"
#include "checkpoint/show.h"

#include <string.h>

#define NAME_MAX_LENGTH 512    /* bytes of a tensor's name */
#define DEPTH_MAX       64     /* modules in modules */
#define STEPS_MAX       200000 /* attributes on the way: modules that are shared could make any number */
#define SHOWN           96     /* bytes of a name in a message */

typedef lancet_pickle_value value;

/* A walk from the root of what the pickle holds to the tensors. */
typedef struct walk {
    lancet_pytorch_archive archive;
    lancet_table *table;
    lancet_buffer name;           /* of where the walk is */
    lancet_buffer names;          /* of every tensor so far, each zero-terminated */
    const value *open[DEPTH_MAX]; /* what the walk is inside of */
    size_t depth;
    int steps;
    lancet_error *error;
} walk;

static lancet_status fail(const walk *w, lancet_status status, const char *what)
{
    return lancet_fail(w->error, status, "%s: %s", w->archive.path, what);
}

static lancet_status enter(walk *w, const value *dictionary)
{
    for (size_t i = 0; i < w->depth; i++)
        if (w->open[i] == dictionary)
            return fail(w, LANCET_ERROR_INPUT, "found a dictionary or module that holds itself");
    if (w->depth == DEPTH_MAX)
        return lancet_fail(w->error, LANCET_ERROR_UNSUPPORTED,
                           "%s: expected modules nested at most %d deep, found more", w->archive.path,
                           DEPTH_MAX);
    w->open[w->depth++] = dictionary;
    return LANCET_OK;
}

static lancet_status take_tensor(walk *w, const value *tensor)
{
    lancet_entry *entry = lancet_table_add(w->table);

    if (!entry || !lancet_buffer_append(&w->names, w->name.bytes, w->name.length + 1))
        return lancet_fail_memory(w->error, w->archive.path);
    return lancet_pytorch_tensor_read(entry, &w->archive, w->table, tensor, w->name.bytes, w->error);
}

/* The dictionary of a compiled module's attributes; NULL if the value is none. */
static const value *find_attributes(const value *module)
{
    if (module->kind != LANCET_PICKLE_CALL || module->items[0]->role != LANCET_PICKLE_MODULE)
        return NULL;
    return module->items[2] && module->items[2]->kind == LANCET_PICKLE_DICTIONARY ? module->items[2] : NULL;
}

static lancet_status append_name(walk *w, const value *key)
{
    char shown[SHOWN];

    if (key->count && memchr(key->bytes, '\0', key->count))
        return fail(w, LANCET_ERROR_INPUT, "found a tensor's name with a zero character in it");
    if (key->count > NAME_MAX_LENGTH || w->name.length + key->count > NAME_MAX_LENGTH)
        return lancet_fail(w->error, LANCET_ERROR_UNSUPPORTED,
                           "%s: expected tensors' names of at most %d bytes, found one that ends in %s",
                           w->archive.path, NAME_MAX_LENGTH,
                           lancet_show_piece(shown, sizeof shown, key->bytes, key->count));
    return lancet_buffer_append(&w->name, key->bytes, key->count)
               ? LANCET_OK
               : lancet_fail_memory(w->error, w->archive.path);
}

static lancet_status take_tensors(walk *w, const value *dictionary);

static lancet_status take_module(walk *w, const value *attributes)
{
    lancet_status status = enter(w, attributes);

    if (status != LANCET_OK)
        return status;
    status = lancet_buffer_append(&w->name, ".", 1) ? take_tensors(w, attributes)
                                                    : lancet_fail_memory(w->error, w->archive.path);
    w->depth--;
    return status;
}

/* Every tensor of a dictionary, and those of the modules in it. Flags, counts and whatever else stands
 * between them is no weight. */
static lancet_status take_tensors(walk *w, const value *dictionary)
{
    const size_t length = w->name.length;
    lancet_status status = LANCET_OK;

    for (size_t i = 0; status == LANCET_OK && i + 1 < dictionary->count; i += 2) {
        const value *key = dictionary->items[i], *item = dictionary->items[i + 1];
        const value *attributes = find_attributes(item);

        if (++w->steps > STEPS_MAX)
            return lancet_fail(w->error, LANCET_ERROR_UNSUPPORTED,
                               "%s: expected at most %d tensors and attributes, found more", w->archive.path,
                               STEPS_MAX);
        if (key->kind != LANCET_PICKLE_TEXT || !(attributes || lancet_pytorch_is_tensor(item)))
            continue;
        status = append_name(w, key);
        if (status == LANCET_OK)
            status = attributes ? take_module(w, attributes) : take_tensor(w, item);
        w->name.length = length;
        w->name.bytes[length] = '\0';
    }
    return status;
}

/* Training loops save the weights beside the optimizer's state, each under a name of its own. */
static lancet_status take_state_dict(walk *w, const value *dictionary)
{
    static const char *const wrappers[] = {"state_dict", "model_state_dict", "model", "module"};
    lancet_status status = enter(w, dictionary);

    for (size_t i = 0; status == LANCET_OK && i < sizeof wrappers / sizeof *wrappers; i++) {
        const value *inner = lancet_pickle_find(dictionary, wrappers[i]);

        if (inner && inner->kind == LANCET_PICKLE_DICTIONARY) {
            status = enter(w, inner);
            dictionary = inner;
            i = (size_t)-1; /* there may be another around it */
        }
    }
    return status == LANCET_OK ? take_tensors(w, dictionary) : status;
}

static lancet_status take_root(walk *w, const value *root)
{
    const value *attributes = find_attributes(root);
    lancet_status status;

    /* One buffer for every name on the way, made now so that it is never NULL. */
    if (!lancet_buffer_append(&w->name, "", 0))
        return lancet_fail_memory(w->error, w->archive.path);
    w->table->torchscript = attributes != NULL;
    if (attributes) {
        status = enter(w, attributes);
        return status == LANCET_OK ? take_tensors(w, attributes) : status;
    }
    if (root->kind == LANCET_PICKLE_DICTIONARY)
        return take_state_dict(w, root);
    return lancet_fail(w->error, LANCET_ERROR_INPUT,
                       "%s: expected a state dict or a TorchScript module, found %s", w->archive.path,
                       lancet_pytorch_is_tensor(root) ? "a tensor" : lancet_pickle_kind_name(root->kind));
}

/* The names move into the table, in the order of the entries. */
static void hand_over_names(walk *w)
{
    char *name = w->names.bytes;

    for (size_t i = 0; i < w->table->count; i++) {
        w->table->entries[i].tensor.name = name;
        name += strlen(name) + 1;
    }
    w->table->strings = w->names.bytes;
    w->table->strings_used = w->table->strings_size = w->names.length;
    w->names = (lancet_buffer){0};
}

/* Archives say how their numbers lie since PyTorch 2.1; those before lie as most machines have them. */
static lancet_status check_byte_order(const walk *w)
{
    const lancet_zip_member *member = lancet_pytorch_member(&w->archive, "", "byteorder", 9);
    lancet_status status;

    if (!member)
        return LANCET_OK;
    status = lancet_pytorch_need_stored(&w->archive, member, w->error);
    if (status != LANCET_OK)
        return status;
    if (member->length == 6 && memcmp(member->bytes, "little", 6) == 0)
        return LANCET_OK;
    if (member->length == 3 && memcmp(member->bytes, "big", 3) == 0)
        return fail(w, LANCET_ERROR_UNSUPPORTED, "found big-endian numbers, which are not supported");
    return fail(w, LANCET_ERROR_INPUT, "byteorder: expected little or big");
}

/* Everything in an archive lies in one folder, of any name. */
static const lancet_zip_member *find_pickle(walk *w)
{
    const lancet_zip_member *first = w->archive.zip.count ? &w->archive.zip.members[0] : NULL;
    const char *slash = first ? memchr(first->name, '/', first->name_length) : NULL;

    if (!slash)
        return NULL;
    w->archive.top = first->name;
    w->archive.top_length = (size_t)(slash - first->name) + 1;
    return lancet_pytorch_member(&w->archive, "", "data.pkl", 8);
}

static lancet_status read_archive(walk *w)
{
    const lancet_zip_member *member = find_pickle(w);
    lancet_buffer what = {0};
    lancet_pickle pickle = {0};
    lancet_status status;

    if (!member)
        return fail(w, LANCET_ERROR_UNSUPPORTED,
                    "expected a model, found a zip archive that is not PyTorch's: no data.pkl in its folder");
    status = lancet_pytorch_need_stored(&w->archive, member, w->error);
    if (status == LANCET_OK)
        status = check_byte_order(w);
    if (status != LANCET_OK)
        return status;
    if (lancet_buffer_print(&what, "%s: data.pkl", w->archive.path))
        status = lancet_pickle_read(&pickle, member->bytes, member->length, what.bytes, w->error);
    else
        status = lancet_fail_memory(w->error, w->archive.path);
    if (status == LANCET_OK)
        status = take_root(w, pickle.root);
    lancet_pickle_close(&pickle);
    lancet_buffer_close(&what);
    if (status == LANCET_OK)
        hand_over_names(w);
    return status;
}

lancet_status lancet_pytorch_parse(lancet_table *table, const uint8_t *bytes, size_t length, const char *path,
                                   lancet_error *error)
{
    walk w = {.archive = {.bytes = bytes, .anew_left = length, .path = path}, .table = table, .error = error};
    lancet_status status = lancet_zip_open(&w.archive.zip, bytes, length, path, error);

    if (status == LANCET_OK)
        status = read_archive(&w);
    lancet_zip_close(&w.archive.zip);
    lancet_buffer_close(&w.name);
    lancet_buffer_close(&w.names);
    return status;
}
