/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domaincaps.c: what is told of a QEMU to clients: domain capabilities, the guest part of the host
 * capabilities; and the firmware descriptors that the first needs. */
#include "qmp/domaincaps.h"

#include <string.h>

#include "families.h"
#include "host/capabilities.h"
#include "qmp/qmpcapsguest.h"
#include "qmp/qmpfirmware.h"
#include "util/virerror.h"

enum { DATA_RELEASE = 7010000 };

/* --- qemucaps2xml --- */

bool
conformanceQemuCaps2XML(const conformanceCase *row, conformanceResult *result, GError **error)
{
    g_autoptr(qmpCaps) caps = conformanceCaps(row, "x86_64", error);
    g_autoptr(virHostCapabilities) host = g_new0(virHostCapabilities, 1);
    g_autofree char *guest = NULL;
    const char *guests[] = {NULL, NULL};

    if (!caps)
        return conformanceFail(result, "probe");
    host->cpu = virCPUDefNew(VIR_CPU_TYPE_HOST);
    host->cpu->arch = g_strdup("x86_64");
    guest = qmpCapsGuestFormat(caps, "x86_64", 0);
    guests[0] = guest;
    return conformanceAdd(result, virHostCapabilitiesFormat(host, guests));
}

/* --- domaincaps --- */

static GPtrArray *
conformanceFirmware(const conformanceCase *row)
{
    g_autofree char *root = conformancePath(row, "qemufirmwaredata");
    g_autofree char *config = g_build_filename(root, "home", "user", ".config", NULL);

    return qmpFirmwareReadAll(root, config);
}

bool
conformanceDomainCaps(const conformanceCase *row, conformanceResult *result, GError **error)
{
    static const char *const loaders[] = {"/usr/share/AAVMF/AAVMF_CODE.fd",
                                          "/usr/share/AAVMF/AAVMF32_CODE.fd",
                                          "/usr/share/OVMF/OVMF_CODE.fd", NULL};
    const char *machine = conformanceFlag(row, "machine");
    g_autoptr(qmpCaps) caps = NULL;
    g_autoptr(GPtrArray) firmware = NULL;
    qmpDomainCapsInput input = {
        .arch = "x86_64",
        .native = true,
        .vfio = true,
        .vocabulary = DATA_RELEASE,
        .loaders = loaders,
        .knownFeatures = conformanceKnownFeatures(row),
    };

    if (!row->inputs[0]) { /* "empty" wants what is known of no binary at all */
        virErrorSet(error, VIR_ERR_NO_SUPPORT, "capabilities without a QEMU are not told");
        return conformanceFail(result, "probe");
    }
    if (!(caps = conformanceCaps(row, "x86_64", error)))
        return conformanceFail(result, "probe");
    firmware = conformanceFirmware(row);
    input.caps = caps;
    input.firmware = firmware;
    input.accel =
        g_strcmp0(conformanceFlag(row, "virttype"), "kvm") == 0 ? QMP_ACCEL_KVM : QMP_ACCEL_TCG;
    input.machine = machine ? qmpCapsMachineCanonical(caps, input.accel, machine)
                            : qmpCapsMachineDefault(caps, input.accel);
    return conformanceAdd(result, qmpDomainCapsFormat(&input));
}

/* --- qemufirmware --- */

static bool
conformanceFirmwareParse(const conformanceCase *row, conformanceResult *result, GError **error)
{
    g_autofree char *text = conformanceInput(row, 0, error);
    g_autoptr(qmpFirmware) firmware = text ? qmpFirmwareParse(text, row->inputs[0], error) : NULL;
    g_autoptr(virJSON) again = NULL;

    if (!firmware)
        return conformanceFail(result, "parse");
    again = qmpFirmwareFormat(firmware);
    return conformanceAdd(result, virJSONPrintPretty(again));
}

/* {"firmware": [[image, template], …], "interfaces": […], "secure": …} */
static char *
conformanceFirmwareText(const GPtrArray *all, const char *arch, const char *machine)
{
    static const char *const names[] = {"bios", NULL, NULL, "efi"}; /* by qmpFirmwareInterface */
    g_autoptr(GString) images = g_string_new(NULL);
    g_autoptr(GString) interfaces = g_string_new(NULL);
    unsigned found = 0;
    bool secure = false;

    for (guint i = 0; i < all->len; i++) {
        const qmpFirmware *firmware = all->pdata[i];
        g_autofree char *pair = NULL;

        if (!qmpFirmwareFits(firmware, arch, machine))
            continue;
        found |= firmware->interfaces;
        secure = secure || qmpFirmwareHasFeature(firmware, "requires-smm");
        pair = g_strdup_printf("[\"%s\", \"%s\"]", firmware->image,
                               firmware->nvram ? firmware->nvram : "NULL");
        if (!strstr(images->str, pair))
            g_string_append_printf(images, "%s%s", images->len ? ", " : "", pair);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (names[i] && (found >> i & 1))
            g_string_append_printf(interfaces, "%s\"%s\"", interfaces->len ? ", " : "", names[i]);
    }
    return g_strdup_printf("{\"firmware\": [%s], \"interfaces\": [%s], \"secure\": %s}",
                           images->str, interfaces->str, secure ? "true" : "false");
}

bool
conformanceQemuFirmware(const conformanceCase *row, conformanceResult *result, GError **error)
{
    g_autoptr(GPtrArray) all = NULL;
    g_autofree char *machine = NULL;
    const char *dash;

    if (g_str_equal(row->variant, "parse"))
        return conformanceFirmwareParse(row, result, error);
    /* the case is called MACHINE-ARCH */
    dash = strrchr(row->name, '-');
    machine = g_strndup(row->name, (gsize)(dash - row->name));
    all = conformanceFirmware(row);
    return conformanceAdd(result, conformanceFirmwareText(all, dash + 1, machine));
}
