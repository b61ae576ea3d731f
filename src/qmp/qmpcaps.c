/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpcaps.c: the value and its look-ups. Any thread; no rights needed. */
#include "qmp/qmpcaps.h"

#include <stdarg.h>

#include "qmp/qmpcapspriv.h"

#define QMP_CAPS_NAME_ROW(id, name) name,
VIR_ENUM_IMPL(qmpCapsFlag, QMP_CAPS_LAST, QMP_CAPS_FLAGS(QMP_CAPS_NAME_ROW));
#undef QMP_CAPS_NAME_ROW
VIR_ENUM_IMPL(qmpAccel, QMP_ACCEL_LAST, "kvm", "tcg");
VIR_ENUM_IMPL(qmpCpuPropertyType, QMP_CPU_PROPERTY_LAST, "boolean", "string", "number");

qmpMachine *
qmpMachineNew(const char *name)
{
    qmpMachine *machine = g_new0(qmpMachine, 1);

    machine->name = g_strdup(name);
    return machine;
}

void
qmpMachineFree(qmpMachine *machine)
{
    if (!machine)
        return;
    g_free(machine->name);
    g_free(machine->alias);
    g_free(machine->defaultCpu);
    g_free(machine->defaultRamId);
    g_free(machine);
}

qmpCpuDefinition *
qmpCpuDefinitionNew(const char *name)
{
    qmpCpuDefinition *cpu = g_new0(qmpCpuDefinition, 1);

    cpu->name = g_strdup(name);
    return cpu;
}

void
qmpCpuDefinitionFree(qmpCpuDefinition *cpu)
{
    if (!cpu)
        return;
    g_free(cpu->name);
    g_free(cpu->typeName);
    g_strfreev(cpu->blockers);
    g_free(cpu);
}

qmpCpuProperty *
qmpCpuPropertyNew(const char *name, qmpCpuPropertyType type)
{
    qmpCpuProperty *property = g_new0(qmpCpuProperty, 1);

    property->name = g_strdup(name);
    property->type = type;
    return property;
}

void
qmpCpuPropertyFree(qmpCpuProperty *property)
{
    if (!property)
        return;
    g_free(property->name);
    g_free(property->string);
    g_free(property);
}

qmpCpuModel *
qmpCpuModelNew(const char *name)
{
    qmpCpuModel *model = g_new0(qmpCpuModel, 1);

    model->name = g_strdup(name);
    model->properties = g_ptr_array_new_with_free_func((GDestroyNotify)qmpCpuPropertyFree);
    return model;
}

void
qmpCpuModelFree(qmpCpuModel *model)
{
    if (!model)
        return;
    g_free(model->name);
    g_ptr_array_unref(model->properties);
    g_free(model);
}

void
qmpSevInfoFree(qmpSevInfo *sev)
{
    if (!sev)
        return;
    g_free(sev->pdh);
    g_free(sev->certChain);
    g_free(sev->cpu0Id);
    g_free(sev);
}

qmpCaps *
qmpCapsNew(const char *emulator, const char *arch)
{
    qmpCaps *caps = g_new0(qmpCaps, 1);

    caps->refs = 1;
    caps->emulator = g_strdup(emulator);
    caps->arch = g_strdup(arch);
    for (int i = 0; i < QMP_ACCEL_LAST; i++)
        caps->accel[i].machines = g_ptr_array_new_with_free_func((GDestroyNotify)qmpMachineFree);
    return caps;
}

qmpCaps *
qmpCapsRef(const qmpCaps *caps)
{
    qmpCaps *counted = (qmpCaps *)caps; /* the count is no part of the value */

    g_atomic_int_inc(&counted->refs);
    return counted;
}

void
qmpCapsUnref(qmpCaps *caps)
{
    if (!caps || !g_atomic_int_dec_and_test(&caps->refs))
        return;
    for (int i = 0; i < QMP_ACCEL_LAST; i++) {
        g_ptr_array_unref(caps->accel[i].machines);
        g_clear_pointer(&caps->accel[i].cpus, g_ptr_array_unref);
        qmpCpuModelFree(caps->accel[i].hostCpu);
    }
    qmpSevInfoFree(caps->sev);
    g_strfreev(caps->hyperv);
    g_free(caps->emulator);
    g_free(caps->arch);
    g_free(caps->package);
    g_free(caps->hostCpuSignature);
    g_free(caps->kernelVersion);
    g_free(caps);
}

