/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain.c: guests read and written back. */
#include "domain/addresses.h"
#include "domain/schema.h"
#include <inttypes.h>

#include "families.h"
#include "qemu/memlock.h"
#include "qemu/prepare.h"
#include "util/viruuid.h"

unsigned
conformanceDomainFlags(const conformanceCase *row)
{
    const char *state = conformanceFlag(row, "state");
    const char *parse = conformanceFlag(row, "parse");
    unsigned flags = 0;

    if (!state || g_str_equal(state, "inactive"))
        flags |= VIR_PARSE_INACTIVE;
    if (parse && g_strrstr(parse, "abi-update"))
        flags |= VIR_PARSE_ABI_UPDATE;
    if (parse && g_strrstr(parse, "skip-validate"))
        flags |= VIR_PARSE_SKIP_VALIDATE;
    return flags;
}

static unsigned
conformanceFormatFlags(unsigned parseFlags)
{
    return VIR_FORMAT_SECURE | (parseFlags & VIR_PARSE_INACTIVE ? VIR_FORMAT_INACTIVE : 0);
}

bool
conformanceGenericXML2XML(const conformanceCase *row, conformanceResult *result, GError **error)
{
    unsigned flags = conformanceDomainFlags(row);
    g_autofree char *xml = conformanceInput(row, 0, error);
    g_autoptr(virDomainDef) def = xml ? virDomainDefParse(xml, flags, error) : NULL;

    virRandomMakePredictable();
    if (!def || !virDomainDefComplete(def, flags, error) || !virDomainDefCheck(def, flags, error))
        return conformanceFail(result, "parse");
    return conformanceAdd(result, virDomainDefFormat(def, conformanceFormatFlags(flags)));
}

/* --- with QEMU's rules --- */

qmpCaps *
conformanceLookUpCaps(const char *emulator, void *opaque)
{
    return conformanceCaps(opaque, g_str_has_suffix(emulator, "i386") ? "i686" : "x86_64", NULL);
}

virDomainDef *
conformanceDomain(const conformanceCase *row, unsigned flags, GError **error)
{
    const qemuPrepareEnv env = {.caps = conformanceLookUpCaps,
                                .opaque = (void *)row,
                                .nvramDir = "/var/lib/libvirt/qemu/nvram",
                                .channelDir = "/tmp/channel",
                                .hostAudio = conformanceFlag(row, "env.QEMU_AUDIO_DRV"),
                                .hostAudioVNC = conformanceFlag(row, "conf.vnc_allow_host_audio"),
                                .privileged = true};
    g_autofree char *xml = conformanceInput(row, 0, error);

    virRandomMakePredictable();
    return xml ? qemuDomainDefParse(xml, &env, flags, error) : NULL;
}

bool
conformanceQemuXML2XML(const conformanceCase *row, conformanceResult *result, GError **error)
{
    /* some of these ask for what their made-up binary can't do: only the text is looked at */
    unsigned flags = conformanceDomainFlags(row) | VIR_PARSE_SKIP_VALIDATE;
    g_autoptr(virDomainDef) def = conformanceDomain(row, flags, error);
    g_autofree char *xml = def ? conformanceInput(row, 0, error) : NULL;
    g_autofree char *formatted = NULL;

    if (!xml)
        return conformanceFail(result, "parse");
    formatted = virDomainDefFormat(def, conformanceFormatFlags(flags));
    /* what we take and what we write is by our schema */
    if (!virDomainSchemaCheck(xml, error) || !virDomainSchemaCheck(formatted, error))
        return conformanceFail(result, "schema");
    return conformanceAdd(result, g_steal_pointer(&formatted));
}

bool
conformanceQemuMemlock(const conformanceCase *row, conformanceResult *result, GError **error)
{
    g_autoptr(virDomainDef) def = conformanceDomain(row, VIR_PARSE_INACTIVE, error);
    virDelegateMemlock lock;

    if (!def)
        return conformanceFail(result, "parse");
    lock = qemuMemlockOf(def);
    if (lock.bytes == VIR_DELEGATE_MEMLOCK_UNLIMITED) /* the data's number for that */
        lock.bytes = VIR_CGROUP_MEMORY_UNLIMITED;
    return conformanceAdd(result, g_strdup_printf("%" PRIu64, lock.bytes));
}
