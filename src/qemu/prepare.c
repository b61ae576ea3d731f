/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * prepare.c: the order in which a document is made whole. Each step builds on the ones before: the
 * binary decides the machine, the machine its devices, these their controllers, and addresses come
 * last. */
#include "qemu/prepare.h"

#include "device/console/console.h"
#include "device/controller/controller_qemu.h"
#include "device/device_qemu.h"
#include "domain/addresses.h"
#include "domain/devicechange.h"
#include "qemu/check.h"
#include "qemu/defaults.h"
#include "util/virerror.h"

qmpAccel
qemuDomainAccel(const virDomainDef *def)
{
    return def->virtType == VIR_DOMAIN_VIRT_KVM ? QMP_ACCEL_KVM : QMP_ACCEL_TCG;
}

void
qemuFacts(const virDomainDef *def, const qmpCaps *caps, virDomainFacts *facts)
{
    const char *machine = def->os.machine;

    if (caps && machine)
        machine = qmpCapsMachineCanonical(caps, qemuDomainAccel(def), machine);
    virDomainDefFacts(def, machine, facts);
    facts->primaryVideoFree = true; /* every QEMU we run has VGA cards as ordinary devices */
    if (!caps)
        return;
    facts->virtioModern = qmpCapsHas(caps, QMP_CAPS_VIRTIO_PCI_DISABLE_LEGACY);
    facts->pcieToPCIBridge = qmpCapsHas(caps, QMP_CAPS_PCIE_PCI_BRIDGE);
}

/* --- what the steps share --- */

typedef struct {
    virDomainDef *def;
    const qmpCaps *caps;
    virDomainFacts facts;
    unsigned parseFlags;
} qemuPreparing;

static void
qemuPreparingInit(qemuPreparing *preparing, virDomainDef *def, const qmpCaps *caps,
                  const qemuPrepareEnv *env, unsigned parseFlags)
{
    preparing->def = def;
    preparing->caps = caps;
    preparing->parseFlags = parseFlags;
    qemuFacts(def, caps, &preparing->facts);
    if (!env)
        return;
    preparing->facts.channelRoot = env->channelDir;
    preparing->facts.hostAudio = env->hostAudio;
    preparing->facts.hostAudioVNC = env->hostAudioVNC;
    preparing->facts.hostAudioHeadless = env->hostAudioHeadless;
}

static void
qemuPreparingAdd(virDevice *dev, void *opaque)
{
    virDomainDefAddDevice(((qemuPreparing *)opaque)->def, dev);
}

static bool
qemuPreparingCompleteDevice(virDevice *dev, const virDomainFacts *facts, unsigned parseFlags,
                            void *opaque, GError **error)
{
    const qemuPreparing *preparing = opaque;
    const virDeviceQemu *qemu = virDeviceQemuOf(dev);

    return !qemu || !qemu->complete ||
           qemu->complete(dev, facts, preparing->caps, parseFlags, error);
}

/* Defaults of one device, of this binary and of any hypervisor. */
static bool
qemuPreparingCompleteOne(qemuPreparing *preparing, virDevice *dev, GError **error)
{
    return qemuPreparingCompleteDevice(dev, &preparing->facts, preparing->parseFlags, preparing,
                                       error) &&
           (!dev->kind->complete ||
            dev->kind->complete(dev, &preparing->facts, preparing->parseFlags, error));
}

/* The model a bare SCSI controller gets, among others. */
static bool
qemuPreparingCompleteController(virDevice *controller, void *opaque, GError **error)
{
    return qemuPreparingCompleteOne(opaque, controller, error);
}

static int
qemuPreparingControllerName(const virDevice *controller, void *opaque)
{
    const qemuPreparing *preparing = opaque;

    return preparing->caps ? qemuControllerDefaultName(VIR_CONTROLLER_CONST(controller),
                                                       &preparing->facts, preparing->caps)
                           : 0;
}

