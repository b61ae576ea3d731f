/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * golden_test.c: the golden cases of all kinds, found by listing <kind>/golden/.
 *
 * NAME.xml is one device, or several below <devices>. What comes of it stands beside:
 *
 *     NAME.out.xml   the document written back; without it NAME.xml itself
 *     NAME.argv      the command line, an option with its value to a line; what is said to the
 *                    monitor before the guest runs; host resources
 *     NAME.qmp       the commands of hot-plug, in order, and their undo
 *     NAME.err       what it is refused with; then nothing else
 *
 * A comment in the first line sets the scene: <!-- q35, without: virtio.packed audiodev -->.
 * Otherwise the machine is pc-i440fx and the binary can do all it could ever do. With
 * VIRTWARD_GOLDEN_REWRITE=1 in the environment the expectations are written anew. */
#include <glib.h>
#include <string.h>

#include "device/device_qemu.h"
#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virxml.h"

enum { GOLDEN_MAX = 1024 * 1024 };

typedef struct {
    qmpCaps *caps;
    virDomainFacts facts;
    GPtrArray *devices; /* those of the case */
    GPtrArray *all;     /* and those the machine has anyway */
    bool wrapped;       /* the root is <devices> */
} Scene;

static void
sceneClear(Scene *scene)
{
    qmpCapsUnref(scene->caps);
    g_ptr_array_unref(scene->devices);
    g_ptr_array_unref(scene->all);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Scene, sceneClear)

/* The buses that the cases' addresses name. */
static void
sceneAddMachine(Scene *scene)
{
    static const char *const pc[] = {
        "<controller type='pci' index='0' model='pci-root'><alias name='pci.0'/></controller>",
        "<controller type='usb' index='0' model='piix3-uhci'><alias name='usb'/></controller>",
    };
    static const char *const q35[] = {
        "<controller type='pci' index='0' model='pcie-root'><alias name='pcie.0'/></controller>",
        "<controller type='usb' index='0' model='qemu-xhci'><alias name='usb'/></controller>",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(pc); i++) {
        g_autoptr(GError) error = NULL;
        virDevice *dev =
            virDeviceParseText(scene->facts.q35 ? q35[i] : pc[i], VIR_PARSE_STATUS, &error);

        g_assert_no_error(error);
        g_ptr_array_add(scene->all, dev);
    }
}

static void
sceneInit(Scene *scene, const char *xml)
{
    const char *end = g_str_has_prefix(xml, "<!--") ? strstr(xml, "-->") : NULL;
    g_autofree char *remark = end ? g_strndup(xml + 4, (gsize)(end - xml - 4)) : g_strdup("");
    const char *without = strstr(remark, "without:");
    g_auto(GStrv) names = g_strsplit(without ? without + strlen("without:") : "", " ", -1);

    *scene = (Scene){.devices = g_ptr_array_new(),
                     .all = g_ptr_array_new_with_free_func((GDestroyNotify)virDeviceFree)};
    scene->caps = qmpCapsNew("/usr/bin/qemu-system-x86_64", "x86_64");
    for (int flag = 0; flag < QMP_CAPS_LAST; flag++)
        qmpCapsSetFlag(scene->caps, flag);
    for (char **name = names; *name; name++) {
        if (qmpCapsFlagFromString(*name) >= 0)
            qmpCapsClearFlag(scene->caps, qmpCapsFlagFromString(*name));
    }
    scene->facts = (virDomainFacts){
        .arch = "x86_64",
        .machine = "pc",
        .osType = "hvm",
        .name = "golden",
        .i440fx = true,
        .devices = scene->all,
        .memoryKiB = 1024 * 1024,
        .memoryCurrentKiB = 1024 * 1024,
        .vcpus = 1,
        .memoryMaxKiB = 16 * 1024 * 1024,
        .memorySlots = 4,
        .numaNodes = 1,
    };
    if (strstr(remark, "q35")) {
        scene->facts.machine = "q35";
        scene->facts.i440fx = false;
        scene->facts.q35 = true;
    }
    sceneAddMachine(scene);
}

static bool
sceneParseOne(Scene *scene, xmlNode *node, GError **error)
{
    virDevice *dev = virDeviceParse(node, VIR_PARSE_INACTIVE, error);

    if (!dev)
        return false;
    g_ptr_array_add(scene->devices, dev);
    g_ptr_array_add(scene->all, dev);
    return true;
}

static bool
sceneParse(Scene *scene, xmlNode *root, GError **error)
{
    scene->wrapped = virXMLNameIs(root, "devices");
    if (!scene->wrapped)
        return sceneParseOne(scene, root, error);
    virXMLForEachChild (root, node) {
        if (!sceneParseOne(scene, node, error))
            return false;
    }
    return true;
}

