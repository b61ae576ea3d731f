/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * store.c: stored definitions: define, undefine, rename, autostart, edit.
 *
 * A file is written before the document is published, and flushed before the client is told: from
 * then on a power cut leaves the earlier definition or the new one, whole. Which of the two is
 * decided when the folder is flushed, soon afterwards for all that was stored meanwhile. */
#include "qemu/store.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "domain/schema.h"
#include "qemu/guest.h"
#include "qemu/nvram.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virfault.h"
#include "util/virfile.h"
#include "util/virheap.h"
#include "util/virlog.h"
#include "util/virparallel.h"
#include "util/virsecure.h"

enum {
    QEMU_STORE_SIZE_MAX = 16 * 1024 * 1024,
    QEMU_STORE_FILES_A_THREAD = 32, /* what a thread is worth */
    QEMU_STORE_FLUSH_MS = 50,
};

/* Flags of virDomainUndefineFlags that need nothing to be there: managed save 1, snapshots 2, nvram
 * 4, keep nvram 8, checkpoints 16 (libvirt-domain.h). */
enum { QEMU_UNDEFINE_NVRAM = 4, QEMU_UNDEFINE_KEEP_NVRAM = 8 };

static char *
qemuStorePath(const qemuDriver *driver, const char *name)
{
    return g_strdup_printf("%s/qemu/%s.xml", driver->paths.etc, name);
}

static char *
qemuStoreAutostartPath(const qemuDriver *driver, const char *name)
{
    return g_strdup_printf("%s/qemu/autostart/%s.xml", driver->paths.etc, name);
}

/* --- loading --- */

/* A file of the store, and what was read from it. */
typedef struct {
    char *name;
    virDomainDef *def;
    bool autostart;
    GError *error; /* why there is no def */
} qemuStoreEntry;

static void
qemuStoreEntryFree(void *opaque)
{
    qemuStoreEntry *entry = opaque;

    g_free(entry->name);
    virDomainDefFree(entry->def);
    g_clear_error(&entry->error);
    g_free(entry);
}

/* What the reading threads share. */
typedef struct {
    const qemuDriver *driver;
    GPtrArray *entries; /* of qemuStoreEntry */
} qemuStoreReading;

static void
qemuStoreEntryRead(unsigned index, void *opaque)
{
    const qemuStoreReading *reading = opaque;
    qemuStoreEntry *entry = g_ptr_array_index(reading->entries, index);
    g_autofree char *path = qemuStorePath(reading->driver, entry->name);
    g_autofree char *link = qemuStoreAutostartPath(reading->driver, entry->name);
    size_t len = 0;
    g_autofree char *text = virFileRead(path, QEMU_STORE_SIZE_MAX, &len, &entry->error);

    if (!text)
        return;
    entry->def =
        virDomainDefParse(text, VIR_PARSE_INACTIVE | VIR_PARSE_SKIP_VALIDATE, &entry->error);
    virSecureErase(text, len);
    if (entry->def && !g_str_equal(entry->def->name, entry->name)) {
        virErrorSet(&entry->error, VIR_ERR_XML_ERROR, _("its name is '%s'"), entry->def->name);
        g_clear_pointer(&entry->def, virDomainDefFree);
    }
    entry->autostart = access(link, F_OK) == 0;
}

static void
qemuStoreEntryAdd(qemuDriver *driver, qemuStoreEntry *entry)
{
    g_autoptr(virDomainObj) obj = NULL;

    if (entry->def)
        obj = virDomainRegistryAdd(driver->domains, entry->def->name, entry->def->uuid,
                                   &entry->error);
    if (!obj)
        return;
    obj->autostart = entry->autostart;
    obj->config = virDomainDocNew(g_steal_pointer(&entry->def));
}

