/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * owed.c: see owed.h. */
#include "qemu/owed.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "delegate/virhandlers.h"
#include "qemu/hosttap.h"
#include "util/vircore.h"
#include "util/virenum.h"
#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virlog.h"
#include "util/virutil.h"
#include "util/viruuid.h"
#include "util/virxml.h"

enum { OWED_MAX = 4096, FILE_MAX = 4 << 20 };

/* One thing to be taken back. */
typedef struct {
    char *domain;
    uint8_t uuid[16];
    qemuResource *resource;
    dev_t device; /* OWNER: of the file */
    ino_t inode;
    bool claimed; /* a guest that uses the file gives it back */
    bool busy;    /* an attempt is under way */
} owedEntry;

struct qemuOwed {
    GMutex lock;
    GCond idle;         /* an attempt has ended */
    GPtrArray *entries; /* owedEntry */
    uint64_t changes;   /* counts them */
    GMutex writeLock;   /* taken before lock */
    uint64_t written;   /* under writeLock: changes up to this one are in the file */
    char *path;
};

static void
entryFree(void *opaque)
{
    owedEntry *entry = opaque;

    g_free(entry->domain);
    qemuResourceFree(entry->resource);
    g_free(entry);
}

/* The hook that takes such a thing back; 0: none, it is not for the list. */
static uint32_t
hookOf(qemuResourceType type)
{
    switch (type) {
    case QEMU_RESOURCE_OWNER:
        return HANDLER_PROC_OWN_SET;
    case QEMU_RESOURCE_TAP:
    case QEMU_RESOURCE_MACVTAP:
        return HANDLER_PROC_TAP_REMOVE;
    case QEMU_RESOURCE_PCI:
        return HANDLER_PROC_PCI_RELEASE;
    default:
        return 0;
    }
}

/* As what it is on the list: a macvtap whose index is known goes as a TAP does. */
static qemuResourceType
typeOf(const qemuResource *resource)
{
    return resource->type == QEMU_RESOURCE_MACVTAP ? QEMU_RESOURCE_TAP : resource->type;
}

/* --- the file --- */

static const char *
elementOf(qemuResourceType type)
{
    return type == QEMU_RESOURCE_OWNER ? "owner" : type == QEMU_RESOURCE_TAP ? "tap" : "pci";
}

static void
formatEntry(const owedEntry *entry, virXMLWriter *w)
{
    const qemuResource *resource = entry->resource;
    char uuid[VIR_UUID_TEXT_SIZE];

    virXMLWriterOpen(w, elementOf(resource->type));
    virXMLWriterAttr(w, "name", resource->name);
    virXMLWriterAttr(w, "domain", entry->domain);
    virXMLWriterAttr(w, "uuid", virUUIDFormat(entry->uuid, uuid));
    if (resource->type == QEMU_RESOURCE_OWNER) {
        virXMLWriterAttrF(w, "uid", "%u", (unsigned)resource->uid);
        virXMLWriterAttrF(w, "gid", "%u", (unsigned)resource->gid);
        virXMLWriterAttrF(w, "device", "%" PRIu64, (uint64_t)entry->device);
        virXMLWriterAttrF(w, "inode", "%" PRIu64, (uint64_t)entry->inode);
    } else {
        virXMLWriterAttrF(w, "index", "%u", resource->number);
    }
    virXMLWriterClose(w);
}

/* Under lock. */
static char *
format(const qemuOwed *owed)
{
    g_autoptr(virXMLWriter) w = virXMLWriterNew();

    virXMLWriterOpen(w, "owed");
    for (guint i = 0; i < owed->entries->len; i++)
        formatEntry(g_ptr_array_index(owed->entries, i), w);
    virXMLWriterClose(w);
    return virXMLWriterEnd(w);
}

