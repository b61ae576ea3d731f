/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * nvram.c: see nvram.h. */
#include "qemu/nvram.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "qmp/qmpfirmware.h"
#include "util/virerror.h"
#include "util/virfault.h"
#include "util/virfile.h"
#include "util/virspawn.h"

enum { QEMU_NVRAM_SIZE_MAX = 64 * 1024 * 1024 };

/* Images that distributions install without a descriptor, and what belongs to them. */
static const struct {
    const char *image;
    const char *template;
} pairs[] = {
    {"/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"},
    {"/usr/share/OVMF/OVMF_CODE.secboot.fd", "/usr/share/OVMF/OVMF_VARS.fd"},
    {"/usr/share/OVMF/OVMF_CODE.ms.fd", "/usr/share/OVMF/OVMF_VARS.ms.fd"},
    {"/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"},
    {"/usr/share/AAVMF/AAVMF32_CODE.fd", "/usr/share/AAVMF/AAVMF32_VARS.fd"},
};

/* NULL if none is known. */
static const char *
qemuNvramFindTemplate(const char *image, const GPtrArray *firmwares)
{
    for (guint i = 0; i < firmwares->len; i++) {
        const qmpFirmware *firmware = g_ptr_array_index(firmwares, i);

        if (firmware->device == QMP_FIRMWARE_FLASH && firmware->nvram &&
            g_strcmp0(firmware->image, image) == 0)
            return firmware->nvram;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
        if (g_strcmp0(pairs[i].image, image) == 0)
            return pairs[i].template;
    }
    return NULL;
}

void
qemuNvramChooseTemplate(virDomainDef *def, const GPtrArray *firmwares)
{
    if (def->os.nvram && !def->os.nvramTemplate)
        def->os.nvramTemplate = g_strdup(qemuNvramFindTemplate(def->os.loader, firmwares));
}

char *
qemuNvramPath(const qemuDriver *driver, const virDomainDef *def)
{
    if (def->os.nvram || def->os.firmware != VIR_DOMAIN_OS_FIRMWARE_EFI)
        return g_strdup(def->os.nvram);
    return g_strdup_printf("%s/nvram/%s_VARS.fd", driver->paths.lib, def->name);
}

static bool
qemuNvramGive(qemuDriver *driver, const virDelegateCall *call, const char *path, GError **error)
{
    virDelegateOwner owner = {driver->uid, driver->gid, VIR_DELEGATE_KEEP_MODE};
    VIR_AUTOCLOSE fd = -1;

    if (driver->uid == VIR_SPAWN_KEEP_ID)
        return true;
    fd = open(path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return virErrorErrno(error, _("cannot open %s"), path);
    return virDelegateOwnSet(driver->door, call, fd, &owner, NULL, error);
}

bool
qemuNvramMake(qemuDriver *driver, const virDelegateCall *call, const virDomainDef *def, bool reset,
              GError **error)
{
    const char *path = def->os.nvram;
    g_autofree char *text = NULL;
    size_t len;

    if (!path || (!reset && access(path, F_OK) == 0))
        return true;
    if (!def->os.nvramTemplate)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                           _("unable to find any master var store for loader: %s"),
                           def->os.loader ? def->os.loader : "");
    text = virFileRead(def->os.nvramTemplate, QEMU_NVRAM_SIZE_MAX, &len, error);
    /* without an owner after a kill in between: the next start finds it as any image */
    return text && virFileWrite(path, text, len, 0600, VIR_FILE_DURABLE, error) &&
           VIR_FAULT_STEP("start:nvram-made", error) && qemuNvramGive(driver, call, path, error);
}

bool
qemuNvramUndefine(const qemuDriver *driver, const virDomainDef *def, bool remove, bool keep,
                  GError **error)
{
    g_autofree char *path = qemuNvramPath(driver, def);

    if (!path || access(path, F_OK) < 0 || keep)
        return true;
    if (!remove)
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s",
                           _("cannot undefine domain with nvram"));
    if (unlink(path) < 0)
        return virErrorErrno(error, _("failed to remove nvram: %s"), path);
    return true;
}
