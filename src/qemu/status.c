/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * status.c: the status file: what a restarted daemon knows of a guest.
 *
 * The layout is libvirt's <domstatus>; what is ours stands in <virtward>: when the process was
 * started, and the resources to take back. Written whole, without fsync: it dies with the machine,
 * as the guest does. */
#include "qemu/status.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "delegate/virhandlergrants.h"
#include "qemu/hotplug.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virlog.h"
#include "util/virsecure.h"

enum { QEMU_STATUS_SIZE_MAX = 16 * 1024 * 1024 };

VIR_ENUM_DECL(qemuResourceType);
VIR_ENUM_IMPL(qemuResourceType, QEMU_RESOURCE_LAST, "folder", "file", "tap", "owner", "port",
              "group", "macvtap", "pci");

char *
qemuStatusPath(const qemuDriver *driver, const char *name)
{
    return g_strdup_printf("%s/qemu/%s.xml", driver->paths.run, name);
}

/* --- writing --- */

static void
qemuStatusFormatResources(const qemuGuest *guest, virXMLWriter *w)
{
    for (guint i = 0; i < guest->resources->len; i++) {
        const qemuResource *resource = g_ptr_array_index(guest->resources, i);

        virXMLWriterOpen(w, "resource");
        virXMLWriterAttr(w, "type", qemuResourceTypeToString(resource->type));
        virXMLWriterAttr(w, "name", resource->name);
        virXMLWriterAttr(w, "alias", resource->alias);
        virXMLWriterAttr(w, "parent", resource->parent);
        virXMLWriterAttr(w, "mac", resource->mac);
        if (resource->number)
            virXMLWriterAttrF(w, "number", "%u", resource->number);
        if (resource->type == QEMU_RESOURCE_OWNER) {
            virXMLWriterAttrF(w, "uid", "%u", (unsigned)resource->uid);
            virXMLWriterAttrF(w, "gid", "%u", (unsigned)resource->gid);
        }
        if (resource->type == QEMU_RESOURCE_PCI)
            virXMLWriterAttrF(w, "group", "%d", resource->group);
        virXMLWriterClose(w);
    }
}

static void
qemuStatusFormatVcpus(const qemuGuest *guest, virXMLWriter *w)
{
    virXMLWriterOpen(w, "vcpus");
    for (guint i = 0; i < guest->vcpus->len; i++) {
        const qemuVcpu *vcpu = &g_array_index(guest->vcpus, qemuVcpu, i);

        virXMLWriterOpen(w, "vcpu");
        virXMLWriterAttrF(w, "id", "%d", vcpu->index);
        virXMLWriterAttrF(w, "pid", "%d", (int)vcpu->tid);
        virXMLWriterClose(w);
    }
    virXMLWriterCloseUnlessEmpty(w);
}

static char *
qemuStatusFormat(const qemuGuest *guest, uint64_t *retGrants)
{
    g_autoptr(virXMLWriter) w = virXMLWriterNew();
    const virDomainObj *obj = guest->obj;
    bool starting = guest->made && !guest->change; /* else a device is being plugged into it */
    const virDomainDef *def = starting ? guest->made : virDomainDocDef(obj->live);
    virDomainState state = starting ? VIR_DOMAIN_PAUSED : obj->state;
    int reason = starting ? VIR_PAUSED_STARTING_UP : obj->reason;

    virXMLWriterOpen(w, "domstatus");
    virXMLWriterAttr(w, "state", virDomainStateToString(state));
    virXMLWriterAttr(w, "reason", virDomainReasonToString(state, reason));
    virXMLWriterAttrF(w, "pid", "%d", (int)guest->pid);
    virXMLWriterOpen(w, "monitor");
    virXMLWriterAttrF(w, "path", "%s/monitor.sock", guest->stateDir);
    virXMLWriterAttr(w, "type", "unix");
    virXMLWriterClose(w);
    qemuStatusFormatVcpus(guest, w);
    virXMLWriterOpen(w, "libDir");
    virXMLWriterAttr(w, "path", guest->stateDir);
    virXMLWriterClose(w);
    virXMLWriterOpen(w, "channelTargetDir");
    virXMLWriterAttr(w, "path", guest->channelDir);
    virXMLWriterClose(w);
    virXMLWriterOpen(w, "nodename");
    virXMLWriterAttrF(w, "index", "%u", guest->lastBlockNode);
    virXMLWriterClose(w);
    virXMLWriterOpen(w, "virtward");
    virXMLWriterAttrF(w, "startTime", "%" PRIu64, guest->startTime);
    if (starting || guest->starting)
        virXMLWriterAttr(w, "starting", "yes");
    if (obj->config)
        virXMLWriterAttr(w, "persistent", "yes");
    if (guest->fresh)
        virXMLWriterAttr(w, "fresh", "yes");
    if (guest->rebooting)
        virXMLWriterAttr(w, "rebooting", "yes");
    if (guest->balloonKiB)
        virXMLWriterAttrF(w, "balloon", "%" PRIu64, guest->balloonKiB);
    if (guest->memlockBefore)
        virXMLWriterAttrF(w, "memlockBefore", "%" PRIu64, guest->memlockBefore);
    qemuStatusFormatResources(guest, w);
    if (guest->change)
        qemuChangeFormat(guest->change, w);
    *retGrants = virHandlersFormatGrants(virDelegateGetHandlers(guest->driver->door), obj->uuid, w);
    virXMLWriterClose(w);
    virDomainDefFormatInto(def, w, VIR_FORMAT_STATUS | VIR_FORMAT_SECURE);
    virXMLWriterClose(w);
    return virXMLWriterEnd(w);
}

