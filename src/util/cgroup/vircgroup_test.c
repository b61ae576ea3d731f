/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircgroup_test.c: mounts, names and the fake hierarchy. No rights. */
#include "util/cgroup/vircgroup.h"

#include <glib/gstdio.h>
#include <string.h>

#include "util/cgroup/vircgroupbackend.h"
#include "util/virerror.h"

static void
testPureV2IsFound(void)
{
    g_auto(virCgroupMounts) mounts = {0};

    virCgroupMountsParse(&mounts,
                         "/dev/sda1 / ext4 rw 0 0\n"
                         "cgroup2 /sys/fs/cgroup cgroup2 rw,nsdelegate,memory_recursiveprot 0 0\n");
    g_assert_cmpstr(mounts.v2, ==, "/sys/fs/cgroup");
    for (int i = 0; i < VIR_CGROUP_CONTROLLER_LAST; i++)
        g_assert_null(mounts.v1[i]);
}

static void
testHybridIsFound(void)
{
    g_auto(virCgroupMounts) mounts = {0};

    virCgroupMountsParse(&mounts,
                         "tmpfs /sys/fs/cgroup tmpfs ro,mode=755 0 0\n"
                         "cgroup2 /sys/fs/cgroup/unified cgroup2 rw,nsdelegate 0 0\n"
                         "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0\n"
                         "cgroup /sys/fs/cgroup/devices cgroup rw,devices 0 0\n"
                         "cgroup /sys/fs/cgroup/systemd cgroup rw,xattr,name=systemd 0 0\n");
    g_assert_cmpstr(mounts.v2, ==, "/sys/fs/cgroup/unified");
    g_assert_cmpstr(mounts.v1[VIR_CGROUP_CONTROLLER_CPU], ==, "/sys/fs/cgroup/cpu,cpuacct");
    g_assert_cmpstr(mounts.v1[VIR_CGROUP_CONTROLLER_CPUACCT], ==, "/sys/fs/cgroup/cpu,cpuacct");
    g_assert_cmpstr(mounts.v1[VIR_CGROUP_CONTROLLER_DEVICES], ==, "/sys/fs/cgroup/devices");
    g_assert_null(mounts.v1[VIR_CGROUP_CONTROLLER_MEMORY]);
    virCgroupMountsOffer(&mounts, "io memory\n", /* devices: */ true);
    g_assert_null(mounts.v1[VIR_CGROUP_CONTROLLER_DEVICES]); /* v2 has them */
    g_assert_nonnull(mounts.v1[VIR_CGROUP_CONTROLLER_CPU]);
    g_assert_cmpuint(mounts.v2Controllers, ==,
                     1u << VIR_CGROUP_CONTROLLER_BLKIO | 1u << VIR_CGROUP_CONTROLLER_MEMORY |
                         1u << VIR_CGROUP_CONTROLLER_DEVICES);
}

static void
testOddLinesAreLeftOut(void)
{
    g_auto(virCgroupMounts) mounts = {0};

    virCgroupMountsParse(&mounts, "\ncgroup2 /first cgroup2 rw 0 0\n"
                                  "cgroup2 /a\\040b\\134c cgroup2 rw 0 0\n"
                                  "cgroup2 /cut cgroup2\n"
                                  "cgroup\n   \n");
    g_assert_cmpstr(mounts.v2, ==, "/a b\\c");
}

static void
testRemoveTree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *below = g_build_filename(path, name, NULL);

        testRemoveTree(below);
    }
    g_assert_cmpint(g_rmdir(path), ==, 0);
}

static void
testNamesBecomeFolders(void)
{
    g_autoptr(virCgroupInstance) instance =
        virCgroupInstanceNewAt("test", &virCgroupFakeBackend, "/x", VIR_CGROUP_GUEST_CONTROLLERS);
    static const struct {
        const char *name;
        const char *path;
    } cases[] = {
        {"1-web1", "/x/virtward-test/1-web1/guest"},
        {"2-a b/../c", "/x/virtward-test/2-a\\x20b\\x2f..\\x2fc/guest"},
        {"..", "/x/virtward-test/\\x2e./guest"},
        {"3-\xc3\xbc", "/x/virtward-test/3-\xc3\xbc/guest"},
        {"/prod/web/4-a", "/x/virtward-test/prod.partition/web.partition/4-a/guest"},
    };
    g_autofree char *longName = g_strnfill(1000, 'x');
    g_autoptr(virCgroup) first = virCgroupNew(instance, longName);
    g_autoptr(virCgroup) second = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(virCgroup) group = virCgroupNew(instance, cases[i].name);

        g_assert_cmpstr(virCgroupPath(group), ==, cases[i].path);
    }
    longName[999] = 'y';
    second = virCgroupNew(instance, longName);
    g_assert_cmpuint(strlen(virCgroupPath(first)), <, 255);
    g_assert_cmpstr(virCgroupPath(first), !=, virCgroupPath(second));
}

