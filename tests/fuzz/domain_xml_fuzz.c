/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_xml_fuzz.c: a domain's document from a stranger: read, completed for a QEMU, written back,
 * and read again. What was written must be readable and say the same. */
#include <stdint.h>
#include <string.h>

#include "qemu/prepare.h"
#include "util/virxml.h"

static qmpCaps *
fuzzCaps(const char *emulator, void *opaque)
{
    qmpCaps *caps = qmpCapsNew("/usr/bin/qemu-system-x86_64", "x86_64");

    for (int flag = 0; flag < QMP_CAPS_LAST; flag++)
        qmpCapsSetFlag(caps, (qmpCapsFlag)flag);
    for (int accel = 0; accel < QMP_ACCEL_LAST; accel++) {
        qmpCapsAddMachine(caps, (qmpAccel)accel, "pc", NULL);
        qmpCapsAddMachine(caps, (qmpAccel)accel, "q35", NULL);
    }
    return caps;
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    virXMLInit();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const qemuPrepareEnv env = {.caps = fuzzCaps, .channelDir = "/channel"};
    unsigned flags = size && (data[0] & 1) ? VIR_PARSE_INACTIVE : 0;
    g_autofree char *xml = g_strndup((const char *)data, size);
    g_autoptr(virDomainDef) def = qemuDomainDefParse(xml, &env, flags, NULL);
    g_autoptr(virDomainDef) copy = NULL;
    g_autofree char *once = NULL;
    g_autofree char *twice = NULL;

    if (!def)
        return 0;
    copy = virDomainDefCopy(def);
    once = virDomainDefFormat(def, VIR_FORMAT_SECURE | VIR_FORMAT_STATUS);
    twice = virDomainDefFormat(copy, VIR_FORMAT_SECURE | VIR_FORMAT_STATUS);
    if (!g_str_equal(once, twice))
        g_error("a copy says something else:\n%s\n%s", once, twice);
    return 0;
}