static virAddressPolicy
qemuPreparingPolicy(qemuPreparing *preparing)
{
    return (virAddressPolicy){.completeController = qemuPreparingCompleteController,
                              .pciControllerName = qemuPreparingControllerName,
                              .opaque = preparing,
                              .anew = preparing->parseFlags & VIR_PARSE_ABI_UPDATE};
}

/* --- the steps --- */

static void
qemuPrepareImplicitDevices(qemuPreparing *preparing)
{
    virDomainDefAddMachineControllers(preparing->def, &preparing->facts,
                                      qemuDefaultUSBModel(&preparing->facts, preparing->caps));
    for (const virDeviceQemu *const *qemu = virDeviceQemus; *qemu; qemu++) {
        if ((*qemu)->implicit)
            (*qemu)->implicit(&preparing->facts, preparing->caps, qemuPreparingAdd, preparing);
    }
}

static bool
qemuPrepareDevices(qemuPreparing *preparing, GError **error)
{
    virDomainDef *def = preparing->def;
    virAddressPolicy policy = qemuPreparingPolicy(preparing);

    return virConsoleSerialCompat(def->devices, qemuPreparingAdd, preparing, error) &&
           virDomainDefCompleteDevices(def, &preparing->facts, preparing->parseFlags,
                                       qemuPreparingCompleteDevice, preparing, error) &&
           virDomainDefCompleteSections(def, preparing->parseFlags, error) &&
           virDomainDefAddImplicitControllers(def, &policy, error);
}

static bool
qemuPrepareAddresses(qemuPreparing *preparing, GError **error)
{
    virAddressPolicy policy = qemuPreparingPolicy(preparing);

    return virDomainDefAssignAddresses(preparing->def, &preparing->facts, &policy, error);
}

static bool
qemuPrepareWith(virDomainDef *def, const qmpCaps *caps, const qemuPrepareEnv *env,
                unsigned parseFlags, GError **error)
{
    qemuPreparing preparing;

    if (!virDomainDefAssignControllerIndexes(def, error))
        return false;
    if (caps && !qemuDefaultsApply(def, caps, env->nvramDir, parseFlags, error))
        return false;
    qemuPreparingInit(&preparing, def, caps, env, parseFlags);
    if (caps)
        qemuPrepareImplicitDevices(&preparing);
    if (!qemuPrepareDevices(&preparing, error))
        return false;
    /* memory and vCPUs are known by now */
    qemuPreparingInit(&preparing, def, caps, env, parseFlags);
    return !caps || qemuPrepareAddresses(&preparing, error);
}

bool
qemuDomainDefCheck(const virDomainDef *def, const qmpCaps *caps, unsigned parseFlags,
                   GError **error)
{
    virDomainFacts facts;

    if (parseFlags & (VIR_PARSE_SKIP_VALIDATE | VIR_PARSE_STATUS))
        return true;
    if (!virDomainDefCheck(def, parseFlags, error))
        return false;
    if (!caps)
        return true;
    qemuFacts(def, caps, &facts);
    if (!qemuCheckDomain(def, &facts, caps, error))
        return false;
    for (guint i = 0; i < def->devices->len; i++) {
        const virDevice *dev = g_ptr_array_index(def->devices, i);
        const virDeviceQemu *qemu = virDeviceQemuOf(dev);

        if (qemu && qemu->check && !qemu->check(dev, &facts, caps, error))
            return false;
    }
    return true;
}

/* --- the whole --- */

static bool
qemuPrepareEmulator(virDomainDef *def, const qemuPrepareEnv *env, GError **error)
{
    const char *arch = def->os.arch ? def->os.arch : "x86_64";
    const char *emulator = NULL;

    if (def->emulator)
        return true;
    if (env->defaultEmulator)
        emulator = env->defaultEmulator(arch, env->opaque);
    else if (g_str_equal(arch, "i686"))
        emulator = "/usr/bin/qemu-system-i386";
    else if (g_str_equal(arch, "x86_64"))
        emulator = "/usr/bin/qemu-system-x86_64";
    if (!emulator)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, _("No emulator found for arch '%s'"),
                           arch);
    def->emulator = g_strdup(emulator);
    return true;
}

