/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpcapscache.c: a table over files over probes. One mutex guards the table; it is not held while
 * something is read or probed, an entry says so instead. */
#include "qmp/qmpcapscache.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "config.h"
#include "qmp/qmpcapspriv.h"
#include "qmp/qmpcapsxml.h"
#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virheap.h"
#include "util/virlog.h"
#include "util/virutil.h"

enum { QMP_CACHE_FILE_MAX = 8 * 1024 * 1024, QMP_CPUINFO_MAX = 64 * 1024 * 1024 };

typedef struct {
    qmpCaps *caps;
    struct timespec changed; /* of the binary, when caps were made */
    bool busy;               /* somebody is finding out */
} qmpCacheEntry;

struct qmpCapsCache {
    GMutex mutex;
    GCond settled;       /* an entry is no longer busy */
    GHashTable *entries; /* path -> qmpCacheEntry */
    char *folder;
    qmpCapsIdentity identity;

    /* facts that hold while we run */
    int64_t ownCtime;
    unsigned ownVersion;
    unsigned microcodeVersion;
    char *cpuSignature;
    char *kernelVersion;
    bool kvmNested;
};

static void
qmpCacheEntryFree(qmpCacheEntry *entry)
{
    qmpCapsUnref(entry->caps);
    g_free(entry);
}

/* The host */

/* The first processor of /proc/cpuinfo: who made it and which it is, and its microcode. */
static void
qmpCacheLearnCpu(qmpCapsCache *cache)
{
    static const char *const parts[] = {"vendor_id", "cpu family", "model", "model name",
                                        "stepping"};
    g_autofree char *text = virFileRead("/proc/cpuinfo", QMP_CPUINFO_MAX, NULL, NULL);
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);
    g_autoptr(GString) signature = g_string_new(NULL);

    for (size_t i = 0; lines[i] && *lines[i]; i++) {
        char *value = strchr(lines[i], ':');

        if (!value)
            continue;
        *value++ = '\0';
        g_strstrip(lines[i]);
        g_strstrip(value);
        if (g_str_equal(lines[i], "microcode"))
            cache->microcodeVersion = (unsigned)g_ascii_strtoull(value, NULL, 0);
        for (size_t j = 0; j < G_N_ELEMENTS(parts); j++) {
            if (g_str_equal(lines[i], parts[j]))
                g_string_append_printf(signature, "%s%s", signature->len ? ", " : "", value);
        }
    }
    cache->cpuSignature = g_string_free(g_steal_pointer(&signature), false);
}

static bool
qmpCacheKvmNests(void)
{
    static const char *const paths[] = {"/sys/module/kvm_intel/parameters/nested",
                                        "/sys/module/kvm_amd/parameters/nested"};

    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autofree char *text = virFileRead(paths[i], 64, NULL, NULL);

        if (text && (*text == 'Y' || *text == 'y' || *text == '1'))
            return true;
    }
    return false;
}

static void
qmpCacheLearnHost(qmpCapsCache *cache)
{
    struct utsname uts;
    struct stat sb;
    unsigned major = 0, minor = 0, micro = 0;

    if (stat("/proc/self/exe", &sb) == 0)
        cache->ownCtime = sb.st_ctime;
    if (sscanf(PACKAGE_VERSION, "%u.%u.%u", &major, &minor, &micro) == 3)
        cache->ownVersion = major * 1000000 + minor * 1000 + micro;
    if (uname(&uts) == 0)
        cache->kernelVersion = g_strdup_printf("%s %s", uts.release, uts.version);
    qmpCacheLearnCpu(cache);
    cache->kvmNested = qmpCacheKvmNests();
}

qmpCapsCache *
qmpCapsCacheNew(const char *folder, const qmpCapsIdentity *identity)
{
    qmpCapsCache *cache = g_new0(qmpCapsCache, 1);

    g_mutex_init(&cache->mutex);
    g_cond_init(&cache->settled);
    cache->entries =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)qmpCacheEntryFree);
    cache->folder = g_strdup(folder);
    cache->identity = *identity;
    cache->identity.groups =
        g_memdup2(identity->groups, identity->ngroups * sizeof(*identity->groups));
    qmpCacheLearnHost(cache);
    return cache;
}

void
qmpCapsCacheFree(qmpCapsCache *cache)
{
    if (!cache)
        return;
    g_hash_table_unref(cache->entries);
    g_free((gid_t *)cache->identity.groups);
    g_free(cache->folder);
    g_free(cache->cpuSignature);
    g_free(cache->kernelVersion);
    g_mutex_clear(&cache->mutex);
    g_cond_clear(&cache->settled);
    g_free(cache);
}

/* What a cache file is held against */

static bool
qmpCacheKvmIsAsBefore(const qmpCapsCache *cache, const qmpCaps *caps)
{
    bool usable = qmpCapsHas(caps, QMP_CAPS_KVM) || caps->kvmRefused;

    return usable == qmpCapsKvmUsable(&cache->identity);
}

static bool
qmpCacheFileHolds(const qmpCapsCache *cache, const qmpCaps *caps, const char *binary,
                  const struct stat *sb)
{
    if (!g_str_equal(caps->emulator, binary) || caps->binaryCtime != sb->st_ctime ||
        caps->ownCtime != cache->ownCtime || caps->ownVersion != cache->ownVersion ||
        !qmpCacheKvmIsAsBefore(cache, caps))
        return false;
    if (!qmpCapsHas(caps, QMP_CAPS_KVM))
        return true;
    return caps->microcodeVersion == cache->microcodeVersion &&
           caps->kvmNested == cache->kvmNested &&
           g_strcmp0(caps->hostCpuSignature, cache->cpuSignature) == 0 &&
           g_strcmp0(caps->kernelVersion, cache->kernelVersion) == 0;
}

