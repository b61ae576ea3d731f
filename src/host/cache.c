/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cache.c: cpu<n>/cache below /sys/devices/system, and resctrl's info folder. */
#include "host/cache.h"

#include <string.h>

#include "host/hostfs.h"
#include "host/topology.h"

/* Smaller caches belong to one core: nothing to part. */
#define VIR_HOST_CACHE_LEVEL_MIN 3

static const char *const typeNames[] = {"both", "code", "data"};
G_STATIC_ASSERT(G_N_ELEMENTS(typeNames) == VIR_HOST_CACHE_LAST);

const char *
virHostCacheTypeToString(virHostCacheType type)
{
    return typeNames[type];
}

/* --- banks --- */

static void
virHostCacheBankFree(void *opaque)
{
    virHostCacheBank *bank = opaque;

    virBitmapFree(bank->cpus);
    g_array_unref(bank->controls);
    g_free(bank);
}

static bool
virHostCacheTypeRead(const char *folder, virHostCacheType *ret)
{
    static const char *const kernelNames[] = {"Unified", "Instruction", "Data"};
    g_autofree char *text = virHostFsText("%s/type", folder);

    for (int i = 0; text && i < VIR_HOST_CACHE_LAST; i++) {
        if (g_str_equal(text, kernelNames[i])) {
            *ret = (virHostCacheType)i;
            return true;
        }
    }
    return false;
}

static virHostCacheBank *
virHostCacheBankRead(const char *folder)
{
    virHostCacheBank *bank;
    g_autoptr(virBitmap) cpus = NULL;
    virHostCacheType type;
    uint64_t level, id, size;

    if (!virHostFsNumber(&level, "%s/level", folder) || level < VIR_HOST_CACHE_LEVEL_MIN ||
        !virHostFsNumber(&id, "%s/id", folder) || !virHostFsNumber(&size, "%s/size", folder) ||
        !virHostCacheTypeRead(folder, &type) ||
        !(cpus = virHostFsList("%s/shared_cpu_list", folder)))
        return NULL;
    bank = g_new0(virHostCacheBank, 1);
    bank->id = (unsigned)id;
    bank->level = (unsigned)level;
    bank->type = type;
    bank->size = size;
    bank->cpus = g_steal_pointer(&cpus);
    bank->controls = g_array_new(FALSE, FALSE, sizeof(virHostCacheControl));
    return bank;
}

static bool
virHostCachesHave(const virHostCaches *caches, const virHostCacheBank *bank)
{
    for (guint i = 0; i < caches->banks->len; i++) {
        const virHostCacheBank *other = caches->banks->pdata[i];

        if (other->id == bank->id && other->level == bank->level && other->type == bank->type &&
            virBitmapEqual(other->cpus, bank->cpus))
            return true;
    }
    return false;
}

