/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * memlock.c: the arithmetic of locked memory. See memlock.h. */
#include "qemu/memlock.h"

#include "device/device_qemu.h"

enum { QEMU_MEMLOCK_EXTRA_KIB = 1024 * 1024 }; /* MMIO regions, as x86 hosts reserve for them */

/* Devices by how they lock the guest's memory. */
typedef struct {
    unsigned shared, own;
    bool apart; /* the shared ones are not */
} qemuMemlockUsers;

static qemuMemlockUsers
qemuMemlockCount(const virDomainDef *def)
{
    qemuMemlockUsers users = {0};

    for (guint i = 0; i < def->devices->len; i++) {
        const virDevice *dev = g_ptr_array_index(def->devices, i);
        const virDeviceQemu *qemu = virDeviceQemuOf(dev);

        switch (qemu && qemu->locks ? qemu->locks(dev) : QEMU_LOCKS_NOTHING) {
        case QEMU_LOCKS_SHARED:
            users.shared++;
            break;
        case QEMU_LOCKS_OWN:
            users.own++;
            break;
        case QEMU_LOCKS_APART:
            users.apart = true;
            break;
        case QEMU_LOCKS_NOTHING:
            break;
        }
    }
    return users;
}

/* How often all of the memory is counted. */
static uint64_t
qemuMemlockFactor(const qemuMemlockUsers *users)
{
    return users->own + (users->apart ? users->shared : MIN(users->shared, 1));
}

virDelegateMemlock
qemuMemlockOf(const virDomainDef *def)
{
    const virOptUInt *hard = &def->tune.memory.hardLimit;
    const qemuMemlockUsers users = qemuMemlockCount(def);
    const uint64_t factor = qemuMemlockFactor(&users);
    virDelegateMemlock lock = {.guest = def->memory.total.value * 1024,
                               .passthrough = users.shared + users.own};

    if (hard->set && hard->value < VIR_CGROUP_MEMORY_UNLIMITED) {
        lock.bytes = hard->value * 1024;
    } else if (def->memory.locked) {
        lock.bytes = VIR_DELEGATE_MEMLOCK_UNLIMITED;
    } else if (factor > 0) {
        lock.extra = (uint64_t)QEMU_MEMLOCK_EXTRA_KIB * 1024;
        lock.bytes = factor * lock.guest + lock.extra;
    }
    return lock;
}

bool
qemuMemlockIsNeeded(const virDomainDef *def)
{
    const qemuMemlockUsers users = qemuMemlockCount(def);

    return def->memory.locked || users.shared + users.own > 0;
}