/* What is to be written. */
typedef struct {
    char *path, *pidPath;
    char *text;
    uint64_t grants; /* how far those of handlers are in it */
    pid_t pid;       /* 0: the pid file stays as it is */
} qemuStatusFile;

static void
qemuStatusFileClear(qemuStatusFile *file)
{
    g_free(file->path);
    g_free(file->pidPath);
    virSecureFreeString(file->text);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(qemuStatusFile, qemuStatusFileClear)

static qemuStatusFile
qemuStatusTake(const qemuGuest *guest)
{
    const qemuDriver *driver = guest->driver;
    const char *name = guest->obj->name;

    qemuStatusFile file = {.path = qemuStatusPath(driver, name),
                           .pidPath = g_strdup_printf("%s/qemu/%s.pid", driver->paths.run, name),
                           .pid = guest->pid == guest->savedPid ? 0 : guest->pid};

    file.text = qemuStatusFormat(guest, &file.grants);
    return file;
}

/* One at a time for a guest: saving is set. Lock held, given up. */
static bool
qemuStatusWrite(qemuGuest *guest, const qemuStatusFile *file, GError **error)
{
    bool ok;

    guest->saving = true;
    {
        g_autofree char *pid = g_strdup_printf("%d", (int)file->pid);
        VIR_CORE_UNLOCKED;

        ok = virFileWrite(file->path, file->text, strlen(file->text), 0600, VIR_FILE_VOLATILE,
                          error) &&
             (file->pid == 0 ||
              virFileWrite(file->pidPath, pid, strlen(pid), 0644, VIR_FILE_VOLATILE, error));
        if (ok)
            virHandlersGrantsSaved(virDelegateGetHandlers(guest->driver->door), guest->obj->uuid,
                                   file->grants);
    }
    guest->saving = false;
    if (ok && file->pid)
        guest->savedPid = file->pid;
    g_cond_broadcast(&guest->changed);
    return ok;
}

void
qemuGuestWaitSaved(qemuGuest *guest)
{
    while (guest->saving)
        (void)virCoreWait(&guest->changed, g_get_monotonic_time() + G_USEC_PER_SEC);
}

bool
qemuGuestSaveStatus(qemuGuest *guest, GError **error)
{
    g_auto(qemuStatusFile) file = qemuStatusTake(guest);

    if (virCoreIsHeld()) {
        qemuGuestWaitSaved(guest);
        return qemuStatusWrite(guest, &file, error);
    }
    VIR_CORE_GUARD;
    qemuGuestWaitSaved(guest);
    return qemuStatusWrite(guest, &file, error);
}

void
qemuGuestSaveStatusAside(virDomainObj *obj)
{
    qemuGuest *guest = qemuGuestOf(obj);
    g_auto(qemuStatusFile) file = {0};
    g_autoptr(GError) error = NULL;
    bool busy = guest->saving;

    if (busy)
        guest->saveAgain = true;
    else
        file = qemuStatusTake(guest);
    virDomainObjEndJob(obj);
    if (busy)
        return;
    if (!qemuStatusWrite(guest, &file, &error))
        VIR_WARN("domain '%s': %s", obj->name, error->message);
    /* the guest does not end while it is being saved */
    if (guest->saveAgain)
        qemuGuestSaveStatusLater(guest);
    guest->saveAgain = false;
}

/* --- reading --- */

void
qemuStatusFree(qemuStatus *status)
{
    if (!status)
        return;
    virDomainDefFree(status->def);
    qemuChangeFree(status->change);
    g_clear_pointer(&status->resources, g_ptr_array_unref);
    virHandlerGuestFree(status->grants);
    g_array_unref(status->vcpus);
    g_free(status->stateDir);
    g_free(status->channelDir);
    g_free(status);
}

static uint64_t
qemuStatusNumber(const xmlNode *node, const char *name)
{
    const char *text = node ? virXMLAttrPeek(node, name) : NULL;

    return text ? strtoull(text, NULL, 10) : 0;
}

static bool
qemuStatusReadResource(qemuStatus *status, const xmlNode *node, GError **error)
{
    g_autofree char *type = virXMLAttr(node, "type");
    g_autofree char *name = virXMLAttr(node, "name");
    g_autofree char *alias = virXMLAttr(node, "alias");
    int number = qemuResourceTypeFromString(type);
    qemuResource *resource;

    if (number < 0 || (!name && number != QEMU_RESOURCE_PORT))
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("unknown resource '%s' of a guest"),
                           type ? type : "");
    resource = qemuResourceNew((qemuResourceType)number, name, alias);
    resource->number = (unsigned)qemuStatusNumber(node, "number");
    resource->uid = (uid_t)qemuStatusNumber(node, "uid");
    resource->gid = (gid_t)qemuStatusNumber(node, "gid");
    resource->group = (int)qemuStatusNumber(node, "group");
    resource->parent = virXMLAttr(node, "parent");
    resource->mac = virXMLAttr(node, "mac");
    g_ptr_array_add(status->resources, resource);
    return true;
}

