/* The Python names that may stand in a pickle of weights: a closed list. SPDX-License-Identifier: Apache-2.0
 */
#include "checkpoint/pickle.h"

#include <string.h>

typedef struct known {
    const char *module, *attribute;
    lancet_pickle_role role;
    int number;
} known;

#define STORAGE(name, type)                                                                                  \
    {                                                                                                        \
        "torch", name "Storage", LANCET_PICKLE_STORAGE, LANCET_PICKLE_##type                                 \
    }
#define TYPE(name, type)                                                                                     \
    {                                                                                                        \
        "torch", name, LANCET_PICKLE_DATA_TYPE, LANCET_PICKLE_##type                                         \
    }
#define HARMLESS(module, name)                                                                               \
    {                                                                                                        \
        module, name, LANCET_PICKLE_HARMLESS, 0                                                              \
    }
#define FIRST(module, name)                                                                                  \
    {                                                                                                        \
        module, name, LANCET_PICKLE_FIRST, 0                                                                 \
    }

static const known names[] = {
    {"torch._utils", "_rebuild_tensor_v2", LANCET_PICKLE_TENSOR, 0},
    {"torch._utils", "_rebuild_tensor", LANCET_PICKLE_TENSOR, 0},
    {"torch._utils", "_rebuild_tensor_v3", LANCET_PICKLE_TENSOR_TYPED, 0},
    {"torch._tensor", "_rebuild_from_type_v2", LANCET_PICKLE_TENSOR_KIND, 0},
    FIRST("torch._utils", "_rebuild_parameter"),
    FIRST("torch._utils", "_rebuild_parameter_with_state"),
    {"collections", "OrderedDict", LANCET_PICKLE_MAPPING, 0},
    {"collections", "defaultdict", LANCET_PICKLE_MAPPING, 1},
    STORAGE("Float", F32),
    STORAGE("Half", F16),
    STORAGE("BFloat16", BF16),
    STORAGE("Double", F64),
    STORAGE("Long", I64),
    STORAGE("Int", I32),
    STORAGE("Short", I16),
    STORAGE("Char", I8),
    STORAGE("Byte", U8),
    STORAGE("Bool", BOOL),
    STORAGE("ComplexFloat", C64),
    STORAGE("ComplexDouble", C128),
    STORAGE("Untyped", UNTYPED),
    {"torch.storage", "UntypedStorage", LANCET_PICKLE_STORAGE, LANCET_PICKLE_UNTYPED},
    TYPE("float32", F32),
    TYPE("float16", F16),
    TYPE("bfloat16", BF16),
    TYPE("float64", F64),
    TYPE("int64", I64),
    TYPE("int32", I32),
    TYPE("int16", I16),
    TYPE("int8", I8),
    TYPE("uint8", U8),
    TYPE("bool", BOOL),
    TYPE("complex64", C64),
    TYPE("complex128", C128),
    TYPE("uint16", U16),
    TYPE("uint32", U32),
    TYPE("uint64", U64),
    TYPE("float8_e4m3fn", F8_E4M3),
    TYPE("float8_e5m2", F8_E5M2),
    /* TorchScript puts these around lists and whatever has type parameters. */
    FIRST("torch.jit._pickle", "restore_type_tag"),
    FIRST("torch.jit._pickle", "build_intlist"),
    FIRST("torch.jit._pickle", "build_doublelist"),
    FIRST("torch.jit._pickle", "build_boollist"),
    FIRST("torch.jit._pickle", "build_tensorlist"),
    FIRST("torch", "Size"),
    HARMLESS("torch", "device"),
    HARMLESS("torch", "Tensor"),
    HARMLESS("torch.nn.parameter", "Parameter"),
    HARMLESS("torch.serialization", "_get_layout"),
    /* What training loops put beside the weights: settings, numbers of numpy's, dates, paths. */
    HARMLESS("argparse", "Namespace"),
    HARMLESS("types", "SimpleNamespace"),
    HARMLESS("collections", "Counter"),
    HARMLESS("pathlib", "PosixPath"),
    HARMLESS("pathlib", "PurePosixPath"),
    HARMLESS("pathlib", "WindowsPath"),
    HARMLESS("pathlib._local", "PosixPath"),
    HARMLESS("pathlib._local", "WindowsPath"),
    HARMLESS("datetime", "datetime"),
    HARMLESS("datetime", "date"),
    HARMLESS("datetime", "timedelta"),
    HARMLESS("_codecs", "encode"),
    HARMLESS("numpy", "dtype"),
    HARMLESS("numpy", "ndarray"),
    HARMLESS("numpy.core.multiarray", "scalar"),
    HARMLESS("numpy.core.multiarray", "_reconstruct"),
    HARMLESS("numpy._core.multiarray", "scalar"),
    HARMLESS("numpy._core.multiarray", "_reconstruct"),
    HARMLESS("numpy._core.numeric", "_frombuffer"),
    HARMLESS("numpy.core.numeric", "_frombuffer"),
    /* Plain types of Python's, under its old name for their module and its new one. */
    HARMLESS("__builtin__", "set"),
    HARMLESS("__builtin__", "frozenset"),
    HARMLESS("__builtin__", "bytes"),
    HARMLESS("__builtin__", "bytearray"),
    HARMLESS("__builtin__", "complex"),
    HARMLESS("__builtin__", "slice"),
    HARMLESS("__builtin__", "xrange"),
    HARMLESS("__builtin__", "int"),
    HARMLESS("__builtin__", "float"),
    HARMLESS("__builtin__", "list"),
    HARMLESS("__builtin__", "dict"),
    HARMLESS("builtins", "set"),
    HARMLESS("builtins", "frozenset"),
    HARMLESS("builtins", "bytes"),
    HARMLESS("builtins", "bytearray"),
    HARMLESS("builtins", "complex"),
    HARMLESS("builtins", "slice"),
    HARMLESS("builtins", "range"),
    HARMLESS("builtins", "int"),
    HARMLESS("builtins", "float"),
    HARMLESS("builtins", "list"),
    HARMLESS("builtins", "dict"),
};

static bool equal(const char *text, size_t length, const char *expected)
{
    return strlen(expected) == length && memcmp(text, expected, length) == 0;
}

bool lancet_pickle_know(lancet_pickle_value *name, const char *module, size_t module_length,
                        const char *attribute, size_t attribute_length)
{
    static const char compiled[] = "__torch__";
    const size_t length = sizeof compiled - 1;

    if (module_length >= length && memcmp(module, compiled, length) == 0 &&
        (module_length == length || module[length] == '.')) {
        name->role = LANCET_PICKLE_MODULE;
        return true;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (equal(attribute, attribute_length, names[i].attribute) &&
            equal(module, module_length, names[i].module)) {
            name->role = names[i].role;
            name->number = names[i].number;
            return true;
        }
    return false;
}