static bool
sceneComplete(Scene *scene, GError **error)
{
    for (guint i = 0; i < scene->devices->len; i++) {
        virDevice *dev = g_ptr_array_index(scene->devices, i);
        const virDeviceQemu *qemu = virDeviceQemuOf(dev);

        if (dev->kind->complete && !dev->kind->complete(dev, &scene->facts, 0, error))
            return false;
        if (qemu->complete && !qemu->complete(dev, &scene->facts, scene->caps, 0, error))
            return false;
    }
    for (guint i = 0; i < scene->devices->len; i++) {
        virDevice *dev = g_ptr_array_index(scene->devices, i);
        const virDeviceQemu *qemu = virDeviceQemuOf(dev);

        if (dev->kind->check && !dev->kind->check(dev, &scene->facts, error))
            return false;
        if (qemu->check && !qemu->check(dev, &scene->facts, scene->caps, error))
            return false;
    }
    return true;
}

static void
sceneAlias(Scene *scene)
{
    for (guint i = 0; i < scene->devices->len; i++) {
        virDevice *dev = g_ptr_array_index(scene->devices, i);
        unsigned index = 0;

        for (guint before = 0; before < i; before++)
            index += ((virDevice *)g_ptr_array_index(scene->devices, before))->kind == dev->kind;
        if (dev->info.alias)
            continue;
        dev->info.alias = dev->kind->alias ? dev->kind->alias(dev, &scene->facts, index)
                                           : g_strdup_printf("%s%u", dev->kind->aliasPrefix, index);
    }
}

static char *
sceneFormat(const Scene *scene)
{
    g_autoptr(virXMLWriter) w = virXMLWriterNew();

    if (scene->wrapped)
        virXMLWriterOpen(w, "devices");
    for (guint i = 0; i < scene->devices->len; i++)
        virDeviceFormat(g_ptr_array_index(scene->devices, i), w, VIR_FORMAT_INACTIVE);
    if (scene->wrapped)
        virXMLWriterClose(w);
    return virXMLWriterEnd(w);
}

/* Descriptors are numbered from 10, a host step at a time. */
static char *
goldenFdName(unsigned host, unsigned n, void *opaque)
{
    return g_strdup_printf("%u", 10 + host * 10 + n);
}

static char *
goldenEncrypt(const char *plain, size_t len, char **retIv, void *opaque)
{
    *retIv = g_strdup("aXY=");
    return g_base64_encode((const guchar *)plain, len);
}

static const qemuBuildConfig config = {
    .stateDir = "/state",
    .channelDir = "/channel",
    .nvramDir = "/nvram",
    .logDir = "/log",
    .vncListen = "127.0.0.1",
    .spiceListen = "127.0.0.1",
    .renderNode = "/dev/dri/renderD128",
    .vncTLSDir = "/pki/vnc",
    .spiceTLSDir = "/pki/spice",
    .chardevTLSDir = "/pki/chardev",
    .vhostNet = true,
    .nbdTLSDir = "/pki/nbd",
    .privileged = true,
    .encrypt = goldenEncrypt,
};

static virJSON *
goldenMemoryBackend(const qemuMemoryBackend *wanted, const qemuBuildContext *ctx, GError **error)
{
    virJSON *props = virJSONObject();

    virJSONAddString(props, "qom-type",
                     wanted->path ? "memory-backend-file" : "memory-backend-ram");
    virJSONAddString(props, "id", wanted->id);
    virJSONAddString(props, "mem-path", wanted->path);
    virJSONAddTrue(props, "share", wanted->access == 1);
    if (wanted->sparse)
        virJSONAddBool(props, "reserve", false);
    virJSONAddUInt(props, "size", wanted->sizeKiB * 1024);
    return props;
}

static void
sceneTouches(const Scene *scene, const qemuBuildContext *ctx, GString *out)
{
    g_autoptr(virHostAccess) access = virHostAccessNew();

    for (guint i = 0; i < scene->devices->len; i++) {
        virDevice *dev = g_ptr_array_index(scene->devices, i);

        if (virDeviceQemuOf(dev)->touches)
            virDeviceQemuOf(dev)->touches(dev, ctx, access);
    }
    for (guint i = 0; i < access->resources->len; i++) {
        const virHostResource *r = g_ptr_array_index(access->resources, i);

        g_string_append_printf(out, "# touches %s %s%s%s%s%s\n", r->path,
                               r->mode & VIR_HOST_READ ? "r" : "",
                               r->mode & VIR_HOST_WRITE ? "w" : "", r->node ? " node" : "",
                               r->own ? " own" : "", r->optional ? " optional" : "");
    }
}

static unsigned
goldenBlockNode(void *opaque)
{
    return ++*(unsigned *)opaque;
}

