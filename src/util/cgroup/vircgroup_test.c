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
                         "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
                         "30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 "
                         "rw,nsdelegate,memory_recursiveprot\n");
    g_assert_cmpstr(mounts.v2, ==, "/sys/fs/cgroup");
    for (int i = 0; i < VIR_CGROUP_CONTROLLER_LAST; i++)
        g_assert_null(mounts.v1[i]);
}

static void
testHybridIsFound(void)
{
    g_auto(virCgroupMounts) mounts = {0};

    virCgroupMountsParse(
        &mounts,
        "29 22 0:25 / /sys/fs/cgroup ro shared:8 - tmpfs tmpfs ro,mode=755\n"
        "30 29 0:26 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
        "35 29 0:31 / /sys/fs/cgroup/cpu,cpuacct rw shared:16 - cgroup cgroup rw,cpu,cpuacct\n"
        "36 29 0:32 / /sys/fs/cgroup/devices rw shared:17 master:3 - cgroup cgroup rw,devices\n"
        "37 29 0:33 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n");
    g_assert_cmpstr(mounts.v2, ==, "/sys/fs/cgroup/unified");
    g_assert_cmpstr(mounts.v1[VIR_CGROUP_CONTROLLER_CPU], ==, "/sys/fs/cgroup/cpu,cpuacct");
    g_assert_cmpstr(mounts.v1[VIR_CGROUP_CONTROLLER_CPUACCT], ==, "/sys/fs/cgroup/cpu,cpuacct");
    g_assert_cmpstr(mounts.v1[VIR_CGROUP_CONTROLLER_DEVICES], ==, "/sys/fs/cgroup/devices");
    g_assert_null(mounts.v1[VIR_CGROUP_CONTROLLER_MEMORY]);
}

static void
testOddLinesAreLeftOut(void)
{
    g_auto(virCgroupMounts) mounts = {0};

    virCgroupMountsParse(&mounts, "\n30 29 0:26 / /a\\040b\\134c rw - cgroup2 cgroup2 rw\n"
                                  "31 29 0:26 / /second rw - cgroup2 cgroup2 rw\n"
                                  "32 29 0:26 / /cut rw -\n"
                                  "33 29\n - - - - - - - - \n");
    g_assert_cmpstr(mounts.v2, ==, "/a b\\c");
}

static void
testNamesBecomeFolders(void)
{
    g_autoptr(virCgroupInstance) instance =
        virCgroupInstanceNewAt("test", &virCgroupFakeBackend, "/x");
    static const struct {
        const char *name;
        const char *path;
    } cases[] = {
        {"1-web1", "/x/virtward-test/1-web1/guest"},
        {"2-a b/../c", "/x/virtward-test/2-a\\x20b\\x2f..\\x2fc/guest"},
        {"..", "/x/virtward-test/\\x2e./guest"},
        {"3-\xc3\xbc", "/x/virtward-test/3-\xc3\xbc/guest"},
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
        virCgroupInstanceNewAt("test", &virCgroupFakeBackend, folder);
    g_autoptr(virCgroup) group = virCgroupNew(instance, "1-web1");
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
    g_assert_false(virCgroupInstanceRemove(instance, &error)); /* a guest is in it */
    g_clear_error(&error);
    g_assert_true(virCgroupRemove(group, 0, &error));
    g_assert_true(virCgroupRemove(group, 0, &error)); /* gone already */
    g_assert_true(virCgroupInstanceRemove(instance, &error));
    g_assert_cmpint(g_rmdir(folder), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cgroup/pure v2 is found", testPureV2IsFound);
    g_test_add_func("/cgroup/hybrid is found", testHybridIsFound);
    g_test_add_func("/cgroup/odd lines are left out", testOddLinesAreLeftOut);
    g_test_add_func("/cgroup/names become folders", testNamesBecomeFolders);
    g_test_add_func("/cgroup/instances of two folders differ", testInstancesOfTwoFoldersDiffer);
    g_test_add_func("/cgroup/groups are made, listed and removed",
                    testGroupsAreMadeListedAndRemoved);
    return g_test_run();
}
