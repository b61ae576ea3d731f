/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircgrouplimit_test.c: the file, form and range of limits on both versions, in a folder that
 * stands for cgroupfs. No rights. */
#include "util/cgroup/vircgrouplimit.h"

#include <glib/gstdio.h>
#include <string.h>

#include "util/cgroup/vircgroupbackend.h"
#include "util/virerror.h"

typedef struct {
    char *folder;
    virCgroupInstance *instance;
    virCgroup *group;
} testGroup;

/* A guest's group on the version, with nothing in it. */
static testGroup *
testGroupNew(const virCgroupBackend *backend)
{
    testGroup *test = g_new0(testGroup, 1);
    g_autofree char *path = NULL;

    test->folder = g_dir_make_tmp("virtward-limit-XXXXXX", NULL);
    test->instance =
        virCgroupInstanceNewAt("test", backend, test->folder, VIR_CGROUP_GUEST_CONTROLLERS);
    test->group = virCgroupNew(test->instance, "1-web1");
    path = virCgroupPartPath(test->group, VIR_CGROUP_CONTROLLER_CPU, NULL);
    g_assert_cmpint(g_mkdir_with_parents(path, 0755), ==, 0);
    return test;
}

static void
testRemoveFolder(const char *path)
{
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    const char *name;

    while (folder && (name = g_dir_read_name(folder))) {
        g_autofree char *below = g_build_filename(path, name, NULL);

        testRemoveFolder(below);
    }
    g_assert_cmpint(g_remove(path), ==, 0);
}