bool
qemuStoreLoad(qemuDriver *driver, GError **error)
{
    g_autofree char *folder = g_build_filename(driver->paths.etc, "qemu", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_autofree char *nvram = g_build_filename(driver->paths.lib, "nvram", NULL);
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(qemuStoreEntryFree);
    qemuStoreReading reading = {driver, entries};
    const char *file;

    if (!dir)
        return virErrorErrno(error, _("cannot read folder %s"), folder);
    virFileSweep(folder);
    virFileSweep(nvram);
    while ((file = g_dir_read_name(dir))) {
        if (g_str_has_suffix(file, ".xml")) {
            qemuStoreEntry *entry = g_new0(qemuStoreEntry, 1);

            entry->name = g_strndup(file, strlen(file) - strlen(".xml"));
            g_ptr_array_add(entries, entry);
        }
    }
    virParallelFor(entries->len, QEMU_STORE_FILES_A_THREAD, qemuStoreEntryRead, &reading);
    {
        VIR_CORE_GUARD;

        for (guint i = 0; i < entries->len; i++)
            qemuStoreEntryAdd(driver, g_ptr_array_index(entries, i));
    }
    for (guint i = 0; i < entries->len; i++) {
        const qemuStoreEntry *entry = g_ptr_array_index(entries, i);

        if (entry->error)
            VIR_WARN("definition %s/%s.xml is left out: %s", folder, entry->name,
                     entry->error->message);
    }
    virHeapTrim(); /* what reading left behind */
    return true;
}

/* --- flushing the folder --- */

/* In a job. */
static void
qemuStoreFlush(void *opaque)
{
    qemuDriver *driver = opaque;
    g_autofree char *folder = g_build_filename(driver->paths.etc, "qemu", NULL);
    g_autoptr(GError) error = NULL;

    {
        VIR_CORE_GUARD;

        driver->storeUnflushed = false;
    }
    if (!virFileSyncFolder(folder, &error))
        VIR_WARN("%s", error->message);
}

/* On the event thread. */
static void
qemuStoreFlushDue(void *opaque)
{
    virCoreRunJob(qemuStoreFlush, opaque);
}

/* A name in the folder has changed. Lock held. */
static void
qemuStoreFlushLater(qemuDriver *driver)
{
    if (driver->storeUnflushed)
        return;
    driver->storeUnflushed = true;
    if (driver->storeTimer)
        virEventTimerRestart(driver->storeTimer, QEMU_STORE_FLUSH_MS, 0);
    else
        driver->storeTimer =
            virEventTimerAdd(QEMU_STORE_FLUSH_MS, 0, qemuStoreFlushDue, driver, NULL);
}

void
qemuStoreClose(qemuDriver *driver)
{
    virEventTimerRemove(g_steal_pointer(&driver->storeTimer));
    if (driver->storeUnflushed)
        qemuStoreFlush(driver);
}

/* --- saving --- */

/* The document as it will be read again: as stored, with its secrets. */
static bool
qemuStoreStage(qemuDriver *driver, const virDomainDef *def, GError **error)
{
    g_autofree char *path = qemuStorePath(driver, def->name);
    char *text = virDomainDefFormat(def, VIR_FORMAT_INACTIVE | VIR_FORMAT_SECURE);
    bool ok = virFileStage(path, text, strlen(text), 0600, VIR_FILE_WHOLE, error);

    virSecureFreeString(text);
    return ok;
}

static bool
qemuStoreCommit(qemuDriver *driver, const char *name, GError **error)
{
    g_autofree char *path = qemuStorePath(driver, name);

    return virFileCommit(path, VIR_FILE_WHOLE, error) && VIR_FAULT_STEP("define:saved", error);
}

static bool
qemuStoreWrite(qemuDriver *driver, const virDomainDef *def, GError **error)
{
    return qemuStoreStage(driver, def, error) && qemuStoreCommit(driver, def->name, error);
}

/* It is on disk: now it is the one. */
static void
qemuStorePublish(qemuDriver *driver, virDomainObj *obj, virDomainDef *def)
{
    qemuStoreFlushLater(driver);
    virDomainDocUnref(obj->config);
    obj->config = virDomainDocNew(def);
    obj->updated = virDomainObjIsActive(obj);
}

bool
qemuDriverSaveConfig(qemuDriver *driver, virDomainObj *obj, virDomainDef *def, GError **error)
{
    g_autoptr(virDomainDef) mine = def;
    bool ok;

    {
        VIR_CORE_UNLOCKED;

        ok = qemuStoreWrite(driver, mine, error);
    }
    if (ok)
        qemuStorePublish(driver, obj, g_steal_pointer(&mine));
    return ok;
}

bool
qemuDriverStageConfig(qemuDriver *driver, virDomainObj *obj, const virDomainDef *def,
                      GError **error)
{
    VIR_CORE_UNLOCKED;

    return qemuStoreStage(driver, def, error);
}

bool
qemuDriverCommitConfig(qemuDriver *driver, virDomainObj *obj, virDomainDef *def, GError **error)
{
    g_autoptr(virDomainDef) mine = def;
    bool ok;

    {
        VIR_CORE_UNLOCKED;

        ok = qemuStoreCommit(driver, mine->name, error);
    }
    if (ok)
        qemuStorePublish(driver, obj, g_steal_pointer(&mine));
    return ok;
}

void
qemuDriverAbandonConfig(qemuDriver *driver, virDomainObj *obj)
{
    g_autofree char *path = qemuStorePath(driver, obj->name);
    VIR_CORE_UNLOCKED;

    virFileAbandon(path);
}

bool
qemuDriverSetLive(qemuDriver *driver, virDomainObj *obj, virDomainDef *def, GError **error)
{
    (void)driver; /* the guest knows its own */
    virDomainDocUnref(obj->live);
    obj->live = virDomainDocNew(def);
    return qemuGuestSaveStatus(qemuGuestOf(obj), error);
}

bool
qemuDriverEdit(qemuDriver *driver, virDomainObj *obj, bool live, bool config, qemuEditFunc edit,
               void *opaque, GError **error)
{
    g_autoptr(virDomainDef) newLive = NULL;
    g_autoptr(virDomainDef) newConfig = NULL;
    g_autoptr(virDomainDoc) oldLive = live ? virDomainDocRef(obj->live) : NULL;
    g_autoptr(virDomainDoc) oldConfig = config ? virDomainDocRef(obj->config) : NULL;
    bool ok;

    {
        VIR_CORE_UNLOCKED;

        newLive = oldLive ? virDomainDefCopy(virDomainDocDef(oldLive)) : NULL;
        newConfig = oldConfig ? virDomainDefCopy(virDomainDocDef(oldConfig)) : NULL;
        ok = (!newLive || edit(newLive, opaque, error)) &&
             (!newConfig || edit(newConfig, opaque, error));
    }
    if (!ok)
        return false;
    if (newConfig && !qemuDriverSaveConfig(driver, obj, g_steal_pointer(&newConfig), error))
        return false;
    if (!newLive)
        return true;
    if (!qemuGuestOf(obj))
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s", _("domain is not running"));
    return qemuDriverSetLive(driver, obj, g_steal_pointer(&newLive), error);
}

/* --- define --- */

/* The object of a definition: the one that it replaces, or a new one. Its job is taken. */
static virDomainObj *
qemuStoreObject(qemuDriver *driver, const virDomainDef *def, bool *retFresh, GError **error)
{
    virDomainObj *obj;

    if (!virDomainRegistryCheck(driver->domains, def->name, def->uuid, error))
        return NULL;
    obj = virDomainRegistryByUUID(driver->domains, def->uuid);
    *retFresh = obj == NULL;
    if (!obj)
        obj = virDomainRegistryAdd(driver->domains, def->name, def->uuid, error);
    if (obj && !virDomainObjBeginJob(obj, "define", VIR_DOMAIN_JOB_WAIT_MS, error))
        g_clear_pointer(&obj, virDomainObjUnref);
    return obj;
}

/* A definition that could not be saved for good is not found again by the next daemon either. */
static void
qemuStoreForget(qemuDriver *driver, virDomainObj *obj)
{
    g_autofree char *path = qemuStorePath(driver, obj->name);

    {
        VIR_CORE_UNLOCKED;

        (void)unlink(path); /* it may never have come to be */
    }
    virDomainRegistryRemove(driver->domains, obj);
}

virDomainObj *
qemuDriverDefine(qemuDriver *driver, const char *xml, bool validate, GError **error)
{
    g_autoptr(virDomainDef) def = NULL;
    g_autoptr(virDomainObj) obj = NULL;
    bool fresh;
    bool had;
    bool ok;

    {
        VIR_CORE_UNLOCKED;

        if (!validate || virDomainSchemaCheck(xml, error))
            def = qemuDriverParse(driver, xml, VIR_PARSE_INACTIVE | VIR_PARSE_ABI_UPDATE, error);
    }
    if (!def || !(obj = qemuStoreObject(driver, def, &fresh, error)))
        return NULL;
    had = virDomainObjIsPersistent(obj) || virDomainObjIsActive(obj);
    ok = qemuDriverSaveConfig(driver, obj, g_steal_pointer(&def), error);
    if (ok)
        qemuDriverEmitLifecycle(driver, obj, VIR_EVENT_DEFINED,
                                had ? VIR_DEFINED_UPDATED : VIR_DEFINED_ADDED);
    else if (fresh)
        qemuStoreForget(driver, obj);
    virDomainObjEndJob(obj);
    return ok ? g_steal_pointer(&obj) : NULL;
}

/* --- undefine --- */

bool
qemuDriverUndefine(qemuDriver *driver, virDomainObj *obj, unsigned flags, GError **error)
{
    g_autofree char *path = qemuStorePath(driver, obj->name);
    g_autofree char *link = qemuStoreAutostartPath(driver, obj->name);
    g_autoptr(virDomainDoc) config = NULL;
    bool ok;

    if (!virDomainObjIsPersistent(obj))
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s",
                           _("cannot undefine transient domain"));
    config = virDomainDocRef(obj->config);
    {
        VIR_CORE_UNLOCKED;

        ok = qemuNvramUndefine(driver, virDomainDocDef(config), flags & QEMU_UNDEFINE_NVRAM,
                               flags & QEMU_UNDEFINE_KEEP_NVRAM, error) &&
             VIR_FAULT_STEP("undefine:nvram-removed", error) && virFileRemove(link, error) &&
             VIR_FAULT_STEP("undefine:autostart-removed", error) && virFileRemove(path, error) &&
             VIR_FAULT_STEP("undefine:removed", error);
    }
    if (!ok)
        return false;
    qemuStoreFlushLater(driver);
    g_clear_pointer(&obj->config, virDomainDocUnref);
    obj->autostart = false;
    obj->updated = false;
    qemuDriverEmitLifecycle(driver, obj, VIR_EVENT_UNDEFINED, VIR_UNDEFINED_REMOVED);
    if (!virDomainObjIsActive(obj))
        virDomainRegistryRemove(driver->domains, obj);
    return true;
}

