/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_xml_fuzz.c: a domain's document from a stranger: read, completed for a QEMU, copied,
 * compared with itself, written back and read again. What was written must be taken and say the
 * same. */
#include <stdint.h>
#include <stdlib.h>
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

/* The fuzzer keeps the input of an abort(), not that of GLib's trap. */
static void
fuzzLog(const char *domain, GLogLevelFlags level, const char *message, gpointer opaque)
{
    g_printerr("%s\n", message);
    if (level & G_LOG_FLAG_FATAL)
        abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)g_log_set_default_handler(fuzzLog, NULL); /* the one before is GLib's own */
    virXMLInit();
    return 0;
}

/* A copy says the same, to the last run-time part, and the guest can't tell the two apart. */
static void
fuzzCopy(const virDomainDef *def)
{
    g_autoptr(virDomainDef) copy = virDomainDefCopy(def);
    g_autofree char *once = virDomainDefFormat(def, VIR_FORMAT_SECURE | VIR_FORMAT_STATUS);
    g_autofree char *twice = virDomainDefFormat(copy, VIR_FORMAT_SECURE | VIR_FORMAT_STATUS);
    g_autoptr(GError) error = NULL;

    if (!g_str_equal(once, twice))
        g_error("a copy says something else:\n%s\n%s", once, twice);
    if (!virDomainDefSameABI(def, def, &error) || !virDomainDefSameABI(def, copy, &error))
        g_error("a document differs from itself: %s\n%s", error->message, once);
}

/* What a client is given it may give back: it is taken, and completing it again changes nothing. */
static void
fuzzRoundTrip(const virDomainDef *def, const qemuPrepareEnv *env)
{
    g_autofree char *once = virDomainDefFormat(def, VIR_FORMAT_SECURE | VIR_FORMAT_INACTIVE);
    g_autoptr(GError) error = NULL;
    g_autoptr(virDomainDef) again = qemuDomainDefParse(once, env, VIR_PARSE_INACTIVE, &error);
    g_autofree char *twice = NULL;

    if (!again)
        g_error("a document that was written is refused: %s\n%s", error->message, once);
    twice = virDomainDefFormat(again, VIR_FORMAT_SECURE | VIR_FORMAT_INACTIVE);
    if (!g_str_equal(once, twice))
        g_error("a document that was written is read as another:\n%s\n%s", once, twice);
    if (!virDomainDefSameABI(def, again, &error))
        g_error("a document that was written is another guest: %s\n%s", error->message, once);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const qemuPrepareEnv env = {
        .caps = fuzzCaps, .channelDir = "/channel", .nvramDir = "/nvram"};
    g_autofree char *xml = g_strndup((const char *)data, size);

    for (unsigned flags = 0; flags <= VIR_PARSE_INACTIVE; flags += VIR_PARSE_INACTIVE) {
        g_autoptr(virDomainDef) read = qemuDomainDefParse(xml, &env, flags, NULL);

        if (!read)
            continue;
        fuzzCopy(read);
        if (flags & VIR_PARSE_INACTIVE)
            fuzzRoundTrip(read, &env);
    }
    return 0;
}
