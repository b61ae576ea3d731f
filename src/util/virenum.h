/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virenum.h: names of an enum's values, as they stand in documents and on the wire.
 *
 *     VIR_ENUM_DECL(virDiskBus);
 *     VIR_ENUM_IMPL(virDiskBus, VIR_DISK_BUS_LAST, "default", "ide", "fdc", ...);
 *
 * The table has exactly LAST names: a name too many or too few does not compile. */
#pragma once

#include <glib.h>

typedef struct {
    const char *const *names;
    int count;
} virEnum;

/* The value's name, or NULL if there is none. */
static inline const char *
virEnumToString(const virEnum *table, int value)
{
    return value >= 0 && value < table->count ? table->names[value] : NULL;
}

/* The value of a name, or -1; NULL gives -1. */
static inline int
virEnumFromString(const virEnum *table, const char *name)
{
    for (int i = 0; name && i < table->count; i++) {
        if (table->names[i] && g_str_equal(table->names[i], name))
            return i;
    }
    return -1;
}

#define VIR_ENUM_DECL(type)                                                                        \
    extern const virEnum type##Names;                                                              \
    const char *type##ToString(int value);                                                         \
    int type##FromString(const char *name)

#define VIR_ENUM_IMPL(type, last, ...)                                                             \
    static const char *const type##NameList[] = {__VA_ARGS__};                                     \
    G_STATIC_ASSERT(G_N_ELEMENTS(type##NameList) == (last));                                       \
    const virEnum type##Names = {type##NameList, (last)};                                          \
    const char *type##ToString(int value)                                                          \
    {                                                                                              \
        return virEnumToString(&type##Names, value);                                               \
    }                                                                                              \
    int type##FromString(const char *name)                                                         \
    {                                                                                              \
        return virEnumFromString(&type##Names, name);                                              \
    }                                                                                              \
    G_STATIC_ASSERT(1)