static void
qmpCacheStamp(const qmpCapsCache *cache, qmpCaps *caps, const struct stat *sb)
{
    caps->binaryCtime = sb->st_ctime;
    caps->ownCtime = cache->ownCtime;
    caps->ownVersion = cache->ownVersion;
    if (!qmpCapsHas(caps, QMP_CAPS_KVM)) {
        caps->kvmRefused = qmpCapsKvmUsable(&cache->identity);
        return;
    }
    caps->microcodeVersion = cache->microcodeVersion;
    caps->kvmNested = cache->kvmNested;
    caps->hostCpuSignature = g_strdup(cache->cpuSignature);
    caps->kernelVersion = g_strdup(cache->kernelVersion);
}

/* Files */

static char *
qmpCachePath(const qmpCapsCache *cache, const char *binary)
{
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, binary, -1);

    return g_strdup_printf("%s/%s.xml", cache->folder, sum);
}

/* A file that is missing, broken or outdated is the same: nothing. */
static qmpCaps *
qmpCacheLoad(const qmpCapsCache *cache, const char *binary, const struct stat *sb)
{
    g_autofree char *path = qmpCachePath(cache, binary);
    g_autofree char *text = virFileRead(path, QMP_CACHE_FILE_MAX, NULL, NULL);
    g_autoptr(qmpCaps) caps = text ? qmpCapsParse(text, -1, NULL) : NULL;

    if (!caps || !qmpCacheFileHolds(cache, caps, binary, sb))
        return NULL;
    return g_steal_pointer(&caps);
}

/* Without a file the next daemon probes again: worth a line in the log, not an error. */
static void
qmpCacheSave(const qmpCapsCache *cache, const qmpCaps *caps, const char *binary)
{
    g_autofree char *path = qmpCachePath(cache, binary);
    g_autofree char *text = qmpCapsFormat(caps);
    g_autoptr(GError) error = NULL;

    if (!virFileMakePath(cache->folder, 0700, &error) ||
        !virFileWrite(path, text, strlen(text), 0600, VIR_FILE_VOLATILE, &error))
        VIR_WARN("capabilities of %s are not kept: %s", binary, error->message);
}

static qmpCaps *
qmpCacheFind(const qmpCapsCache *cache, const char *binary, const struct stat *sb, GError **error)
{
    qmpCaps *caps = qmpCacheLoad(cache, binary, sb);

    if (caps)
        return caps;
    if (!(caps = qmpCapsRun(binary, &cache->identity, error)))
        return NULL;
    qmpCacheStamp(cache, caps, sb);
    qmpCacheSave(cache, caps, binary);
    return caps;
}

/* Memory */

static qmpCacheEntry *
qmpCacheEntryGet(qmpCapsCache *cache, const char *binary)
{
    qmpCacheEntry *entry = g_hash_table_lookup(cache->entries, binary);

    if (!entry) {
        entry = g_new0(qmpCacheEntry, 1);
        g_hash_table_insert(cache->entries, g_strdup(binary), entry);
    }
    return entry;
}

static bool
qmpCacheEntryHolds(const qmpCapsCache *cache, const qmpCacheEntry *entry, const struct stat *sb)
{
    return entry->caps && entry->changed.tv_sec == sb->st_ctim.tv_sec &&
           entry->changed.tv_nsec == sb->st_ctim.tv_nsec &&
           qmpCacheKvmIsAsBefore(cache, entry->caps);
}

qmpCaps *
qmpCapsCacheGet(qmpCapsCache *cache, const char *binary, GError **error)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = NULL;
    qmpCacheEntry *entry;
    qmpCaps *caps;
    struct stat sb;

    if (stat(binary, &sb) < 0) {
        virErrorErrno(error, _("Cannot check QEMU binary %s"), binary);
        return NULL;
    }
    locker = g_mutex_locker_new(&cache->mutex);
    entry = qmpCacheEntryGet(cache, binary); /* stays: entries are never removed */
    while (entry->busy)
        g_cond_wait(&cache->settled, &cache->mutex);
    if (qmpCacheEntryHolds(cache, entry, &sb))
        return qmpCapsRef(entry->caps);
    entry->busy = true;
    g_mutex_unlock(&cache->mutex);
    caps = qmpCacheFind(cache, binary, &sb, error);
    virHeapTrim(); /* the documents that this takes are large */
    g_mutex_lock(&cache->mutex);
    entry->busy = false;
    g_cond_broadcast(&cache->settled);
    if (!caps)
        return NULL;
    qmpCapsUnref(entry->caps);
    entry->caps = qmpCapsRef(caps);
    entry->changed = sb.st_ctim;
    return caps;
}

qmpCaps *
qmpCapsCachePeek(qmpCapsCache *cache, const char *binary)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&cache->mutex);
    const qmpCacheEntry *entry = g_hash_table_lookup(cache->entries, binary);

    return entry && entry->caps ? qmpCapsRef(entry->caps) : NULL;
}

char *
qmpEmulatorFind(const char *arch)
{
    g_autofree char *name =
        g_strdup_printf("qemu-system-%s", g_str_equal(arch, "i686") ? "i386" : arch);
    g_autofree char *found = g_find_program_in_path(name);

    if (found)
        return g_steal_pointer(&found);
    /* where distributions keep the one that is for the host itself */
    if (g_str_equal(arch, "x86_64") && access("/usr/libexec/qemu-kvm", X_OK) == 0)
        return g_strdup("/usr/libexec/qemu-kvm");
    return NULL;
}