static void
testGroupFree(testGroup *test)
{
    testRemoveFolder(test->folder);
    virCgroupUnref(test->group);
    virCgroupInstanceUnref(test->instance);
    g_free(test->folder);
    g_free(test);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(testGroup, testGroupFree)

/* A file of the guest's group, as the kernel would show it. */
static void
testFile(const testGroup *test, const char *file, const char *text)
{
    g_autofree char *folder = virCgroupPartPath(test->group, VIR_CGROUP_CONTROLLER_CPU, NULL);
    g_autofree char *path = g_build_filename(folder, file, NULL);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void
testAssertSetting(const testGroup *test, virCgroupLimit limit, int64_t value, const char *file,
                  const char *text)
{
    g_auto(virCgroupSetting) setting = {0};
    g_autoptr(GError) error = NULL;

    virCgroupSettingNumber(test->group, NULL, limit, value, &setting, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(setting.file, ==, file);
    g_assert_cmpstr(setting.text, ==, text);
}

static void
testAssertRefused(const testGroup *test, virCgroupLimit limit, int64_t value, const char *message)
{
    virCgroupSetting setting;
    g_autoptr(GError) error = NULL;

    g_assert_false(virCgroupSettingNumber(test->group, NULL, limit, value, &setting, &error));
    g_assert_true(virErrorIs(error, VIR_ERR_INVALID_ARG));
    g_assert_cmpstr(error->message, ==, message);
}

static void
testAssertReads(const testGroup *test, virCgroupLimit limit, int64_t expected)
{
    g_autoptr(GError) error = NULL;
    int64_t value = 0;

    virCgroupGetNumber(test->group, NULL, limit, &value, &error);
    g_assert_no_error(error);
    g_assert_cmpint(value, ==, expected);
}

static void
testLimitsOfV1(void)
{
    g_autoptr(testGroup) test = testGroupNew(&virCgroupV1Backend);

    testAssertSetting(test, VIR_CGROUP_CPU_SHARES, 2048, "cpu.shares", "2048");
    testAssertSetting(test, VIR_CGROUP_CPU_PERIOD, 50000, "cpu.cfs_period_us", "50000");
    testAssertSetting(test, VIR_CGROUP_CPU_QUOTA, 25000, "cpu.cfs_quota_us", "25000");
    testAssertSetting(test, VIR_CGROUP_CPU_QUOTA, -7, "cpu.cfs_quota_us", "-1");
    testAssertSetting(test, VIR_CGROUP_MEMORY_HARD, 1024, "memory.limit_in_bytes", "1048576");
    testAssertSetting(test, VIR_CGROUP_MEMORY_SWAP, 2048, "memory.memsw.limit_in_bytes", "2097152");
    testAssertSetting(test, VIR_CGROUP_MEMORY_SOFT, (int64_t)VIR_CGROUP_MEMORY_UNLIMITED,
                      "memory.soft_limit_in_bytes", "-1");
    testAssertSetting(test, VIR_CGROUP_FROZEN, 1, "freezer.state", "FROZEN");
    testAssertSetting(test, VIR_CGROUP_BLKIO_WEIGHT, 500, "blkio.weight", "500");
    testFile(test, "blkio.bfq.weight", "100\n");
    testAssertSetting(test, VIR_CGROUP_BLKIO_WEIGHT, 500, "blkio.bfq.weight", "500");
    testAssertReads(test, VIR_CGROUP_BLKIO_WEIGHT, 100);
    testFile(test, "memory.limit_in_bytes", "9223372036854771712\n");
    testAssertReads(test, VIR_CGROUP_MEMORY_HARD, (int64_t)VIR_CGROUP_MEMORY_UNLIMITED);
    testFile(test, "cpu.cfs_quota_us", "-1\n");
    testAssertReads(test, VIR_CGROUP_CPU_QUOTA, VIR_CGROUP_NO_QUOTA);
}

static void
testLimitsOfV2(void)
{
    g_autoptr(testGroup) test = testGroupNew(&virCgroupV2Backend);

    testAssertSetting(test, VIR_CGROUP_CPU_SHARES, 200, "cpu.weight", "200");
    testFile(test, "cpu.max", "max 100000\n");
    testAssertSetting(test, VIR_CGROUP_CPU_QUOTA, 25000, "cpu.max", "25000 100000");
    testAssertSetting(test, VIR_CGROUP_CPU_PERIOD, 50000, "cpu.max", "max 50000");
    testAssertReads(test, VIR_CGROUP_CPU_QUOTA, VIR_CGROUP_NO_QUOTA);
    testFile(test, "cpu.max", "25000 50000\n");
    testAssertSetting(test, VIR_CGROUP_CPU_QUOTA, -1, "cpu.max", "max 50000");
    testAssertReads(test, VIR_CGROUP_CPU_PERIOD, 50000);
    testAssertSetting(test, VIR_CGROUP_MEMORY_HARD, (int64_t)VIR_CGROUP_MEMORY_UNLIMITED,
                      "memory.max", "max");
    testAssertSetting(test, VIR_CGROUP_BLKIO_WEIGHT, 500, "io.weight", "default 500");
    testFile(test, "io.weight", "default 500\n8:0 100\n");
    testAssertReads(test, VIR_CGROUP_BLKIO_WEIGHT, 500);
    testAssertSetting(test, VIR_CGROUP_FROZEN, 1, "cgroup.freeze", "1");
}

static void
testSwapOfV2IsTheSumWithoutMemory(void)
{
    g_autoptr(testGroup) test = testGroupNew(&virCgroupV2Backend);

    testFile(test, "memory.max", "1048576\n");
    testAssertSetting(test, VIR_CGROUP_MEMORY_SWAP, 4096, "memory.swap.max", "3145728");
    testFile(test, "memory.swap.max", "3145728\n");
    testAssertReads(test, VIR_CGROUP_MEMORY_SWAP, 4096);
    testAssertRefused(test, VIR_CGROUP_MEMORY_SWAP, 512,
                      "memory hard_limit tunable value must be lower than or equal to "
                      "swap_hard_limit");
    testFile(test, "memory.swap.max", "max\n");
    testAssertReads(test, VIR_CGROUP_MEMORY_SWAP, (int64_t)VIR_CGROUP_MEMORY_UNLIMITED);
}

static void
testRefusedWeightsAreExplained(void)
{
    g_autoptr(testGroup) v1 = testGroupNew(&virCgroupV1Backend);
    g_autoptr(testGroup) v2 = testGroupNew(&virCgroupV2Backend);

    testAssertRefused(v2, VIR_CGROUP_CPU_SHARES, 20480,
                      "shares '20480' must be in range [1, 10000]: this host has cgroup v2, where "
                      "20480 of cgroup v1 is 2000");
    testAssertRefused(v1, VIR_CGROUP_CPU_SHARES, 1,
                      "shares '1' must be in range [2, 262144]: this host has cgroup v1, where 1 "
                      "of cgroup v2 is 10");
    testAssertRefused(v1, VIR_CGROUP_BLKIO_WEIGHT, 5000,
                      "blkio weight '5000' must be in range [1, 1000]: this host has cgroup v1, "
                      "where 5000 of cgroup v2 is 1000");
    testAssertRefused(v2, VIR_CGROUP_CPU_SHARES, 1000000,
                      "shares '1000000' must be in range [1, 10000]");
    testAssertRefused(v2, VIR_CGROUP_CPU_PERIOD, 999,
                      "cfs_period '999' must be in range (1000, 1000000)");
}

static void
testWhatIsReadBackIsCompared(void)
{
    static const struct {
        virCgroupController controller;
        const char *wrote, *read;
        bool holds;
    } cases[] = {
        {VIR_CGROUP_CONTROLLER_MEMORY, "1048577", "1048576", true},
        {VIR_CGROUP_CONTROLLER_MEMORY, "1048576", "2097152", false},
        {VIR_CGROUP_CONTROLLER_MEMORY, "-1", "9223372036854771712", true},
        {VIR_CGROUP_CONTROLLER_CPU, "100", "101", false},
        {VIR_CGROUP_CONTROLLER_CPUSET, "0,1,2", "0-2", true},
        {VIR_CGROUP_CONTROLLER_CPUSET, "0", "0-2", false},
        {VIR_CGROUP_CONTROLLER_BLKIO, "default 200", "default 200\n8:0 10", true},
        {VIR_CGROUP_CONTROLLER_BLKIO, "8:0 rbps=5", "8:0 rbps=5 wbps=max", true},
        {VIR_CGROUP_CONTROLLER_BLKIO, "8:0 rbps=5", "8:0 rbps=6 wbps=max", false},
        {VIR_CGROUP_CONTROLLER_BLKIO, "8:0 rbps=5", "18:0 rbps=5", false},
        {VIR_CGROUP_CONTROLLER_BLKIO, "8:0 rbps=max", "", true},
        {VIR_CGROUP_CONTROLLER_BLKIO, "8:0 0", "8:16 7", true},
        {VIR_CGROUP_CONTROLLER_BLKIO, "8:0 7", "8:0 7", true},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        virCgroupSetting setting = {.controller = cases[i].controller,
                                    .text = (char *)cases[i].wrote};

        g_assert_cmpint(virCgroupSettingHolds(&setting, cases[i].read), ==, cases[i].holds);
    }
}

static void
testPartsHaveFoldersOfTheirOwn(void)
{
    g_autoptr(testGroup) test = testGroupNew(&virCgroupV2Backend);
    const virCgroupPart vcpu = {VIR_CGROUP_PART_VCPU, 3};
    g_autofree char *cpu = virCgroupPartPath(test->group, VIR_CGROUP_CONTROLLER_CPU, &vcpu);
    g_autofree char *memory = virCgroupPartPath(test->group, VIR_CGROUP_CONTROLLER_MEMORY, &vcpu);

    g_assert_true(g_str_has_suffix(cpu, "/virtward-test/1-web1/guest/vcpu3"));
    g_assert_null(memory);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cgroup-limit/limits of v1", testLimitsOfV1);
    g_test_add_func("/cgroup-limit/limits of v2", testLimitsOfV2);
    g_test_add_func("/cgroup-limit/swap of v2 is the sum without memory",
                    testSwapOfV2IsTheSumWithoutMemory);
    g_test_add_func("/cgroup-limit/refused weights are explained", testRefusedWeightsAreExplained);
    g_test_add_func("/cgroup-limit/what is read back is compared", testWhatIsReadBackIsCompared);
    g_test_add_func("/cgroup-limit/parts have folders of their own",
                    testPartsHaveFoldersOfTheirOwn);
    return g_test_run();
}