static unsigned
goldenPort(unsigned wanted, const char *alias, void *opaque, GError **error)
{
    return wanted ? wanted : 5900;
}

static uint64_t
goldenContextId(uint64_t wanted, void *opaque, GError **error)
{
    return wanted ? wanted : 3;
}

static char *
goldenScsiGeneric(const char *adapter, unsigned bus, unsigned target, uint64_t unit, void *opaque,
                  GError **error)
{
    return g_strdup("/dev/sg0");
}

static bool
goldenUsbDevice(unsigned vendor, unsigned product, unsigned *retBus, unsigned *retDevice,
                void *opaque, GError **error)
{
    *retBus = 3;
    *retDevice = 4;
    return true;
}

static bool
sceneClaim(const Scene *scene, const qemuBuildContext *ctx, GError **error)
{
    unsigned lastNode = 0;
    const qemuClaims claims = {goldenPort, goldenContextId,   goldenBlockNode,
                               &lastNode,  goldenScsiGeneric, goldenUsbDevice};

    return qemuDevicesClaim(scene->devices, ctx, &claims, error);
}

static bool
scenePlan(const Scene *scene, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    for (const virDeviceQemu *const *qemu = virDeviceQemus; *qemu; qemu++) {
        virDevicesForEach(scene->devices, (*qemu)->kind, dev)
        {
            if ((*qemu)->build && !(*qemu)->build(dev, ctx, plan, error))
                return false;
        }
    }
    return true;
}

static void
goldenCommand(GString *out, const char *mark, const char *command, virJSON *arguments)
{
    g_autofree char *text = arguments ? virJSONPrint(arguments) : g_strdup("");

    g_string_append_printf(out, "%s %s %s\n", mark, command, text);
}

static void
sceneAfterStart(const Scene *scene, const qemuBuildContext *ctx, GString *out)
{
    g_autoptr(qmpPlan) plan = qmpPlanNew(scene->caps);

    for (guint i = 0; i < scene->devices->len; i++) {
        const virDevice *dev = g_ptr_array_index(scene->devices, i);
        g_autoptr(GError) error = NULL;

        if (virDeviceQemuOf(dev)->afterStart)
            (void)virDeviceQemuOf(dev)->afterStart(dev, ctx, plan, &error);
        g_assert_no_error(error);
    }
    for (size_t i = 0; i < qmpPlanLength(plan); i++) {
        const qmpStep *step = qmpPlanStep(plan, i);

        goldenCommand(out, ">", step->command, step->props);
    }
}

static char *
sceneArgv(const Scene *scene, GError **error)
{
    qemuBuildContext ctx = {.facts = &scene->facts,
                            .caps = scene->caps,
                            .config = &config,
                            .memoryBackend = goldenMemoryBackend};
    g_autoptr(qmpPlan) plan = qmpPlanNew(scene->caps);
    g_autoptr(GPtrArray) argv = NULL;
    g_autoptr(GPtrArray) env = NULL;
    GString *out;

    if (!sceneClaim(scene, &ctx, error) || !scenePlan(scene, &ctx, plan, error))
        return NULL;
    argv = qmpPlanArgv(plan, goldenFdName, NULL);
    env = qmpPlanEnvironment(plan);
    out = g_string_new(NULL);
    for (guint i = 0; i < env->len; i++)
        g_string_append_printf(out, "%s\n", (char *)g_ptr_array_index(env, i));
    for (guint i = 0; i < argv->len; i++) {
        const char *word = g_ptr_array_index(argv, i);

        g_string_append_printf(out, "%s%s",
                               word[0] == '-' && i > 0 ? "\n"
                               : i > 0                 ? " "
                                                       : "",
                               word);
    }
    if (argv->len > 0)
        g_string_append_c(out, '\n');
    sceneAfterStart(scene, &ctx, out);
    sceneTouches(scene, &ctx, out);
    return g_string_free(out, FALSE);
}

static char *
planQMP(const qmpPlan *plan)
{
    GString *out = g_string_new(NULL);

    for (size_t i = 0; i < qmpPlanLength(plan); i++) {
        const qmpStep *step = qmpPlanStep(plan, i);
        g_autoptr(virJSON) arguments = NULL;

        if (!qmpPlanStepCommand(step))
            continue;
        arguments = qmpPlanStepArguments(step, goldenFdName, NULL);
        goldenCommand(out, ">", qmpPlanStepCommand(step), arguments);
    }
    for (size_t i = qmpPlanLength(plan); i > 0; i--) {
        g_autoptr(virJSON) arguments = NULL;
        const char *undo = qmpPlanStepUndo(qmpPlanStep(plan, i - 1), &arguments);

        if (undo)
            goldenCommand(out, "<", undo, arguments);
    }
    return g_string_free(out, FALSE);
}