/* *retCaps: what the binary can do, a new reference; NULL if it need not be there. */
static bool
qemuPrepareCaps(virDomainDef *def, const qemuPrepareEnv *env, unsigned parseFlags,
                qmpCaps **retCaps, GError **error)
{
    qmpCaps *caps;

    if (!qemuPrepareEmulator(def, env, error))
        return false;
    caps = env->caps(def->emulator, env->opaque);
    if (!caps && !(parseFlags & (VIR_PARSE_SKIP_VALIDATE | VIR_PARSE_STATUS)))
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("Cannot check QEMU binary %s"),
                           def->emulator);
    *retCaps = caps;
    return true;
}

bool
qemuDomainDefComplete(virDomainDef *def, const qemuPrepareEnv *env, unsigned parseFlags,
                      GError **error)
{
    g_autoptr(qmpCaps) caps = NULL;

    return qemuPrepareCaps(def, env, parseFlags, &caps, error) &&
           qemuPrepareWith(def, caps, env, parseFlags, error);
}

virDomainDef *
qemuDomainDefParse(const char *xml, const qemuPrepareEnv *env, unsigned parseFlags, GError **error)
{
    g_autoptr(virDomainDef) def = virDomainDefParse(xml, parseFlags, error);
    g_autoptr(qmpCaps) caps = NULL;

    if (!def || !qemuPrepareCaps(def, env, parseFlags, &caps, error) ||
        !qemuPrepareWith(def, caps, env, parseFlags, error) ||
        !qemuDomainDefCheck(def, caps, parseFlags, error))
        return NULL;
    return g_steal_pointer(&def);
}

/* --- a start --- */

bool
qemuPrepareStart(virDomainDef *def, const qmpCaps *caps, GError **error)
{
    qemuPreparing preparing;

    qemuPreparingInit(&preparing, def, caps, NULL, VIR_PARSE_ABI_UPDATE);
    return qemuPrepareAddresses(&preparing, error);
}

/* --- one device for a running guest --- */

static bool
qemuPrepareCheckDevice(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                       GError **error)
{
    const virDeviceQemu *qemu = virDeviceQemuOf(dev);

    return (!dev->kind->check || dev->kind->check(dev, facts, error)) &&
           (!qemu || !qemu->check || qemu->check(dev, facts, caps, error));
}

bool
qemuPrepareJoin(virDomainDef *def, virDevice *dev, const qmpCaps *caps, bool live, GError **error)
{
    qemuPreparing preparing;

    qemuPreparingInit(&preparing, def, caps, NULL, live ? 0 : VIR_PARSE_INACTIVE);
    virDomainDefNumberController(def, dev);
    return qemuPreparingCompleteOne(&preparing, dev, error) &&
           virDomainDefMayJoin(def, dev, live, error) &&
           qemuPrepareCheckDevice(dev, &preparing.facts, caps, error) &&
           virDeviceCanChange(dev, VIR_DEVICE_ATTACH, live, error);
}

/* Facts of a domain that has wanted in place of old (NULL: that has it not). The caller unrefs the
 * devices. */
static GPtrArray *
qemuPrepareReplaced(const virDomainDef *def, const virDevice *old, virDevice *wanted)
{
    GPtrArray *devices = g_ptr_array_sized_new(def->devices->len);

    for (guint i = 0; i < def->devices->len; i++) {
        virDevice *each = g_ptr_array_index(def->devices, i);

        g_ptr_array_add(devices, each == old ? wanted : each);
    }
    return devices;
}