/* --- the small ones --- */

static bool
qemuStoreLink(const char *target, const char *link, GError **error)
{
    if (symlink(target, link) < 0 && errno != EEXIST)
        return virErrorErrno(error, _("Failed to create symlink '%s' to '%s'"), link, target);
    return true;
}

bool
qemuDriverSetAutostart(qemuDriver *driver, virDomainObj *obj, bool autostart, GError **error)
{
    g_autofree char *path = qemuStorePath(driver, obj->name);
    g_autofree char *link = qemuStoreAutostartPath(driver, obj->name);
    bool ok;

    if (!virDomainObjIsPersistent(obj))
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s",
                           _("cannot set autostart for transient domain"));
    {
        VIR_CORE_UNLOCKED;

        ok = autostart ? qemuStoreLink(path, link, error) : virFileRemove(link, error);
    }
    if (ok)
        obj->autostart = autostart;
    return ok;
}

static bool
qemuStoreRename(qemuDriver *driver, const virDomainDef *def, const char *old, bool autostart,
                GError **error)
{
    g_autofree char *oldPath = qemuStorePath(driver, old);
    g_autofree char *oldLink = qemuStoreAutostartPath(driver, old);
    g_autofree char *path = qemuStorePath(driver, def->name);
    g_autofree char *link = qemuStoreAutostartPath(driver, def->name);

    if (!qemuStoreWrite(driver, def, error))
        return false;
    if ((autostart && !qemuStoreLink(path, link, error)) || !virFileRemove(oldLink, error) ||
        !virFileRemove(oldPath, error)) {
        (void)unlink(link); /* the error in hand says more */
        (void)unlink(path);
        return false;
    }
    return true;
}