static void
testPartitionsArePartOfNames(void)
{
    static const char *const cases[][2] = {
        {NULL, "1-a"}, {"/machine", "1-a"}, {"/prod/web/", "/prod/web/1-a"}};

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = virCgroupNameIn(cases[i][0], "1-a");

        g_assert_cmpstr(name, ==, cases[i][1]);
    }
}

static void
testScopesAreNamedAndFound(void)
{
    static const char scope[] = "machine.slice/machine-a.slice/machine-qemu\\x2dembed\\x2dtest"
                                "\\x2d3\\x2dweb.scope";
    g_autofree char *folder = g_dir_make_tmp("virtward-scopes-XXXXXX", NULL);
    g_autofree char *leaf = g_build_filename(folder, scope, "virtward-test", "guest", NULL);
    g_autofree char *foreign =
        g_build_filename(folder, "machine.slice", "machine-x.scope", "libvirt", NULL);
    g_autoptr(virCgroupInstance) instance =
        virCgroupInstanceNewAt("test", &virCgroupFakeBackend, folder, VIR_CGROUP_GUEST_CONTROLLERS);
    g_autofree char *plain = virCgroupNameFor(instance, "/machine/a", 3, "web");
    g_autofree char *name = NULL;
    g_autoptr(virCgroup) group = NULL;
    g_autoptr(GPtrArray) names = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_cmpstr(plain, ==, "/machine/a/3-web");
    virCgroupInstanceSetManager(instance, VIR_SYSTEMD_SCOPES);
    name = virCgroupNameFor(instance, "/machine/a", 3, "web");
    g_assert_cmpstr(name, ==, scope);
    group = virCgroupNew(instance, name);
    g_assert_true(virCgroupIsScope(group));
    g_assert_cmpstr(virCgroupPath(group), ==, leaf);
    g_assert_cmpint(g_mkdir_with_parents(leaf, 0700), ==, 0);
    g_assert_cmpint(g_mkdir_with_parents(foreign, 0700), ==, 0);
    names = virCgroupInstanceList(instance, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(names->len, ==, 1);
    g_assert_cmpstr(names->pdata[0], ==, scope);
    testRemoveTree(folder);
}

static void
testExpectFolders(const virCgroup *group, const virCgroupPart *part, const char *expected)
{
    g_autoptr(GPtrArray) folders = virCgroupFolders(group, part);
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < folders->len; i++) {
        const virCgroupFolder *folder = g_ptr_array_index(folders, i);

        g_assert_true(g_str_has_prefix(folder->path, folder->parent));
        g_string_append_printf(text, "%d%s ", (int)folder->kind,
                               folder->path + strlen(folder->parent));
    }
    g_assert_cmpstr(text->str, ==, expected);
}

static void
testFoldersInOrder(void)
{
    const virCgroupPart vcpu = {VIR_CGROUP_PART_VCPU, 3};
    g_autoptr(virCgroupInstance) all =
        virCgroupInstanceNewAt("test", &virCgroupFakeBackend, "/x", VIR_CGROUP_GUEST_CONTROLLERS);
    g_autoptr(virCgroupInstance) none =
        virCgroupInstanceNewAt("test", &virCgroupFakeBackend, "/x", 0);
    g_autoptr(virCgroup) group = virCgroupNew(all, "/prod/fast/1-web");
    g_autoptr(virCgroup) plain = virCgroupNew(none, "1-web");

    G_STATIC_ASSERT(VIR_CGROUP_FOLDER_SHARED == 1 && VIR_CGROUP_FOLDER_PART == 4);
    testExpectFolders(group, NULL,
                      "1/virtward-test 1/prod.partition 1/fast.partition 2/1-web 3/guest ");
    testExpectFolders(group, &vcpu, "4/vcpu3 ");
    testExpectFolders(plain, NULL, "1/virtward-test 2/1-web 3/guest ");
    testExpectFolders(plain, &vcpu, ""); /* nothing there tells threads apart */
}

static void
testInstancesOfTwoFoldersDiffer(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virCgroupInstance) system = virCgroupInstanceNew(NULL, &error);
    g_autoptr(virCgroupInstance) tmp = virCgroupInstanceNew("/tmp", &error);
    g_autoptr(virCgroupInstance) same = virCgroupInstanceNew("/usr/../tmp/", &error);
    g_autoptr(virCgroupInstance) other = virCgroupInstanceNew("/usr", &error);

    g_assert_no_error(error);
    g_assert_true(
        g_str_has_prefix(virCgroupInstanceName(system), geteuid() == 0 ? "system" : "session-"));
    g_assert_cmpstr(virCgroupInstanceName(tmp), ==, virCgroupInstanceName(same));
    g_assert_cmpstr(virCgroupInstanceName(tmp), !=, virCgroupInstanceName(other));
}