virDevice *
qemuPrepareUpdate(virDomainDef *def, virDevice *wanted, const qmpCaps *caps, bool live,
                  GError **error)
{
    g_autoptr(GError) missing = NULL;
    g_autoptr(GPtrArray) devices = NULL;
    virDevice *old = NULL;
    qemuPreparing preparing;

    qemuPreparingInit(&preparing, def, caps, NULL, live ? 0 : VIR_PARSE_INACTIVE);
    if (!qemuPreparingCompleteOne(&preparing, wanted, error))
        return NULL;
    if (virDeviceCanChange(wanted, VIR_DEVICE_UPDATE, live, &missing))
        old = virDomainDefFindDevice(def, wanted, VIR_DEVICE_UPDATE, live, &missing);
    devices = qemuPrepareReplaced(def, old, wanted);
    preparing.facts.devices = devices;
    if (!qemuPrepareCheckDevice(wanted, &preparing.facts, caps, error))
        return NULL;
    if (!old)
        g_propagate_error(error, g_steal_pointer(&missing));
    return old;
}

/* Of the controllers that devices imply, those of SCSI alone can come to a running guest. */
static bool
qemuPrepareCheckImplied(const virDevice *dev, GError **error)
{
    const virController *controller = VIR_CONTROLLER_CONST(dev);

    if (controller->type == VIR_CONTROLLER_SCSI)
        return true;
    if (controller->type == VIR_CONTROLLER_VIRTIO_SERIAL)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s",
                           _("no virtio-serial controllers are available"));
    return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                       _("Could not find %s controller with index %u required for device"),
                       virControllerTypeToString(controller->type),
                       (unsigned)controller->index.value);
}

/* What def has and before has not: dev, behind the controllers that it implies. */
static GPtrArray *
qemuPrepareFresh(const virDomainDef *def, GPtrArray *before, virDevice *dev)
{
    GPtrArray *fresh = g_ptr_array_new();

    for (guint i = 0; i < def->devices->len; i++) {
        virDevice *each = g_ptr_array_index(def->devices, i);

        if (each != dev && !g_ptr_array_find(before, each, NULL))
            g_ptr_array_add(fresh, each);
    }
    g_ptr_array_add(fresh, dev);
    return fresh;
}

static bool
qemuPreparePlaces(qemuPreparing *preparing, const GPtrArray *fresh, GError **error)
{
    for (guint i = 0; i < fresh->len; i++) {
        virDevice *each = g_ptr_array_index(fresh, i);

        if ((i + 1 < fresh->len && !qemuPrepareCheckImplied(each, error)) ||
            !virDomainDefAssignDeviceAddress(preparing->def, &preparing->facts, each, error))
            return false;
    }
    return true;
}

bool
qemuPrepareDevice(virDomainDef *def, virDevice *dev, const qmpCaps *caps, GPtrArray **retFresh,
                  GError **error)
{
    g_autoptr(virDevice) mine = dev;
    g_autoptr(GPtrArray) before = g_ptr_array_copy(def->devices, NULL, NULL);
    g_autoptr(GPtrArray) fresh = NULL;
    qemuPreparing preparing;
    virAddressPolicy policy;

    g_ptr_array_set_free_func(before, NULL); /* they are the definition's */
    if (!qemuPrepareJoin(def, mine, caps, /* live: */ true, error))
        return false;
    virDomainDefAddDevice(def, g_steal_pointer(&mine));
    qemuPreparingInit(&preparing, def, caps, NULL, 0);
    policy = qemuPreparingPolicy(&preparing);
    if (!virDomainDefAddImplicitControllers(def, &policy, error))
        return false;
    fresh = qemuPrepareFresh(def, before, dev);
    if (!qemuPreparePlaces(&preparing, fresh, error) || !virDomainDefCheckDevices(def, error))
        return false;
    virDomainDefAssignAliases(def);
    *retFresh = g_steal_pointer(&fresh);
    return true;
}