/* What every QEMU that we run has (2.11 and newer): nothing asks for it, no cache lists it. */
static const bool implied[QMP_CAPS_LAST] = {
    [QMP_CAPS_VNC_COLON] = true,
    [QMP_CAPS_NO_REBOOT] = true,
    [QMP_CAPS_DRIVE] = true,
    [QMP_CAPS_NAME] = true,
    [QMP_CAPS_UUID] = true,
    [QMP_CAPS_VNET_HDR] = true,
    [QMP_CAPS_MIGRATE_QEMU_TCP] = true,
    [QMP_CAPS_MIGRATE_QEMU_EXEC] = true,
    [QMP_CAPS_DRIVE_CACHE_V2] = true,
    [QMP_CAPS_DRIVE_FORMAT] = true,
    [QMP_CAPS_OPTION_VGA] = true,
    [QMP_CAPS_0_10] = true,
    [QMP_CAPS_PCI_DEVICE] = true,
    [QMP_CAPS_MEM_PATH] = true,
    [QMP_CAPS_DRIVE_SERIAL] = true,
    [QMP_CAPS_MIGRATE_QEMU_UNIX] = true,
    [QMP_CAPS_CHARDEV] = true,
    [QMP_CAPS_MONITOR_JSON] = true,
    [QMP_CAPS_BALLOON] = true,
    [QMP_CAPS_DEVICE] = true,
    [QMP_CAPS_SMP_TOPOLOGY] = true,
    [QMP_CAPS_NETDEV] = true,
    [QMP_CAPS_RTC] = true,
    [QMP_CAPS_VHOST_NET] = true,
    [QMP_CAPS_NO_KVM_PIT] = true,
    [QMP_CAPS_BOOT_MENU] = true,
    [QMP_CAPS_FSDEV] = true,
    [QMP_CAPS_NAME_PROCESS] = true,
    [QMP_CAPS_DRIVE_READONLY] = true,
    [QMP_CAPS_SMBIOS_TYPE] = true,
    [QMP_CAPS_VGA_NONE] = true,
    [QMP_CAPS_MIGRATE_QEMU_FD] = true,
    [QMP_CAPS_BOOT_INDEX] = true,
    [QMP_CAPS_DRIVE_AIO] = true,
    [QMP_CAPS_PCI_BOOTINDEX] = true,
    [QMP_CAPS_CHARDEV_SPICEVMC] = true,
    [QMP_CAPS_PCI_MULTIFUNCTION] = true,
    [QMP_CAPS_VIRTIO_BLK_PCI_IOEVENTFD] = true,
    [QMP_CAPS_SGA] = true,
    [QMP_CAPS_VIRTIO_BLK_PCI_EVENT_IDX] = true,
    [QMP_CAPS_VIRTIO_NET_PCI_EVENT_IDX] = true,
    [QMP_CAPS_CACHE_DIRECTSYNC] = true,
    [QMP_CAPS_NO_SHUTDOWN] = true,
    [QMP_CAPS_CACHE_UNSAFE] = true,
    [QMP_CAPS_ROMBAR] = true,
    [QMP_CAPS_FSDEV_READONLY] = true,
    [QMP_CAPS_BLK_SG_IO] = true,
    [QMP_CAPS_DRIVE_COPY_ON_READ] = true,
    [QMP_CAPS_CPU_HOST] = true,
    [QMP_CAPS_FSDEV_WRITEOUT] = true,
    [QMP_CAPS_DRIVE_IOTUNE] = true,
    [QMP_CAPS_SYSTEM_WAKEUP] = true,
    [QMP_CAPS_TRANSACTION] = true,
    [QMP_CAPS_BLOCK_JOB_ASYNC] = true,
    [QMP_CAPS_SCSI_CD] = true,
    [QMP_CAPS_IDE_CD] = true,
    [QMP_CAPS_NO_USER_CONFIG] = true,
    [QMP_CAPS_BALLOON_EVENT] = true,
    [QMP_CAPS_BRIDGE] = true,
    [QMP_CAPS_REBOOT_TIMEOUT] = true,
    [QMP_CAPS_DUMP_GUEST_CORE] = true,
    [QMP_CAPS_SEAMLESS_MIGRATION] = true,
    [QMP_CAPS_BLOCK_COMMIT] = true,
    [QMP_CAPS_DRIVE_MIRROR] = true,
    [QMP_CAPS_USB_REDIR_BOOTINDEX] = true,
    [QMP_CAPS_USB_HOST_BOOTINDEX] = true,
    [QMP_CAPS_BLOCKDEV_SNAPSHOT_SYNC] = true,
    [QMP_CAPS_DEVICE_VIDEO_PRIMARY] = true,
    [QMP_CAPS_USB_NET] = true,
    [QMP_CAPS_ADD_FD] = true,
    [QMP_CAPS_DTB] = true,
    [QMP_CAPS_IPV6_MIGRATION] = true,
    [QMP_CAPS_MACHINE_OPT] = true,
    [QMP_CAPS_MACHINE_USB_OPT] = true,
    [QMP_CAPS_VFIO_PCI_BOOTINDEX] = true,
    [QMP_CAPS_SCSI_GENERIC] = true,
    [QMP_CAPS_SCSI_GENERIC_BOOTINDEX] = true,
    [QMP_CAPS_MEM_MERGE] = true,
    [QMP_CAPS_VNC_WEBSOCKET] = true,
    [QMP_CAPS_MLOCK] = true,
    [QMP_CAPS_VNC_SHARE_POLICY] = true,
    [QMP_CAPS_DEVICE_DEL_EVENT] = true,
    [QMP_CAPS_BOOT_STRICT] = true,
    [QMP_CAPS_SPICE_FILE_XFER_DISABLE] = true,
    [QMP_CAPS_SPICEPORT] = true,
    [QMP_CAPS_HOST_PCI_MULTIDOMAIN] = true,
    [QMP_CAPS_MSG_TIMESTAMP] = true,
    [QMP_CAPS_SPLASH_TIMEOUT] = true,
    [QMP_CAPS_DRIVE_IOTUNE_MAX] = true,
    [QMP_CAPS_VHOST_USER_MULTIQUEUE] = true,
    [QMP_CAPS_DEBUG_THREADS] = true,
    [QMP_CAPS_SECRET] = true,
    [QMP_CAPS_DEVICE_TRAY_MOVED_EVENT] = true,
    [QMP_CAPS_NAME_GUEST] = true,
    [QMP_CAPS_TLS_CREDS_X509] = true,
    [QMP_CAPS_DISPLAY] = true,
    [QMP_CAPS_SMM] = true,
    [QMP_CAPS_DRIVE_IOTUNE_MAX_LENGTH] = true,
    [QMP_CAPS_QUERY_QMP_SCHEMA] = true,
    [QMP_CAPS_DRIVE_IOTUNE_GROUP] = true,
    [QMP_CAPS_KERNEL_IRQCHIP] = true,
    [QMP_CAPS_KERNEL_IRQCHIP_SPLIT] = true,
    [QMP_CAPS_VIRTIO_IOMMU_PLATFORM] = true,
    [QMP_CAPS_VIRTIO_ATS] = true,
    [QMP_CAPS_VNC_MULTI_SERVERS] = true,
    [QMP_CAPS_NUMA_DIST] = true,
    [QMP_CAPS_ISCSI_PASSWORD_SECRET] = true,
    [QMP_CAPS_SECCOMP_BLACKLIST] = true,
    [QMP_CAPS_SDL_GL] = true,
    [QMP_CAPS_FW_CFG] = true,
    [QMP_CAPS_FSDEV_CREATEMODE] = true,
    [QMP_CAPS_VNC_OPTS] = true,
};

