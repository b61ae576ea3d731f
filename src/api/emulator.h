/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * emulator.h: the emulator, machine and accelerator that a client means. The emulator is asked when
 * it is first named, which starts a QEMU: in a job, without the core lock. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "qemu/driver.h"
#include "qmp/qmpcaps.h"

typedef struct {
    qmpCaps *caps;
    const char *arch;    /* of the guest */
    const char *machine; /* its own name, not an alias */
    qmpAccel accel;
} virApiEmulator;

/* Any of binary, arch, machine and type ("kvm", "qemu") may be NULL: then it is what a guest gets
 * that doesn't say. *emulator must be {0}; arch and machine are borrowed from the arguments or from
 * its caps. */
bool virApiEmulatorChoose(qemuDriver *driver, const char *binary, const char *arch,
                          const char *machine, const char *type, virApiEmulator *emulator,
                          GError **error);
void virApiEmulatorClear(virApiEmulator *emulator);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(virApiEmulator, virApiEmulatorClear)