static void
testGroupsAreMadeListedAndRemoved(void)
{
    g_autofree char *folder = g_dir_make_tmp("virtward-cgroup-XXXXXX", NULL);
    g_autoptr(virCgroupInstance) instance =
        virCgroupInstanceNewAt("test", &virCgroupFakeBackend, folder, VIR_CGROUP_GUEST_CONTROLLERS);
    g_autoptr(virCgroup) group = virCgroupNew(instance, "1-web1");
    g_autoptr(virCgroup) other = virCgroupNew(instance, "/prod/2-web1");
    g_autoptr(virCgroup) found = NULL;
    g_autoptr(GPtrArray) names = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_null(virCgroupOpen(instance, "1-web1", &error));
    g_assert_true(virErrorIs(error, VIR_ERR_OPERATION_FAILED));
    g_clear_error(&error);
    g_assert_true(virCgroupInstanceMake(instance, &error));
    g_assert_true(virCgroupMake(group, &error));
    g_assert_cmpint(virCgroupCloneFd(group), >=, 0);
    found = virCgroupOpen(instance, "1-web1", &error);
    g_assert_no_error(error);
    names = virCgroupInstanceList(instance, &error);
    g_assert_cmpuint(names->len, ==, 1);
    g_assert_cmpstr(names->pdata[0], ==, "1-web1");
    g_assert_true(virCgroupMake(other, &error));
    g_clear_pointer(&names, g_ptr_array_unref);
    names = virCgroupInstanceList(instance, &error);
    g_assert_cmpuint(names->len, ==, 2);
    g_assert_true(g_ptr_array_find_with_equal_func(names, "/prod/2-web1", g_str_equal, NULL));
    g_assert_true(virCgroupRemove(other, 0, &error));          /* and its partition with it */
    g_assert_false(virCgroupInstanceRemove(instance, &error)); /* a guest is in it */
    g_clear_error(&error);
    g_assert_true(virCgroupRemove(group, 0, &error));
    g_assert_true(virCgroupRemove(group, 0, &error)); /* gone already */
    g_assert_true(virCgroupInstanceRemove(instance, &error));
    g_assert_cmpint(g_rmdir(folder), ==, 0);
}

static void
testControllersAreLeftOut(void)
{
    g_autoptr(virCgroupInstance) instance =
        virCgroupInstanceNewAt("test", &virCgroupFakeBackend, "/x", VIR_CGROUP_GUEST_CONTROLLERS);

    virCgroupInstanceRestrict(instance, 1u << VIR_CGROUP_CONTROLLER_MEMORY |
                                            1u << VIR_CGROUP_CONTROLLER_CPUACCT);
    g_assert_true(virCgroupInstanceHasController(instance, VIR_CGROUP_CONTROLLER_MEMORY));
    g_assert_false(virCgroupInstanceHasController(instance, VIR_CGROUP_CONTROLLER_CPU));
    g_assert_false(virCgroupInstanceHasController(instance, VIR_CGROUP_CONTROLLER_CPUSET));
    /* one hierarchy with cpu, and the gate's */
    g_assert_false(virCgroupInstanceHasController(instance, VIR_CGROUP_CONTROLLER_CPUACCT));
    g_assert_true(virCgroupInstanceHasController(instance, VIR_CGROUP_CONTROLLER_DEVICES));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cgroup/pure v2 is found", testPureV2IsFound);
    g_test_add_func("/cgroup/hybrid is found", testHybridIsFound);
    g_test_add_func("/cgroup/odd lines are left out", testOddLinesAreLeftOut);
    g_test_add_func("/cgroup/names become folders", testNamesBecomeFolders);
    g_test_add_func("/cgroup/partitions are part of names", testPartitionsArePartOfNames);
    g_test_add_func("/cgroup/folders come from the outermost inwards", testFoldersInOrder);
    g_test_add_func("/cgroup/scopes are named and found", testScopesAreNamedAndFound);
    g_test_add_func("/cgroup/instances of two folders differ", testInstancesOfTwoFoldersDiffer);
    g_test_add_func("/cgroup/groups are made, listed and removed",
                    testGroupsAreMadeListedAndRemoved);
    g_test_add_func("/cgroup/controllers are left out", testControllersAreLeftOut);
    return g_test_run();
}