bool
qmpCapsLists(const qmpCaps *caps, qmpCapsFlag flag)
{
    return caps->flags[flag / 64] >> (flag % 64) & 1;
}

bool
qmpCapsHas(const qmpCaps *caps, qmpCapsFlag flag)
{
    return implied[flag] || qmpCapsLists(caps, flag);
}

bool
qmpCapsHasAll(const qmpCaps *caps, ...)
{
    bool all = true;
    va_list ap;
    int flag;

    va_start(ap, caps);
    while (all && (flag = va_arg(ap, int)) != QMP_CAPS_LAST)
        all = qmpCapsHas(caps, (qmpCapsFlag)flag);
    va_end(ap);
    return all;
}

void
qmpCapsSetFlag(qmpCaps *caps, qmpCapsFlag flag)
{
    caps->flags[flag / 64] |= UINT64_C(1) << (flag % 64);
}

void
qmpCapsClearFlag(qmpCaps *caps, qmpCapsFlag flag)
{
    caps->flags[flag / 64] &= ~(UINT64_C(1) << (flag % 64));
}

unsigned
qmpCapsVersion(const qmpCaps *caps)
{
    return caps->version;
}

const char *
qmpCapsPackage(const qmpCaps *caps)
{
    return caps->package ? caps->package : "";
}

