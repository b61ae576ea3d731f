/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_restore.c: a guest from the file that its state was saved to. */
#include "api/domain.h"
#include "api/handlers.gen.h"
#include "qemu/guest.h"
#include "qemu/saveimage.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virutil.h"

/* VIR_DOMAIN_SAVE_* */
enum {
    SAVE_BYPASS_CACHE = 1 << 0,
    SAVE_RUNNING = 1 << 1,
    SAVE_PAUSED = 1 << 2,
    SAVE_RESET_NVRAM = 1 << 3
};

/* As it was when it was saved, unless the caller wants it otherwise. */
static unsigned
virApiRestoreStartFlags(const qemuSaveImage *image, unsigned flags)
{
    bool running = flags & (SAVE_RUNNING | SAVE_PAUSED) ? flags & SAVE_RUNNING : image->wasRunning;

    return (running ? 0 : QEMU_START_PAUSED) |
           (flags & SAVE_RESET_NVRAM ? QEMU_START_RESET_NVRAM : 0);
}

/* The document to start with: the saved one, or another that means the same to the guest. */
static virDomainDef *
virApiRestoreDef(qemuDriver *driver, const qemuSaveImage *image, const char *xml, GError **error)
{
    const unsigned flags = VIR_PARSE_INACTIVE | VIR_PARSE_SKIP_VALIDATE;
    g_autoptr(virDomainDef) saved = qemuDriverParse(driver, image->xml, flags, error);
    g_autoptr(virDomainDef) given = NULL;

    if (!saved || !xml)
        return g_steal_pointer(&saved);
    given = qemuDriverParse(driver, xml, VIR_PARSE_INACTIVE, error);
    return given && virDomainDefSameABI(saved, given, error) ? g_steal_pointer(&given) : NULL;
}

static bool
virApiRestore(virApiCall *call, const char *path, const char *xml, unsigned flags, GError **error)
{
    qemuDriver *driver = virApiQemu(call);
    g_auto(qemuSaveImage) image = {.fd = -1};
    g_autoptr(virDomainDef) def = NULL;
    g_autoptr(virDomainObj) obj = NULL;
    bool ok;

    if ((flags & SAVE_RUNNING) && (flags & SAVE_PAUSED))
        return virErrorSet(error, VIR_ERR_INVALID_ARG, "%s",
                           _("flags 'VIR_DOMAIN_SAVE_RUNNING' and 'VIR_DOMAIN_SAVE_PAUSED' in "
                             "function 'virDomainRestoreFlags' are mutually exclusive"));
    if (!qemuSaveImageOpen(path, &image, error) ||
        !(def = virApiRestoreDef(driver, &image, xml, error)))
        return false;
    VIR_CORE_GUARD;
    obj = virApiDomainObtain(driver->domains, def, error);
    if (!obj)
        return false;
    VIR_API_JOB(obj, "restore", error);
    if (virDomainObjIsActive(obj))
        return virErrorSetDomain(error, VIR_ERR_OPERATION_INVALID,
                                 _("domain '%s' is already active"), obj->name);
    ok = qemuGuestRestore(driver, obj, g_steal_pointer(&def), g_steal_fd(&image.fd),
                          virApiRestoreStartFlags(&image, flags), error);
    if (!ok && !virDomainObjIsPersistent(obj))
        virDomainRegistryRemove(driver->domains, obj);
    return ok;
}

bool
virApiDomainRestore(virApiCall *call, const remote_domain_restore_args *args, GError **error)
{
    return virApiRestore(call, args->from, NULL, 0, error);
}

bool
virApiDomainRestoreFlags(virApiCall *call, const remote_domain_restore_flags_args *args,
                         GError **error)
{
    return virApiOnlyFlags(args->flags,
                           SAVE_BYPASS_CACHE | SAVE_RUNNING | SAVE_PAUSED | SAVE_RESET_NVRAM,
                           error) &&
           virApiRestore(call, args->from, args->dxml, args->flags, error);
}
