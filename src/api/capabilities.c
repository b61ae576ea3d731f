/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * capabilities.c: what the host can run: its own document, and one of each emulator and machine.
 *
 * An emulator is asked when it is first named, which starts a QEMU: every row says "job". No domain
 * state is touched. */
#include <string.h>
#include <unistd.h>

#include "api/emulator.h"
#include "api/handlers.gen.h"
#include "host/capabilities.h"
#include "host/cpu.h"
#include "host/hostfs.h"
#include "qmp/domaincaps.h"
#include "qmp/qmpcapscache.h"
#include "qmp/qmpcapsguest.h"
#include "qmp/qmpfirmware.h"
#include "util/virlog.h"
#include "util/virspawn.h"

/* --- the host's document --- */

/* Guests run as we do where the driver keeps our identity. */
static unsigned
ownIfKept(unsigned id, unsigned own)
{
    return id == VIR_SPAWN_KEEP_ID ? own : id;
}

/* Guests are confined by nothing but, when we may, by their user and group. */
static size_t
secModels(const qemuDriver *driver, virHostSecModel models[2], char **retLabel)
{
    models[0] = (virHostSecModel){"none", "0", NULL};
    *retLabel = NULL;
    if (!driver->privileged)
        return 1;
    *retLabel = g_strdup_printf("+%u:+%u", ownIfKept(driver->uid, geteuid()),
                                ownIfKept(driver->gid, getegid()));
    models[1] = (virHostSecModel){"dac", "0", *retLabel};
    return 2;
}

/* The <guest> elements of the emulators that are installed, for the architectures in libvirt's
 * order. */
static GPtrArray *
guestTexts(qemuDriver *driver)
{
    static const char *const archs[] = {
        "alpha",  "armv6l",  "armv7l",  "armv7b",      "aarch64",  "cris",       "i686",
        "ia64",   "itanium", "lm32",    "loongarch64", "m68k",     "microblaze", "microblazeel",
        "mips",   "mipsel",  "mips64",  "mips64el",    "openrisc", "parisc",     "parisc64",
        "ppc",    "ppc64",   "ppc64le", "ppcemb",      "riscv32",  "riscv64",    "s390",
        "s390x",  "sh4",     "sh4eb",   "sparc",       "sparc64",  "unicore32",  "x86_64",
        "xtensa", "xtensaeb"};
    GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);

    for (size_t i = 0; i < G_N_ELEMENTS(archs); i++) {
        g_autofree char *emulator = qmpEmulatorFind(archs[i]);
        g_autoptr(GError) error = NULL;
        g_autoptr(qmpCaps) caps = emulator ? qemuDriverCaps(driver, emulator, &error) : NULL;

        if (caps)
            g_ptr_array_add(texts, qmpCapsGuestFormat(caps, archs[i], QMP_GUEST_MACHINES));
        else if (error)
            VIR_WARN("%s is left out of the capabilities: %s", emulator, error->message);
    }
    g_ptr_array_add(texts, NULL);
    return texts;
}

bool
virApiConnectGetCapabilities(virApiCall *call, remote_connect_get_capabilities_ret *ret,
                             GError **error)
{
    qemuDriver *driver = virApiDriver(call);
    g_autoptr(virHostCapabilities) caps = virHostCapabilitiesRead(error);
    g_autoptr(GPtrArray) guests = NULL;
    g_autofree char *label = NULL;
    g_autofree char *text = NULL;
    virHostSecModel models[2];

    if (!caps)
        return false;
    caps->hasUUID = true;
    virHostUUID(NULL, caps->uuid);
    caps->secModels = models;
    caps->secModelCount = secModels(driver, models, &label);
    guests = guestTexts(driver);
    text = virHostCapabilitiesFormat(caps, (const char *const *)guests->pdata);
    ret->capabilities = virApiStrdup(call, text);
    return true;
}