/* What is in memory now, unless somebody has written that already. */
static void
save(qemuOwed *owed)
{
    g_autoptr(GMutexLocker) guard G_GNUC_UNUSED = g_mutex_locker_new(&owed->writeLock);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    uint64_t changes;
    bool empty;

    g_mutex_lock(&owed->lock);
    changes = owed->changes;
    empty = owed->entries->len == 0;
    text = changes > owed->written ? format(owed) : NULL;
    g_mutex_unlock(&owed->lock);
    if (!text)
        return;
    if (empty ? virFileRemove(owed->path, &error)
              : virFileWrite(owed->path, text, strlen(text), 0600, VIR_FILE_VOLATILE, &error))
        owed->written = changes;
    else
        VIR_WARN("what is owed of guests that ended is not kept: %s", error->message);
}

static uint64_t
readNumber(const xmlNode *node, const char *name)
{
    const char *text = virXMLAttrPeek(node, name);

    return text ? g_ascii_strtoull(text, NULL, 10) : 0;
}

/* NULL: it makes no sense. */
static owedEntry *
parseEntry(const xmlNode *node, qemuResourceType type)
{
    const char *name = virXMLAttrPeek(node, "name");
    const char *uuid = virXMLAttrPeek(node, "uuid");
    owedEntry *entry = g_new0(owedEntry, 1);

    entry->domain = virXMLAttr(node, "domain");
    entry->resource = qemuResourceNew(type, name, NULL);
    entry->resource->number = (unsigned)readNumber(node, "index");
    entry->resource->uid = (uid_t)readNumber(node, "uid");
    entry->resource->gid = (gid_t)readNumber(node, "gid");
    entry->device = (dev_t)readNumber(node, "device");
    entry->inode = (ino_t)readNumber(node, "inode");
    if (name && entry->domain && uuid && virUUIDParse(uuid, entry->uuid) &&
        (type == QEMU_RESOURCE_OWNER ? entry->inode != 0 : entry->resource->number != 0))
        return entry;
    entryFree(entry);
    return NULL;
}

static void
parseAll(qemuOwed *owed, const xmlNode *root, qemuResourceType type)
{
    const char *element = elementOf(type);

    virXMLForEachChildNamed (root, node, element) {
        owedEntry *entry = parseEntry(node, type);

        if (entry)
            g_ptr_array_add(owed->entries, entry);
        else
            VIR_WARN("%s: a line of %s makes no sense", owed->path, element);
    }
}

qemuOwed *
qemuOwedLoad(const char *folder)
{
    qemuOwed *owed = g_new0(qemuOwed, 1);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    xmlDoc *doc = NULL;

    g_mutex_init(&owed->lock);
    g_mutex_init(&owed->writeLock);
    g_cond_init(&owed->idle);
    owed->entries = g_ptr_array_new_with_free_func(entryFree);
    owed->path = g_build_filename(folder, "owed.xml", NULL);
    if (access(owed->path, F_OK) < 0)
        return owed;
    text = virFileRead(owed->path, FILE_MAX, NULL, &error);
    doc = text ? virXMLParse(text, -1, owed->path, &error) : NULL;
    if (doc) {
        parseAll(owed, xmlDocGetRootElement(doc), QEMU_RESOURCE_OWNER);
        parseAll(owed, xmlDocGetRootElement(doc), QEMU_RESOURCE_TAP);
        parseAll(owed, xmlDocGetRootElement(doc), QEMU_RESOURCE_PCI);
        xmlFreeDoc(doc);
    } else {
        VIR_WARN("what is owed of guests that ended is lost: %s", error->message);
    }
    return owed;
}

void
qemuOwedFree(qemuOwed *owed)
{
    if (!owed)
        return;
    g_ptr_array_unref(owed->entries);
    g_mutex_clear(&owed->lock);
    g_mutex_clear(&owed->writeLock);
    g_cond_clear(&owed->idle);
    g_free(owed->path);
    g_free(owed);
}

/* --- the list --- */

/* Under lock. */
static owedEntry *
find(const qemuOwed *owed, qemuResourceType type, const char *name)
{
    for (guint i = 0; i < owed->entries->len; i++) {
        owedEntry *entry = g_ptr_array_index(owed->entries, i);

        if (entry->resource->type == type && g_str_equal(entry->resource->name, name))
            return entry;
    }
    return NULL;
}