bool
qemuDriverRename(qemuDriver *driver, virDomainObj *obj, const char *name, GError **error)
{
    g_autoptr(virDomainObj) taken = virDomainRegistryByName(driver->domains, name);
    g_autoptr(virDomainDef) def = NULL;
    g_autofree char *old = g_strdup(obj->name);
    bool autostart = obj->autostart;
    bool ok;

    if (virDomainObjIsActive(obj))
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s",
                           _("cannot rename active domain"));
    if (!virDomainObjIsPersistent(obj))
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s",
                           _("cannot rename a transient domain"));
    if (strchr(name, '/') || !*name)
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("name %s cannot contain '/'"), name);
    if (taken == obj)
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s",
                           _("Can't rename domain to itself"));
    if (taken)
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID,
                           _("domain with name '%s' already exists"), name);
    def = virDomainDefCopy(virDomainDocDef(obj->config));
    g_free(def->name);
    def->name = g_strdup(name);
    {
        VIR_CORE_UNLOCKED;

        ok = qemuStoreRename(driver, def, old, autostart, error);
    }
    if (!ok)
        return false;
    qemuStoreFlushLater(driver);
    qemuDriverEmitLifecycle(driver, obj, VIR_EVENT_UNDEFINED, VIR_UNDEFINED_RENAMED);
    virDomainRegistryRename(driver->domains, obj, name);
    virDomainDocUnref(obj->config);
    obj->config = virDomainDocNew(g_steal_pointer(&def));
    qemuDriverEmitLifecycle(driver, obj, VIR_EVENT_DEFINED, VIR_DEFINED_RENAMED);
    return true;
}
