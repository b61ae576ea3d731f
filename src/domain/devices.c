/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * devices.c: the devices of a domain: their order, their aliases, and what only all of them
 * together can get wrong. */
#include <string.h>

#include "domain/def.h"
#include "util/virerror.h"

static int
virDomainKindPlace(const virDeviceKind *kind)
{
    int place = 0;

    while (virDeviceKinds[place] && virDeviceKinds[place] != kind)
        place++;
    return place;
}

/* Behind the last device of the kind. */
static guint
virDomainDefKindEnd(const virDomainDef *def, const virDeviceKind *kind)
{
    int place = virDomainKindPlace(kind);
    guint end = def->devices->len;

    while (end > 0 &&
           virDomainKindPlace(((const virDevice *)g_ptr_array_index(def->devices, end - 1))->kind) >
               place)
        end--;
    return end;
}

void
virDomainDefAppendDevice(virDomainDef *def, virDevice *dev)
{
    g_ptr_array_insert(def->devices, (gint)virDomainDefKindEnd(def, dev->kind), dev);
}

void
virDomainDefAddDevice(virDomainDef *def, virDevice *dev)
{
    guint end = virDomainDefKindEnd(def, dev->kind);
    gint at = -1;

    for (guint i = end; dev->kind->order && i > 0; i--) {
        const virDevice *other = g_ptr_array_index(def->devices, i - 1);
        int order;

        if (other->kind != dev->kind)
            break;
        order = dev->kind->order(other, dev);
        if (order > 0)
            at = (gint)i - 1;
        else if (order < 0 && at < 0)
            at = (gint)i;
    }
    g_ptr_array_insert(def->devices, at < 0 ? (gint)end : at, dev);
}

bool
virDomainDefTakeDevice(virDomainDef *def, const virDevice *dev)
{
    guint index;

    if (!g_ptr_array_find(def->devices, dev, &index))
        return false;
    (void)g_ptr_array_steal_index(def->devices, index); /* the caller has it */
    return true;
}

void
virDomainDefReplaceDevice(virDomainDef *def, virDevice *old, virDevice *dev)
{
    guint index;

    if (!g_ptr_array_find(def->devices, old, &index)) {
        virDomainDefAddDevice(def, dev);
        return;
    }
    def->devices->pdata[index] = dev;
    virDeviceFree(old);
}

virDevice *
virDomainDefDeviceByAlias(const virDomainDef *def, const char *alias)
{
    for (guint i = 0; alias && i < def->devices->len; i++) {
        virDevice *dev = g_ptr_array_index(def->devices, i);

        if (g_strcmp0(dev->info.alias, alias) == 0)
            return dev;
    }
    return NULL;
}

/* --- aliases --- */

static char *
virDomainAliasNew(const virDevice *dev, const virDomainFacts *facts, unsigned index)
{
    if (dev->kind->alias)
        return dev->kind->alias(dev, facts, index);
    return g_strdup_printf(
        "%s%u", dev->kind->aliasPrefix ? dev->kind->aliasPrefix : dev->kind->element, index);
}

/* The place among its kind gives the number; a taken one is passed over, as after an unplug. */
static void
virDomainDefAssignAlias(virDevice *dev, const virDomainFacts *facts, GHashTable *taken,
                        unsigned index)
{
    g_autofree char *alias = virDomainAliasNew(dev, facts, index);

    while (alias && g_hash_table_contains(taken, alias)) {
        char *next = virDomainAliasNew(dev, facts, ++index);
        bool fixed = g_strcmp0(next, alias) == 0;

        g_free(alias);
        alias = next;
        if (fixed)
            break; /* a name that follows from its place; the check has seen to it */
    }
    dev->info.alias = g_steal_pointer(&alias);
    if (dev->info.alias)
        g_hash_table_add(taken, dev->info.alias);
}

void
virDomainDefAssignAliases(virDomainDef *def)
{
    g_autoptr(GHashTable) taken = g_hash_table_new(g_str_hash, g_str_equal);
    virDomainFacts facts;
    const virDeviceKind *kind = NULL;
    unsigned index = 0;

    virDomainDefFacts(def, NULL, &facts);
    for (guint i = 0; i < def->devices->len; i++) {
        virDevice *dev = g_ptr_array_index(def->devices, i);

        if (dev->info.alias)
            g_hash_table_add(taken, dev->info.alias);
    }
    for (guint i = 0; i < def->devices->len; i++) {
        virDevice *dev = g_ptr_array_index(def->devices, i);

        index = dev->kind == kind ? index + 1 : 0;
        kind = dev->kind;
        if (!dev->info.alias)
            virDomainDefAssignAlias(dev, &facts, taken, index);
    }
}

/* --- what only all of them can get wrong --- */

static bool
virDomainDefCheckBootOrders(const virDomainDef *def, GError **error)
{
    g_autoptr(GHashTable) orders = g_hash_table_new(g_direct_hash, g_direct_equal);

    for (guint i = 0; i < def->devices->len; i++) {
        virDevice *dev = g_ptr_array_index(def->devices, i);

        if (dev->info.bootIndex.set &&
            !g_hash_table_add(orders, GSIZE_TO_POINTER(dev->info.bootIndex.value)))
            return virErrorSet(error, VIR_ERR_XML_ERROR,
                               _("boot order '%u' used for more than one device"),
                               (unsigned)dev->info.bootIndex.value);
    }
    return true;
}

static bool
virDomainDefCheckAliases(const virDomainDef *def, GError **error)
{
    g_autoptr(GHashTable) aliases = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < def->devices->len; i++) {
        virDevice *dev = g_ptr_array_index(def->devices, i);

        if (dev->info.alias && !g_hash_table_add(aliases, dev->info.alias))
            return virErrorSet(error, VIR_ERR_XML_ERROR, _("non unique alias detected: %s"),
                               dev->info.alias);
    }
    return true;
}

bool
virDomainDefCheckDevices(const virDomainDef *def, GError **error)
{
    return virDomainDefCheckBootOrders(def, error) && virDomainDefCheckAliases(def, error);
}