bool
virApiNodeGetSecurityModel(virApiCall *call, remote_node_get_security_model_ret *ret,
                           GError **error)
{
    virHostSecModel models[2];
    g_autofree char *label = NULL;

    (void)secModels(virApiDriver(call), models, &label); /* clients hear of the first */
    ret->model_val = virApiStrdup(call, models[0].model);
    ret->model_len = (uint32_t)strlen(models[0].model) + 1;
    ret->doi_val = virApiStrdup(call, models[0].doi);
    ret->doi_len = (uint32_t)strlen(models[0].doi) + 1;
    return true;
}

/* The version of the emulator that a guest gets which doesn't say. */
bool
virApiConnectGetVersion(virApiCall *call, remote_connect_get_version_ret *ret, GError **error)
{
    g_auto(virApiEmulator) emulator = {0};

    if (!virApiEmulatorChoose(virApiDriver(call), NULL, NULL, NULL, NULL, &emulator, error))
        return false;
    ret->hv_ver = qmpCapsVersion(emulator.caps);
    return true;
}

/* --- domain capabilities --- */

/* Does the host's own CPU run the guest's code? */
static bool
isNative(const char *arch)
{
    static const char *const smaller[][2] = {
        {"x86_64", "i686"}, {"aarch64", "armv7l"}, {"ppc64le", "ppc64"}, {"ppc64", "ppc64le"}};

    for (size_t i = 0; i < G_N_ELEMENTS(smaller); i++) {
        if (g_str_equal(virHostArch(), smaller[i][0]) && g_str_equal(arch, smaller[i][1]))
            return true;
    }
    return g_str_equal(arch, virHostArch());
}

/* Where no descriptor speaks of the machine, the images of the usual names that are there; ends
 * with NULL. Caller frees the array. */
static const char **
usualLoaders(const GPtrArray *firmware, const virApiEmulator *emulator)
{
    static const char *const usual[] = {
        "/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_CODE.secboot.fd",
        "/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF32_CODE.fd"};
    GPtrArray *found = g_ptr_array_new();

    for (guint i = 0; i < firmware->len; i++) {
        if (qmpFirmwareFits(firmware->pdata[i], emulator->arch, emulator->machine)) {
            g_ptr_array_unref(found);
            return NULL;
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(usual); i++) {
        if (virHostFsExists("%s", usual[i]))
            g_ptr_array_add(found, (char *)usual[i]);
    }
    g_ptr_array_add(found, NULL);
    return (const char **)g_ptr_array_free(found, FALSE);
}

bool
virApiConnectGetDomainCapabilities(virApiCall *call,
                                   const remote_connect_get_domain_capabilities_args *args,
                                   remote_connect_get_domain_capabilities_ret *ret, GError **error)
{
    qemuDriver *driver = virApiDriver(call);
    g_auto(virApiEmulator) emulator = {0};
    g_autoptr(GPtrArray) firmware = NULL;
    g_autofree const char **loaders = NULL;
    g_autofree char *swtpm = NULL;
    g_autofree char *text = NULL;
    qmpDomainCapsInput input = {.vocabulary = QMP_DOMAIN_CAPS_VOCABULARY};
    int maxVcpus = 0;

    if (!virApiOnlyFlags(args->flags, 0, error) ||
        !virApiEmulatorChoose(driver, args->emulatorbin, args->arch, args->machine, args->virttype,
                              &emulator, error) ||
        (emulator.accel == QMP_ACCEL_KVM && !virHostCPUMaxForKVM(&maxVcpus, error)))
        return false;
    firmware = qmpFirmwareReadAll(NULL, driver->privileged ? NULL : g_get_user_config_dir());
    swtpm = g_find_program_in_path("swtpm");
    input.caps = emulator.caps;
    input.accel = emulator.accel;
    input.machine = emulator.machine;
    input.arch = emulator.arch;
    input.native = isNative(emulator.arch);
    input.firmware = firmware;
    loaders = usualLoaders(firmware, &emulator);
    input.loaders = loaders;
    input.maxVcpus = (unsigned)maxVcpus;
    input.vfio = virHostHasIOMMU() && virHostFsExists("/dev/vfio/vfio");
    input.swtpm = swtpm != NULL;
    text = qmpDomainCapsFormat(&input);
    ret->capabilities = virApiStrdup(call, text);
    return true;
}