static int
virHostCacheBankCompare(const void *a, const void *b)
{
    const virHostCacheBank *x = *(virHostCacheBank *const *)a;
    const virHostCacheBank *y = *(virHostCacheBank *const *)b;

    if (x->level != y->level)
        return x->level < y->level ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static void
virHostCachesReadBanks(virHostCaches *caches, const char *system)
{
    g_autoptr(virBitmap) online = virHostTopologyOnline(system);

    virBitmapForEach(online, cpu)
    {
        g_autoptr(virBitmap) entries =
            virHostFsEntries("index", "%s/cpu/cpu%ld/cache", system, cpu);

        if (!entries)
            continue;
        virBitmapForEach(entries, entry)
        {
            g_autofree char *folder =
                g_strdup_printf("%s/cpu/cpu%ld/cache/index%ld", system, cpu, entry);
            virHostCacheBank *bank = virHostCacheBankRead(folder);

            if (bank && !virHostCachesHave(caches, bank))
                g_ptr_array_add(caches->banks, bank);
            else if (bank)
                virHostCacheBankFree(bank);
        }
    }
    g_ptr_array_sort(caches->banks, virHostCacheBankCompare);
}

/* --- resctrl --- */

static unsigned
virHostCacheCountBits(const char *hex)
{
    unsigned bits = 0;

    for (; *hex; hex++) {
        int digit = g_ascii_xdigit_value(*hex);

        bits += digit > 0 ? (unsigned)__builtin_popcount((unsigned)digit) : 0;
    }
    return bits;
}

static void
virHostCacheBankReadControls(virHostCacheBank *bank, const char *resctrl)
{
    static const char *const suffixes[] = {"", "CODE", "DATA"};

    for (int type = 0; type < VIR_HOST_CACHE_LAST; type++) {
        g_autofree char *folder =
            g_strdup_printf("%s/info/L%u%s", resctrl, bank->level, suffixes[type]);
        g_autofree char *mask = virHostFsText("%s/cbm_mask", folder);
        unsigned bits = mask ? virHostCacheCountBits(mask) : 0;
        virHostCacheControl control = {.type = (virHostCacheType)type};
        uint64_t classes, minBits;

        if (bits == 0 || !virHostFsNumber(&classes, "%s/num_closids", folder) ||
            !virHostFsNumber(&minBits, "%s/min_cbm_bits", folder))
            continue;
        control.granularity = bank->size / bits;
        control.minimum = minBits != 1 ? minBits * control.granularity : 0;
        control.maxAllocations = (unsigned)classes;
        g_array_append_val(bank->controls, control);
    }
}

/* Keeps the features of one resource, which their names begin with. */
static void
virHostCacheMonitorRead(virHostCacheMonitor *monitor, const char *prefix, const char *resctrl)
{
    g_autofree char *text = virHostFsText("%s/info/L3_MON/mon_features", resctrl);
    g_auto(GStrv) words = text ? g_strsplit(text, "\n", -1) : NULL;
    GPtrArray *features;
    uint64_t monitors, threshold;

    if (!words || !virHostFsNumber(&monitors, "%s/info/L3_MON/num_rmids", resctrl))
        return;
    features = g_ptr_array_new();
    for (char **word = words; *word; word++) {
        if (g_str_has_prefix(*word, prefix))
            g_ptr_array_add(features, g_strdup(*word));
    }
    if (features->len == 0) {
        g_ptr_array_unref(features);
        return;
    }
    g_ptr_array_add(features, NULL);
    monitor->features = (char **)g_ptr_array_free(features, FALSE);
    monitor->maxMonitors = (unsigned)monitors;
    if (virHostFsNumber(&threshold, "%s/info/L3_MON/max_threshold_occupancy", resctrl))
        monitor->reuseThreshold = (unsigned)threshold;
}

static void
virHostCachesReadBandwidth(virHostCaches *caches, const char *resctrl)
{
    uint64_t granularity, minimum, classes;

    if (!virHostFsNumber(&granularity, "%s/info/MB/bandwidth_gran", resctrl) ||
        !virHostFsNumber(&minimum, "%s/info/MB/min_bandwidth", resctrl) ||
        !virHostFsNumber(&classes, "%s/info/MB/num_closids", resctrl))
        return;
    caches->bandwidth.granularity = (unsigned)granularity;
    caches->bandwidth.minimum = (unsigned)minimum;
    caches->bandwidth.maxAllocations = (unsigned)classes;
}

virHostCaches *
virHostCachesRead(const char *system, const char *resctrl)
{
    virHostCaches *caches = g_new0(virHostCaches, 1);

    caches->banks = g_ptr_array_new_with_free_func(virHostCacheBankFree);
    caches->monitorLevel = VIR_HOST_CACHE_LEVEL_MIN;
    virHostCachesReadBanks(caches, system);
    for (guint i = 0; i < caches->banks->len; i++)
        virHostCacheBankReadControls(caches->banks->pdata[i], resctrl);
    virHostCacheMonitorRead(&caches->cacheMonitor, "llc_", resctrl);
    virHostCacheMonitorRead(&caches->bandwidthMonitor, "mbm_", resctrl);
    virHostCachesReadBandwidth(caches, resctrl);
    return caches;
}

void
virHostCachesFree(virHostCaches *caches)
{
    if (!caches)
        return;
    g_ptr_array_unref(caches->banks);
    g_strfreev(caches->cacheMonitor.features);
    g_strfreev(caches->bandwidthMonitor.features);
    g_free(caches);
}
