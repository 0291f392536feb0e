/* vocab.json and tokenizer.json. SPDX-License-Identifier: Apache-2.0 */
#include "clip/text/alphabet.h"
#include "clip/text/excerpt.h"
#include "clip/text/vocabulary_read.h"

#include <jansson.h>
#include <string.h>

/* Tokens by their ids, while they are gathered. */
typedef struct token_list {
    const char **tokens; /* [size] */
    size_t size, filled;
} token_list;

static lancet_status place_token(token_list *list, const char *name, const char *token, const json_t *id,
                                 lancet_error *error)
{
    json_int_t number;

    if (!json_is_integer(id))
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "%s: token \"%s\": expected an id, found no whole number", name,
                           lancet_excerpt_of(token, strlen(token)).text);
    number = json_integer_value(id);
    if (number < 0 || (uint64_t)number >= list->size)
        return lancet_fail(
            error, LANCET_ERROR_INPUT,
            "%s: token \"%s\": expected an id from 0 to %zu (as many as there are tokens), found %lld", name,
            lancet_excerpt_of(token, strlen(token)).text, list->size - 1, (long long)number);
    if (list->tokens[number])
        return lancet_fail(error, LANCET_ERROR_INPUT, "%s: tokens \"%s\" and \"%s\" have the same id %lld",
                           name, lancet_excerpt_of(list->tokens[number], strlen(list->tokens[number])).text,
                           lancet_excerpt_of(token, strlen(token)).text, (long long)number);
    list->tokens[number] = token;
    list->filled++;
    return LANCET_OK;
}

/* Whether an added token is in the table of tokens as well; *status tells of two ids for one token. */
static bool is_known(const json_t *vocabulary, const char *name, const char *token, const json_t *id,
                     lancet_status *status, lancet_error *error)
{
    const json_t *known = json_object_get(vocabulary, token);

    if (known && !json_equal(known, id))
        *status = lancet_fail(error, LANCET_ERROR_INPUT,
                              "%s: token \"%s\" has one id in model.vocab and another in "
                              "added_tokens",
                              name, lancet_excerpt_of(token, strlen(token)).text);
    return known != NULL;
}

/* Adds all tokens, in the order of their ids, which have to be 0, 1, 2, ... */
static lancet_status add_tokens(lancet_builder *builder, const char *name, json_t *vocabulary,
                                const json_t *added, lancet_error *error)
{
    token_list list = {.size = json_object_size(vocabulary)};
    lancet_status status = LANCET_OK;
    const char *token;
    json_t *value;
    size_t index;

    json_array_foreach(added, index, value)
    {
        token = json_string_value(json_object_get(value, "content"));
        if (!token)
            return lancet_fail(error, LANCET_ERROR_INPUT,
                               "%s: added_tokens[%zu]: expected an object with \"content\" "
                               "and \"id\"",
                               name, index);
        list.size += !is_known(vocabulary, name, token, json_object_get(value, "id"), &status, error);
        if (status != LANCET_OK)
            return status;
    }
    if (list.size > LANCET_VOCABULARY_SIZE_MAX)
        return lancet_fail(error, LANCET_ERROR_INPUT, "%s: expected at most %zu tokens, found %zu", name,
                           LANCET_VOCABULARY_SIZE_MAX, list.size);
    list.tokens = lancet_allocate_zero(list.size, sizeof *list.tokens);
    if (!list.tokens)
        return lancet_fail_memory(error, "a vocabulary");
    json_object_foreach(vocabulary, token, value)
    {
        status = place_token(&list, name, token, value, error);
        if (status != LANCET_OK)
            goto done;
    }
    json_array_foreach(added, index, value)
    {
        token = json_string_value(json_object_get(value, "content"));
        if (json_object_get(vocabulary, token))
            continue;
        status = place_token(&list, name, token, json_object_get(value, "id"), error);
        if (status != LANCET_OK)
            goto done;
    }
    /* As many distinct ids as there are ids: none is missing. */
    for (size_t id = 0; id < list.size && status == LANCET_OK; id++)
        status = lancet_builder_symbol(builder, list.tokens[id], strlen(list.tokens[id]), error);
done:
    lancet_free(list.tokens);
    return status;
}