/* Under lock. */
static void
drop(qemuOwed *owed, owedEntry *entry)
{
    owed->changes++;
    g_ptr_array_remove(owed->entries, entry);
}

/* What makes sure later that it is still the same thing. */
static bool
identify(owedEntry *entry, const qemuResource *was)
{
    qemuResource *resource = entry->resource;
    struct stat st;

    if (was->type == QEMU_RESOURCE_MACVTAP)
        return resource->number != 0 ||
               (qemuHostMacvtapFind(was, &resource->number, NULL) && resource->number != 0);
    if (resource->type == QEMU_RESOURCE_TAP && resource->number == 0)
        resource->number = if_nametoindex(resource->name);
    if (resource->type != QEMU_RESOURCE_OWNER)
        return resource->number != 0;
    if (lstat(resource->name, &st) < 0 || S_ISLNK(st.st_mode))
        return false;
    entry->device = st.st_dev;
    entry->inode = st.st_ino;
    return true;
}

void
qemuOwedNote(qemuDriver *driver, const virDomainObj *obj, const qemuResource *resource)
{
    qemuOwed *owed = driver->owed;
    owedEntry *entry, *before;

    if (!owed || !hookOf(resource->type))
        return;
    entry = g_new0(owedEntry, 1);
    entry->domain = g_strdup(obj->name);
    memcpy(entry->uuid, obj->uuid, sizeof(entry->uuid));
    entry->resource = qemuResourceNew(typeOf(resource), resource->name, NULL);
    entry->resource->number = resource->number;
    entry->resource->uid = resource->uid;
    entry->resource->gid = resource->gid;
    if (!identify(entry, resource)) {
        entryFree(entry);
        return;
    }
    g_mutex_lock(&owed->lock);
    before = find(owed, typeOf(resource), resource->name);
    if (before && !before->busy)
        drop(owed, before);
    if (!(before && before->busy) && owed->entries->len < OWED_MAX) {
        owed->changes++;
        g_ptr_array_add(owed->entries, g_steal_pointer(&entry));
    }
    g_mutex_unlock(&owed->lock);
    if (entry)
        entryFree(entry);
    save(owed);
    VIR_WARN("domain '%s': '%s' is taken back when a handler of %s comes", obj->name,
             resource->name, virXdrHookByNumber(hookOf(resource->type))->name);
}

void
qemuOwedForget(qemuDriver *driver, const qemuResource *resource)
{
    qemuOwed *owed = driver->owed;
    /* A device that this guest found taken already was not its own to give back. */
    const bool untouched = resource->type == QEMU_RESOURCE_PCI && !resource->number;
    owedEntry *entry;

    if (!owed || !hookOf(resource->type))
        return;
    g_mutex_lock(&owed->lock);
    entry = find(owed, typeOf(resource), resource->name);
    if (entry && untouched)
        entry->claimed = false;
    else if (entry && !entry->busy)
        drop(owed, entry);
    g_mutex_unlock(&owed->lock);
    if (entry && untouched)
        qemuOwedRetry(driver, hookOf(resource->type));
    else if (entry)
        save(owed);
}

bool
qemuOwedClaim(qemuDriver *driver, const char *path, const struct stat *st, uid_t *retUid,
              gid_t *retGid)
{
    qemuOwed *owed = driver->owed;
    owedEntry *entry;

    if (!owed)
        return false;
    g_mutex_lock(&owed->lock);
    while ((entry = find(owed, QEMU_RESOURCE_OWNER, path)) && entry->busy)
        g_cond_wait(&owed->idle, &owed->lock); /* no longer than a handler's deadline */
    if (entry && (entry->device != st->st_dev || entry->inode != st->st_ino))
        entry = NULL; /* another file by now */
    if (entry) {
        entry->claimed = true;
        *retUid = entry->resource->uid;
        *retGid = entry->resource->gid;
    }
    g_mutex_unlock(&owed->lock);
    return entry != NULL;
}

/* --- trying again --- */

/* A guest that runs has it: of a file, one that claimed it under an earlier daemon. Core lock held.
 */