static bool
qemuStatusReadOurs(qemuStatus *status, const xmlNode *root, GError **error)
{
    const xmlNode *ours = virXMLFirstChild(root, "virtward");
    xmlNode *change = virXMLFirstChild(ours, "change");
    const char *starting = ours ? virXMLAttrPeek(ours, "starting") : NULL;
    const char *fresh = ours ? virXMLAttrPeek(ours, "fresh") : NULL;
    const char *rebooting = ours ? virXMLAttrPeek(ours, "rebooting") : NULL;

    if (!ours)
        return true; /* libvirt's own: adopted, not taken back */
    status->startTime = qemuStatusNumber(ours, "startTime");
    status->balloonKiB = qemuStatusNumber(ours, "balloon");
    status->memlockBefore = qemuStatusNumber(ours, "memlockBefore");
    status->starting = g_strcmp0(starting, "yes") == 0;
    status->fresh = g_strcmp0(fresh, "yes") == 0;
    status->rebooting = g_strcmp0(rebooting, "yes") == 0;
    virXMLForEachChildNamed (ours, node, "resource") {
        if (!qemuStatusReadResource(status, node, error))
            return false;
    }
    if (change && !(status->change = qemuChangeParse(change, error)))
        return false;
    return true;
}

static void
qemuStatusReadVcpus(qemuStatus *status, const xmlNode *root)
{
    virXMLForEachChildNamed (virXMLFirstChild(root, "vcpus"), node, "vcpu") {
        qemuVcpu vcpu = {.index = (int)qemuStatusNumber(node, "id"),
                         .tid = (pid_t)qemuStatusNumber(node, "pid"),
                         .online = true};

        g_array_append_val(status->vcpus, vcpu);
    }
}

qemuStatus *
qemuStatusRead(const char *path, GError **error)
{
    g_autoptr(qemuStatus) status = g_new0(qemuStatus, 1);
    size_t len = 0;
    g_autofree char *text = virFileRead(path, QEMU_STATUS_SIZE_MAX, &len, error);
    g_autoptr(xmlDoc) doc = text ? virXMLParse(text, (gssize)len, path, error) : NULL;
    xmlNode *root = doc ? virXMLRoot(doc, "domstatus", error) : NULL;
    g_autofree char *state = NULL;
    g_autofree char *reason = NULL;
    xmlNode *domain;

    status->resources = g_ptr_array_new_with_free_func((GDestroyNotify)qemuResourceFree);
    status->vcpus = g_array_new(FALSE, FALSE, sizeof(qemuVcpu));
    if (text)
        virSecureErase(text, len);
    if (!root)
        return NULL;
    domain = virXMLFirstChild(root, "domain");
    state = virXMLAttr(root, "state");
    reason = virXMLAttr(root, "reason");
    if (!domain || virDomainStateFromString(state) < 0) {
        virErrorSet(error, VIR_ERR_XML_ERROR, _("%s is no status of a guest"), path);
        return NULL;
    }
    status->state = (virDomainState)virDomainStateFromString(state);
    status->reason = virDomainReasonFromString(status->state, reason);
    status->pid = (pid_t)qemuStatusNumber(root, "pid");
    status->stateDir = virXMLAttr(virXMLFirstChild(root, "libDir"), "path");
    status->channelDir = virXMLAttr(virXMLFirstChild(root, "channelTargetDir"), "path");
    status->lastBlockNode = (unsigned)qemuStatusNumber(virXMLFirstChild(root, "nodename"), "index");
    qemuStatusReadVcpus(status, root);
    if (!qemuStatusReadOurs(status, root, error))
        return NULL;
    status->def = virDomainDefParseNode(domain, VIR_PARSE_STATUS, error);
    if (!status->def)
        return NULL;
    status->id = status->def->id;
    status->grants = virHandlerGuestParse(
        status->def->name, virXMLFirstChild(virXMLFirstChild(root, "virtward"), "grants"));
    status->def->size = len;
    return g_steal_pointer(&status);
}