/* One merge of a tokenizer.json: "left right", or ["left", "right"] as newer files have it. */
static bool split_json_merge(lancet_merge_text *merge, const json_t *value)
{
    const char *text = json_string_value(value);

    if (text) {
        const char *space = strchr(text, ' ');

        merge->left = text;
        merge->left_length = space ? (size_t)(space - text) : 0;
        merge->right = space ? space + 1 : "";
    } else if (json_array_size(value) == 2) {
        merge->left = json_string_value(json_array_get(value, 0));
        merge->right = json_string_value(json_array_get(value, 1));
        merge->left_length = merge->left ? strlen(merge->left) : 0;
    } else {
        return false;
    }
    merge->right_length = merge->right ? strlen(merge->right) : 0;
    return merge->left_length > 0 && merge->right_length > 0;
}

static lancet_status read_tokenizer(lancet_builder *builder, const char *name, const json_t *root,
                                    lancet_error *error)
{
    const json_t *model = json_object_get(root, "model");
    const json_t *merges = json_object_get(model, "merges");
    json_t *vocabulary = json_object_get(model, "vocab");
    const char *type = json_string_value(json_object_get(model, "type"));
    const char *suffix = json_string_value(json_object_get(model, "end_of_word_suffix"));
    lancet_merge_text merge = {.file = name, .unit = "merge"};
    lancet_status status;
    json_t *value;
    size_t index;

    if (type && strcmp(type, "BPE") != 0)
        return lancet_fail(error, LANCET_ERROR_UNSUPPORTED,
                           "%s: expected a tokenizer of CLIP's kind (BPE), found one of the kind %s", name,
                           lancet_excerpt_of(type, strlen(type)).text);
    if (!json_is_object(vocabulary) || !json_is_array(merges))
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "%s: expected model.vocab (an object) and model.merges (a list)", name);
    if (!suffix || strcmp(suffix, LANCET_WORD_END) != 0)
        return lancet_fail(
            error, LANCET_ERROR_UNSUPPORTED,
            "%s: expected a tokenizer of CLIP's kind, with the end-of-word suffix \"" LANCET_WORD_END
            "\", found %s%s%s",
            name, suffix ? "\"" : "none", suffix ? lancet_excerpt_of(suffix, strlen(suffix)).text : "",
            suffix ? "\"" : "");
    status = add_tokens(builder, name, vocabulary, json_object_get(root, "added_tokens"), error);
    json_array_foreach(merges, index, value)
    {
        if (status != LANCET_OK)
            break;
        merge.number = index + 1;
        if (!split_json_merge(&merge, value))
            return lancet_fail(error, LANCET_ERROR_INPUT, "%s: merge %zu: expected two symbols", name,
                               merge.number);
        status = lancet_builder_merge(builder, &merge, false, error);
    }
    return status;
}

lancet_status lancet_read_json(lancet_builder *builder, bool *has_merges, const lancet_bytes *file,
                               lancet_error *error)
{
    json_error_t about;
    json_t *root = json_loadb(file->bytes, file->length, JSON_REJECT_DUPLICATES, &about);
    lancet_status status;

    /* jansson says nothing at all in most places where its memory runs out. */
    if (!root && (json_error_code(&about) == json_error_out_of_memory || !about.text[0]))
        return lancet_fail_memory(error, "a vocabulary");
    if (!root)
        return lancet_fail(error, LANCET_ERROR_INPUT, "%s: line %d, column %d: not JSON: %s", file->name,
                           about.line, about.column, lancet_excerpt_of(about.text, strlen(about.text)).text);
    *has_merges = json_is_object(json_object_get(root, "model"));
    if (*has_merges)
        status = read_tokenizer(builder, file->name, root, error);
    else if (json_object_size(root) == 0) /* also what a list or a number gives */
        status = lancet_fail(error, LANCET_ERROR_INPUT,
                             "%s: expected an object of tokens and their ids, found none", file->name);
    else
        status = add_tokens(builder, file->name, root, NULL, error);
    json_decref(root);
    return status;
}
