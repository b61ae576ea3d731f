/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * native.c: a start's plan, printed instead of run. */
#include "qemu/native.h"

#include "qemu/argv.h"
#include "qemu/buildctx.h"
#include "qemu/firmware.h"
#include "qemu/guestcpu.h"
#include "qemu/prepare.h"
#include "qmp/qmpfirmware.h"
#include "util/virerror.h"

enum { NATIVE_FD_FIRST = 3 };

typedef struct {
    const qemuDriver *driver;
    unsigned nextPort, nextCid, nextNode;
} qemuNative;

/* --- what a start would choose --- */

static unsigned
qemuNativePort(unsigned wanted, const char *alias, void *opaque, GError **error)
{
    qemuNative *native = opaque;

    return wanted ? wanted : native->nextPort++;
}

static uint64_t
qemuNativeContextId(uint64_t wanted, void *opaque, GError **error)
{
    qemuNative *native = opaque;

    return wanted ? wanted : native->nextCid++;
}

static unsigned
qemuNativeBlockNode(void *opaque)
{
    return ++((qemuNative *)opaque)->nextNode;
}

static char *
qemuNativeFd(unsigned host, unsigned n, void *opaque)
{
    return g_strdup_printf("%u", NATIVE_FD_FIRST + host + n);
}

/* --- the text --- */

/* A word as a shell takes it. */
static void
qemuNativeAppend(GString *text, const char *word)
{
    g_autofree char *quoted = NULL;

    if (*word && word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                   "%+,-./:=@_")] == '\0') {
        g_string_append(text, word);
        return;
    }
    quoted = g_shell_quote(word);
    g_string_append(text, quoted);
}

/* All in one line, ready for a shell. */
static char *
qemuNativeFormat(const qmpPlan *plan, const char *emulator)
{
    g_autoptr(GPtrArray) environment = qmpPlanEnvironment(plan);
    g_autoptr(GPtrArray) words = qmpPlanArgv(plan, qemuNativeFd, NULL);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < environment->len; i++) {
        const char *entry = environment->pdata[i];
        const char *value = strchr(entry, '=') + 1;

        g_string_append_len(text, entry, value - entry);
        qemuNativeAppend(text, value);
        g_string_append_c(text, ' ');
    }
    qemuNativeAppend(text, emulator);
    for (guint i = 0; i < words->len; i++) {
        g_string_append_c(text, ' ');
        qemuNativeAppend(text, words->pdata[i]);
    }
    return g_string_free(text, FALSE);
}

/* --- all of it --- */

static bool
qemuNativeChooseFirmware(const qemuDriver *driver, virDomainDef *def, GError **error)
{
    g_autofree char *nvram = g_build_filename(driver->paths.lib, "nvram", NULL);
    g_autoptr(GPtrArray) firmwares = NULL;

    if (def->os.firmware == VIR_DOMAIN_OS_FIRMWARE_NONE)
        return true;
    firmwares = qmpFirmwareReadAll(NULL, driver->privileged ? NULL : g_get_user_config_dir());
    return qemuFirmwareChoose(def, firmwares, nvram, error);
}

char *
qemuNativeCommandLine(qemuDriver *driver, const char *xml, GError **error)
{
    qemuNative native = {.driver = driver, .nextPort = driver->config.portMin, .nextCid = 3};
    qemuClaims claims = {.port = qemuNativePort,
                         .contextId = qemuNativeContextId,
                         .blockNode = qemuNativeBlockNode,
                         .opaque = &native};
    g_autoptr(virDomainDef) def =
        qemuDriverParse(driver, xml, VIR_PARSE_INACTIVE | VIR_PARSE_ABI_UPDATE, error);
    g_autoptr(qmpCaps) caps = NULL;
    g_auto(qemuBuild) build = {0};
    g_autoptr(qmpPlan) plan = NULL;
    g_autofree char *state = NULL;
    g_autofree char *channels = NULL;

    if (!def || !(caps = qemuDriverCaps(driver, def->emulator, error)) ||
        !qemuNativeChooseFirmware(driver, def, error) ||
        !qemuGuestCPUResolve(def, caps, NULL, error) || !qemuPrepareStart(def, caps, error))
        return NULL;
    virDomainDefAssignAliases(def);
    state = g_strdup_printf("%s/domain--1-%.20s", driver->paths.lib, def->name);
    channels = g_strdup_printf("%s/channel/target/domain--1-%.20s", driver->paths.lib, def->name);
    qemuBuildInit(&build, driver, def, caps, state, channels);
    if (!qemuDevicesClaim(def->devices, &build.base, &claims, error) ||
        !(plan = qemuPlanBoot(def, &build.base, error)))
        return NULL;
    return qemuNativeFormat(plan, def->emulator);
}