const char *
qmpCapsArch(const qmpCaps *caps)
{
    return caps->arch;
}

const char *
qmpCapsEmulator(const qmpCaps *caps)
{
    return caps->emulator;
}

bool
qmpCapsHasAccel(const qmpCaps *caps, qmpAccel accel)
{
    return qmpCapsHas(caps, accel == QMP_ACCEL_KVM ? QMP_CAPS_KVM : QMP_CAPS_TCG);
}

qmpAccel
qmpCapsDefaultAccel(const qmpCaps *caps)
{
    return qmpCapsHasAccel(caps, QMP_ACCEL_KVM) ? QMP_ACCEL_KVM : QMP_ACCEL_TCG;
}

const qmpSevInfo *
qmpCapsSev(const qmpCaps *caps)
{
    return caps->sev;
}

const char *const *
qmpCapsHyperv(const qmpCaps *caps)
{
    return (const char *const *)caps->hyperv;
}

const GPtrArray *
qmpCapsMachines(const qmpCaps *caps, qmpAccel accel)
{
    return caps->accel[accel].machines;
}

const qmpMachine *
qmpCapsMachine(const qmpCaps *caps, qmpAccel accel, const char *name)
{
    const GPtrArray *machines = caps->accel[accel].machines;

    for (guint i = 0; name && i < machines->len; i++) {
        const qmpMachine *machine = machines->pdata[i];

        if (g_str_equal(machine->name, name) || g_strcmp0(machine->alias, name) == 0)
            return machine;
    }
    return NULL;
}

const char *
qmpCapsMachineCanonical(const qmpCaps *caps, qmpAccel accel, const char *name)
{
    const qmpMachine *machine = qmpCapsMachine(caps, accel, name);

    return machine ? machine->name : name;
}

const char *
qmpCapsMachineDefault(const qmpCaps *caps, qmpAccel accel)
{
    const GPtrArray *machines = caps->accel[accel].machines;

    for (guint i = 0; i < machines->len; i++) {
        const qmpMachine *machine = machines->pdata[i];

        if (machine->isDefault)
            return machine->name;
    }
    return machines->len > 0 ? ((const qmpMachine *)machines->pdata[0])->name : NULL;
}

const GPtrArray *
qmpCapsCpuDefinitions(const qmpCaps *caps, qmpAccel accel)
{
    return caps->accel[accel].cpus;
}

const qmpCpuDefinition *
qmpCapsCpuDefinition(const qmpCaps *caps, qmpAccel accel, const char *name)
{
    const GPtrArray *cpus = caps->accel[accel].cpus;

    for (guint i = 0; cpus && i < cpus->len; i++) {
        const qmpCpuDefinition *cpu = cpus->pdata[i];

        if (g_strcmp0(cpu->name, name) == 0)
            return cpu;
    }
    return NULL;
}

const qmpCpuModel *
qmpCapsHostCpu(const qmpCaps *caps, qmpAccel accel)
{
    return caps->accel[accel].hostCpu;
}

void
qmpCapsAddMachine(qmpCaps *caps, qmpAccel accel, const char *name, const char *alias)
{
    qmpMachine *machine = qmpMachineNew(name);

    machine->alias = g_strdup(alias);
    machine->isDefault = caps->accel[accel].machines->len == 0;
    g_ptr_array_add(caps->accel[accel].machines, machine);
}

void
qmpCapsAddCpu(qmpCaps *caps, qmpAccel accel, const char *name, virTristate usable)
{
    qmpCapsAccel *own = &caps->accel[accel];
    qmpCpuDefinition *cpu = qmpCpuDefinitionNew(name);

    if (!own->cpus)
        own->cpus = g_ptr_array_new_with_free_func((GDestroyNotify)qmpCpuDefinitionFree);
    cpu->usable = usable;
    g_ptr_array_add(own->cpus, cpu);
}
