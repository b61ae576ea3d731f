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

bool
qmpCapsHas(const qmpCaps *caps, qmpCapsFlag flag)
{
    return caps->flags[flag / 64] >> (flag % 64) & 1;
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