static char *
sceneQMP(const Scene *scene, GError **error)
{
    qemuBuildContext ctx = {.facts = &scene->facts,
                            .caps = scene->caps,
                            .config = &config,
                            .hotplug = true,
                            .memoryBackend = goldenMemoryBackend};
    g_autoptr(qmpPlan) plan = qmpPlanNew(scene->caps);

    for (guint i = 0; i < scene->devices->len; i++) {
        virDevice *dev = g_ptr_array_index(scene->devices, i);
        const virDeviceQemu *qemu = virDeviceQemuOf(dev);

        if (qemu->hotpluggable && !qemu->hotpluggable(dev, &ctx, error))
            return NULL;
    }
    return scenePlan(scene, &ctx, plan, error) ? planQMP(plan) : NULL;
}

/* --- comparing --- */

static bool
goldenExists(const char *base, const char *suffix)
{
    g_autofree char *path = g_strconcat(base, suffix, NULL);

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static char *
goldenRead(const char *base, const char *suffix)
{
    g_autofree char *path = g_strconcat(base, suffix, NULL);
    g_autoptr(GError) error = NULL;
    char *text = virFileRead(path, GOLDEN_MAX, NULL, &error);

    g_assert_no_error(error);
    return text;
}

static bool
goldenRewrites(void)
{
    return g_strcmp0(g_getenv("VIRTWARD_GOLDEN_REWRITE"), "1") == 0;
}

static void
goldenIs(const char *base, const char *suffix, const char *is)
{
    g_autofree char *path = g_strconcat(base, suffix, NULL);
    g_autofree char *want = NULL;

    if (goldenRewrites()) {
        g_assert_true(g_file_set_contents(path, is, -1, NULL));
        return;
    }
    want = goldenRead(base, suffix);
    if (!g_str_equal(want, is))
        g_test_message("%s is:\n%s", path, is);
    g_assert_cmpstr(is, ==, want);
}

static void
goldenIsDocument(const char *base, const char *xml, const char *is)
{
    const char *body = g_str_has_prefix(xml, "<!--") ? strchr(xml, '\n') + 1 : xml;

    if (goldenRewrites() ? !g_str_equal(body, is) : goldenExists(base, ".out.xml"))
        goldenIs(base, ".out.xml", is);
    else
        g_assert_cmpstr(is, ==, body);
}

static void
goldenIsRefused(const char *base, const GError *error)
{
    g_autofree char *message = virErrorWireMessage(error);
    g_autofree char *line = g_strconcat(message, "\n", NULL);

    goldenIs(base, ".err", line);
}

static void
testGolden(const void *opaque)
{
    const char *base = opaque;
    g_autofree char *xml = goldenRead(base, ".xml");
    g_autofree char *out = NULL;
    g_autofree char *argv = NULL;
    g_autofree char *qmp = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(xmlDoc) doc = virXMLParse(xml, -1, "golden", &error);
    g_auto(Scene) scene = {0};

    g_assert_no_error(error);
    sceneInit(&scene, xml);
    if (!sceneParse(&scene, xmlDocGetRootElement(doc), &error) || !sceneComplete(&scene, &error)) {
        goldenIsRefused(base, error);
        return;
    }
    g_assert_false(goldenExists(base, ".err"));
    out = sceneFormat(&scene);
    goldenIsDocument(base, xml, out);
    sceneAlias(&scene);
    argv = sceneArgv(&scene, &error);
    g_assert_no_error(error);
    goldenIs(base, ".argv", argv);
    qmp = sceneQMP(&scene, &error);
    if (qmp)
        goldenIs(base, ".qmp", qmp);
    else
        g_assert_false(goldenExists(base, ".qmp"));
}

static void
goldenAddFolder(const char *folder, const char *kind)
{
    g_autofree char *path = g_build_filename(folder, kind, "golden", NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *base = g_strndup(name, strcspn(name, "."));
        g_autofree char *test = g_strdup_printf("/golden/%s/%s", kind, base);

        if (g_str_has_suffix(name, ".xml") && !g_str_has_suffix(name, ".out.xml"))
            g_test_add_data_func_full(test, g_build_filename(path, base, NULL), testGolden, g_free);
    }
}

int
main(int argc, char **argv)
{
    g_autofree char *folder = g_build_filename(g_getenv("G_TEST_SRCDIR"), "src", "device", NULL);
    g_autoptr(GDir) dir = NULL;
    const char *kind;

    g_test_init(&argc, &argv, NULL);
    virXMLInit();
    dir = g_dir_open(folder, 0, NULL);
    g_assert_nonnull(dir);
    while ((kind = g_dir_read_name(dir)))
        goldenAddFolder(folder, kind);
    return g_test_run();
}