static bool
isUsed(qemuDriver *driver, const owedEntry *entry)
{
    g_autoptr(GPtrArray) all = virDomainRegistryAll(driver->domains);

    for (guint i = 0; i < all->len; i++) {
        const qemuGuest *guest = qemuGuestOf(g_ptr_array_index(all, i));

        for (guint j = 0; guest && j < guest->resources->len; j++) {
            const qemuResource *resource = g_ptr_array_index(guest->resources, j);

            if (resource->type == entry->resource->type &&
                g_str_equal(resource->name, entry->resource->name))
                return true;
        }
    }
    return false;
}

/* The next one for the hook from index on, marked; NULL: there is none. A marked entry is nobody
 * else's to drop. */
static owedEntry *
takeNext(qemuDriver *driver, uint32_t hook, guint *index)
{
    qemuOwed *owed = driver->owed;
    owedEntry *found = NULL;
    VIR_CORE_GUARD;

    g_mutex_lock(&owed->lock);
    for (; *index < owed->entries->len && !found; (*index)++) {
        owedEntry *entry = g_ptr_array_index(owed->entries, *index);
        const uint32_t own = hookOf(entry->resource->type);

        if (entry->claimed || entry->busy || (hook && own != hook) ||
            (!hook && virHandlersHandsOut(virDelegateGetHandlers(driver->door),
                                          virXdrHookByNumber(own)->name)))
            continue;
        if (entry->resource->type != QEMU_RESOURCE_TAP && isUsed(driver, entry)) {
            entry->claimed = true;
            continue;
        }
        entry->busy = true;
        found = entry;
    }
    g_mutex_unlock(&owed->lock);
    return found;
}

/* A file that was exchanged, or given to somebody else meanwhile, is nobody's debt any more. */
static bool
isStillOurs(const qemuDriver *driver, const owedEntry *entry)
{
    struct stat st;

    if (entry->resource->type != QEMU_RESOURCE_OWNER)
        return true; /* the door compares the index */
    return lstat(entry->resource->name, &st) == 0 && st.st_dev == entry->device &&
           st.st_ino == entry->inode && st.st_uid == driver->uid;
}

static bool
tryEntry(qemuDriver *driver, const owedEntry *entry)
{
    virDelegateCall call = {.domain = entry->domain, .phase = VIR_DELEGATE_PHASE_TEARDOWN};
    g_autoptr(GError) error = NULL;

    memcpy(call.uuid, entry->uuid, sizeof(call.uuid));
    if (!isStillOurs(driver, entry)) {
        VIR_INFO("'%s' of former domain '%s' is another's by now", entry->resource->name,
                 entry->domain);
        return true;
    }
    if (!qemuResourceUndo(driver, &call, entry->resource, &error)) {
        VIR_WARN("'%s' of former domain '%s' is still not taken back: %s", entry->resource->name,
                 entry->domain, error->message);
        return false;
    }
    VIR_INFO("'%s' of former domain '%s' is taken back now", entry->resource->name, entry->domain);
    return true;
}

/* What a job is to try. */
typedef struct {
    qemuDriver *driver;
    uint32_t hook;
} owedJob;

static void
retry(void *opaque)
{
    g_autofree owedJob *job = opaque;
    qemuOwed *owed = job->driver->owed;
    owedEntry *entry;
    guint index = 0;
    bool any = false;

    while ((entry = takeNext(job->driver, job->hook, &index))) {
        bool done = tryEntry(job->driver, entry);

        g_mutex_lock(&owed->lock);
        entry->busy = false;
        if (done) {
            drop(owed, entry);
            index--; /* the next one has its place */
        }
        g_cond_broadcast(&owed->idle);
        g_mutex_unlock(&owed->lock);
        any |= done;
    }
    if (any)
        save(owed);
}

void
qemuOwedRetry(qemuDriver *driver, uint32_t hook)
{
    owedJob *job;
    bool any;

    g_mutex_lock(&driver->owed->lock);
    any = driver->owed->entries->len > 0;
    g_mutex_unlock(&driver->owed->lock);
    if (!any)
        return;
    job = g_new(owedJob, 1);
    *job = (owedJob){driver, hook};
    virCoreRunJob(retry, job);
}
