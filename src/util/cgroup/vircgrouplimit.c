/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircgrouplimit.c: limits as rows: the file of each version and the form of its value. See
 * vircgrouplimit.h. */
#include "util/cgroup/vircgrouplimit.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "util/cgroup/vircgroupbackend.h"
#include "util/virbitmap.h"
#include "util/virerror.h"
#include "util/virutil.h"

/* How a value stands in its file. */
typedef enum {
    FORM_NUMBER,
    FORM_TEXT,
    FORM_PERIOD,        /* v2: the second word of cpu.max */
    FORM_QUOTA,         /* v1: -1 for none; v2: the first word of cpu.max, "max" for none */
    FORM_KIB,           /* in bytes; v1: -1 for no limit; v2: "max" */
    FORM_SWAP,          /* v1: memory and swap, v2: swap alone */
    FORM_DEFAULT,       /* v2: "default 100" */
    FORM_DEVICE,        /* v1: "8:0 100"; v2: "8:0 key=100" */
    FORM_DEVICE_WEIGHT, /* "8:0 100"; v2: "8:0 default" for none */
} virCgroupForm;

typedef struct {
    const char *name; /* in errors */
    virCgroupController controller;
    virCgroupForm form;
    const char *v1, *v1Else; /* v1Else: where v1 has another scheduler; NULL: there is none */
    const char *v2, *v2Else;
    const char *key;       /* FORM_DEVICE of v2 */
    uint64_t v1Min, v1Max; /* both 0: the kernel decides */
    uint64_t v2Min, v2Max;
} virCgroupLimitRow;

#define PERIOD_MIN 1000
#define PERIOD_MAX 1000000
#define QUOTA_MAX UINT64_C(17592186044415)

#define ROW(which, how) .controller = VIR_CGROUP_CONTROLLER_##which, .form = FORM_##how

static const virCgroupLimitRow rows[] = {
    [VIR_CGROUP_CPU_SHARES] = {"shares", ROW(CPU, NUMBER), "cpu.shares", NULL, "cpu.weight", NULL,
                               NULL, 2, 262144, 1, 10000},
    [VIR_CGROUP_CPU_PERIOD] = {"cfs_period", ROW(CPU, PERIOD), "cpu.cfs_period_us", NULL, "cpu.max",
                               NULL, NULL, PERIOD_MIN, PERIOD_MAX, PERIOD_MIN, PERIOD_MAX},
    [VIR_CGROUP_CPU_QUOTA] = {"cfs_quota", ROW(CPU, QUOTA), "cpu.cfs_quota_us", NULL, "cpu.max",
                              NULL, NULL, PERIOD_MIN, QUOTA_MAX, PERIOD_MIN, QUOTA_MAX},
    [VIR_CGROUP_CPUSET_CPUS] = {"cpuset.cpus", ROW(CPUSET, TEXT), "cpuset.cpus", NULL,
                                "cpuset.cpus"},
    [VIR_CGROUP_CPUSET_MEMS] = {"cpuset.mems", ROW(CPUSET, TEXT), "cpuset.mems", NULL,
                                "cpuset.mems"},
    [VIR_CGROUP_CPUSET_MIGRATE] = {"cpuset.memory_migrate", ROW(CPUSET, NUMBER),
                                   "cpuset.memory_migrate"},
    [VIR_CGROUP_MEMORY_HARD] = {"Memory", ROW(MEMORY, KIB), "memory.limit_in_bytes", NULL,
                                "memory.max"},
    [VIR_CGROUP_MEMORY_SOFT] = {"Memory", ROW(MEMORY, KIB), "memory.soft_limit_in_bytes", NULL,
                                "memory.high"},
    [VIR_CGROUP_MEMORY_SWAP] = {"Memory", ROW(MEMORY, SWAP), "memory.memsw.limit_in_bytes", NULL,
                                "memory.swap.max"},
    [VIR_CGROUP_BLKIO_WEIGHT] = {"blkio weight", ROW(BLKIO, DEFAULT), "blkio.bfq.weight",
                                 "blkio.weight", "io.bfq.weight", "io.weight", NULL, 1, 1000, 1,
                                 10000},
    [VIR_CGROUP_BLKIO_DEVICE_WEIGHT] = {"blkio device weight", ROW(BLKIO, DEVICE_WEIGHT),
                                        "blkio.bfq.weight_device", "blkio.weight_device",
                                        "io.bfq.weight", "io.weight", NULL, 1, 1000, 1, 10000},
    [VIR_CGROUP_BLKIO_READ_IOPS] = {"read_iops", ROW(BLKIO, DEVICE),
                                    "blkio.throttle.read_iops_device", NULL, "io.max", NULL,
                                    "riops"},
    [VIR_CGROUP_BLKIO_WRITE_IOPS] = {"write_iops", ROW(BLKIO, DEVICE),
                                     "blkio.throttle.write_iops_device", NULL, "io.max", NULL,
                                     "wiops"},
    [VIR_CGROUP_BLKIO_READ_BYTES] = {"read_bps", ROW(BLKIO, DEVICE),
                                     "blkio.throttle.read_bps_device", NULL, "io.max", NULL,
                                     "rbps"},
    [VIR_CGROUP_BLKIO_WRITE_BYTES] = {"write_bps", ROW(BLKIO, DEVICE),
                                      "blkio.throttle.write_bps_device", NULL, "io.max", NULL,
                                      "wbps"},
    [VIR_CGROUP_PIDS_MAX] = {"pids", ROW(PIDS, NUMBER), "pids.max", NULL, "pids.max"},
    [VIR_CGROUP_FROZEN] = {"frozen", ROW(FREEZER, NUMBER), "freezer.state", NULL, "cgroup.freeze"},
};
G_STATIC_ASSERT(G_N_ELEMENTS(rows) == VIR_CGROUP_LIMIT_LAST);

void
virCgroupSettingClear(virCgroupSetting *setting)
{
    g_clear_pointer(&setting->text, g_free);
}

/* --- ranges --- */

/* What the value would be on the other version: 1024 shares are a weight of 100. */
static uint64_t
virCgroupLimitConvert(virCgroupLimit limit, uint64_t value, bool toV2)
{
    const uint64_t v1Default = limit == VIR_CGROUP_CPU_SHARES ? 1024 : 100;
    const uint64_t from = toV2 ? v1Default : 100;
    const uint64_t to = toV2 ? 100 : v1Default;
    const uint64_t min = toV2 ? rows[limit].v2Min : rows[limit].v1Min;
    const uint64_t max = toV2 ? rows[limit].v2Max : rows[limit].v1Max;

    return CLAMP((value * to + from / 2) / from, min, max);
}

/* The ranges of weights differ, so a value of the other version is told what it would be here. */
static bool
virCgroupLimitRefuseWeight(virCgroupLimit limit, uint64_t value, bool isV2, GError **error)
{
    const virCgroupLimitRow *row = &rows[limit];
    const uint64_t min = isV2 ? row->v2Min : row->v1Min;
    const uint64_t max = isV2 ? row->v2Max : row->v1Max;
    const bool foreign = isV2 ? value >= row->v1Min && value <= row->v1Max
                              : value >= row->v2Min && value <= row->v2Max;

    if (!foreign)
        return virErrorSet(error, VIR_ERR_INVALID_ARG,
                           _("%s '%" PRIu64 "' must be in range [%" PRIu64 ", %" PRIu64 "]"),
                           row->name, value, min, max);
    return virErrorSet(error, VIR_ERR_INVALID_ARG,
                       _("%s '%" PRIu64 "' must be in range [%" PRIu64 ", %" PRIu64
                         "]: this host has cgroup %s, where %" PRIu64 " of cgroup %s is %" PRIu64),
                       row->name, value, min, max, isV2 ? "v2" : "v1", value, isV2 ? "v1" : "v2",
                       virCgroupLimitConvert(limit, value, isV2));
}

static bool
virCgroupLimitInRange(virCgroupLimit limit, int64_t value, bool isV2, GError **error)
{
    const virCgroupLimitRow *row = &rows[limit];
    const uint64_t min = isV2 ? row->v2Min : row->v1Min;
    const uint64_t max = isV2 ? row->v2Max : row->v1Max;

    switch (limit) {
    case VIR_CGROUP_CPU_SHARES:
    case VIR_CGROUP_BLKIO_WEIGHT:
        return ((uint64_t)value >= min && (uint64_t)value <= max) ||
               virCgroupLimitRefuseWeight(limit, (uint64_t)value, isV2, error);
    case VIR_CGROUP_BLKIO_DEVICE_WEIGHT:
        return value == 0 || ((uint64_t)value >= min && (uint64_t)value <= max) ||
               virCgroupLimitRefuseWeight(limit, (uint64_t)value, isV2, error);
    case VIR_CGROUP_CPU_PERIOD:
        return ((uint64_t)value >= min && (uint64_t)value <= max) ||
               virErrorSet(
                   error, VIR_ERR_INVALID_ARG,
                   _("cfs_period '%" PRIu64 "' must be in range (%" PRIu64 ", %" PRIu64 ")"),
                   (uint64_t)value, min, max);
    case VIR_CGROUP_CPU_QUOTA:
        return value < 0 || ((uint64_t)value >= min && (uint64_t)value <= max) ||
               virErrorSet(error, VIR_ERR_INVALID_ARG,
                           _("cfs_quota '%" PRId64 "' must be in range (%" PRIu64 ", %" PRIu64 ")"),
                           value, min, max);
    case VIR_CGROUP_MEMORY_HARD:
    case VIR_CGROUP_MEMORY_SOFT:
    case VIR_CGROUP_MEMORY_SWAP:
        return (uint64_t)value <= VIR_CGROUP_MEMORY_UNLIMITED ||
               virErrorSet(error, VIR_ERR_INVALID_ARG,
                           _("Memory '%" PRIu64 "' must be less than %" PRIu64), (uint64_t)value,
                           VIR_CGROUP_MEMORY_UNLIMITED);
    default:
        return true;
    }
}

static bool
virCgroupLimitIsV2(const virCgroupInstance *instance, const virCgroupLimitRow *row)
{
    return g_strcmp0(virCgroupInstanceVersionOf(instance, row->controller), "v1") != 0;
}

bool
virCgroupLimitCheck(const virCgroupInstance *instance, virCgroupLimit limit, int64_t value,
                    GError **error)
{
    return virCgroupLimitInRange(limit, value, virCgroupLimitIsV2(instance, &rows[limit]), error);
}

/* --- files --- */

/* The file that the kernel has, which may depend on the scheduler of block devices. */
static const char *
virCgroupLimitFile(const virCgroup *group, const virCgroupPart *part, const virCgroupLimitRow *row)
{
    const bool isV2 = virCgroupLimitIsV2(group->instance, row);
    const char *file = isV2 ? row->v2 : row->v1;
    const char *other = isV2 ? row->v2Else : row->v1Else;
    g_autofree char *folder = NULL;
    g_autofree char *path = NULL;

    if (!file || !other || !(folder = virCgroupPartPath(group, row->controller, part)))
        return file;
    path = g_build_filename(folder, file, NULL);
    return access(path, F_OK) == 0 ? file : other;
}

static bool
virCgroupSettingBegin(const virCgroup *group, const virCgroupPart *part, virCgroupLimit limit,
                      virCgroupSetting *setting, GError **error)
{
    const virCgroupLimitRow *row = &rows[limit];

    *setting = (virCgroupSetting){.controller = row->controller};
    if (part)
        setting->part = *part;
    if (!virCgroupInstanceHasController(group->instance, row->controller))
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("there is no control group controller '%s' for '%s'"),
                           virCgroupControllerToString(row->controller), virCgroupName(group));
    setting->file = virCgroupLimitFile(group, part, row);
    return true;
}

/* --- values --- */

/* The words of cpu.max: the quota, -1 for none, and the period. */
static bool
virCgroupReadCpuMax(const virCgroup *group, const virCgroupPart *part, int64_t *retQuota,
                    int64_t *retPeriod, GError **error)
{
    g_autofree char *text = virCgroupGet(group, VIR_CGROUP_CONTROLLER_CPU, part, "cpu.max", error);
    g_auto(GStrv) words = text ? g_strsplit(text, " ", 2) : NULL;

    if (!text)
        return false;
    if (g_strv_length(words) != 2)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s", _("Invalid 'cpu.max' data."));
    *retQuota =
        g_str_equal(words[0], "max") ? VIR_CGROUP_NO_QUOTA : g_ascii_strtoll(words[0], NULL, 10);
    *retPeriod = g_ascii_strtoll(words[1], NULL, 10);
    return true;
}

static char *
virCgroupFormatCpuMax(int64_t quota, int64_t period)
{
    return quota < 0 ? g_strdup_printf("max %" PRId64, period)
                     : g_strdup_printf("%" PRId64 " %" PRId64, quota, period);
}

static char *
virCgroupFormatKiB(uint64_t kib, bool isV2)
{
    if (kib >= VIR_CGROUP_MEMORY_UNLIMITED)
        return g_strdup(isV2 ? "max" : "-1");
    return g_strdup_printf("%" PRIu64, kib * 1024);
}

/* On v2 swap has a limit of its own: what is left of the sum beside the memory's. */
static bool
virCgroupFormatSwap(const virCgroup *group, uint64_t sum, char **retText, GError **error)
{
    int64_t hard;

    if (sum >= VIR_CGROUP_MEMORY_UNLIMITED) {
        *retText = g_strdup("max");
        return true;
    }
    if (!virCgroupGetNumber(group, NULL, VIR_CGROUP_MEMORY_HARD, &hard, error))
        return false;
    if ((uint64_t)hard > sum)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, "%s",
                           _("memory hard_limit tunable value must be lower than or equal to "
                             "swap_hard_limit"));
    *retText = virCgroupFormatKiB(sum - (uint64_t)hard, true);
    return true;
}

static bool
virCgroupFormatNumber(const virCgroup *group, const virCgroupPart *part, virCgroupLimit limit,
                      int64_t value, char **retText, GError **error)
{
    const bool isV2 = virCgroupLimitIsV2(group->instance, &rows[limit]);
    int64_t quota, period;

    switch (rows[limit].form) {
    case FORM_PERIOD:
    case FORM_QUOTA:
        if (!isV2)
            break;
        if (!virCgroupReadCpuMax(group, part, &quota, &period, error))
            return false;
        *retText = limit == VIR_CGROUP_CPU_QUOTA ? virCgroupFormatCpuMax(value, period)
                                                 : virCgroupFormatCpuMax(quota, value);
        return true;
    case FORM_SWAP:
        if (isV2)
            return virCgroupFormatSwap(group, (uint64_t)value, retText, error);
        *retText = virCgroupFormatKiB((uint64_t)value, isV2);
        return true;
    case FORM_KIB:
        *retText = virCgroupFormatKiB((uint64_t)value, isV2);
        return true;
    case FORM_DEFAULT:
        *retText = g_strdup_printf("%s%" PRId64, isV2 ? "default " : "", value);
        return true;
    default:
        break;
    }
    if (limit == VIR_CGROUP_FROZEN && !isV2)
        *retText = g_strdup(value ? "FROZEN" : "THAWED");
    else
        *retText = g_strdup_printf(
            "%" PRId64, limit == VIR_CGROUP_CPU_QUOTA && value < 0 ? VIR_CGROUP_NO_QUOTA : value);
    return true;
}

bool
virCgroupSettingNumber(const virCgroup *group, const virCgroupPart *part, virCgroupLimit limit,
                       int64_t value, virCgroupSetting *retSetting, GError **error)
{
    g_auto(virCgroupSetting) setting = {0};

    if (!virCgroupSettingBegin(group, part, limit, &setting, error) ||
        !virCgroupLimitCheck(group->instance, limit, value, error) ||
        (setting.file && !virCgroupFormatNumber(group, part, limit, value, &setting.text, error)))
        return false;
    *retSetting = setting;
    setting.text = NULL;
    return true;
}

bool
virCgroupSettingText(const virCgroup *group, const virCgroupPart *part, virCgroupLimit limit,
                     const char *value, virCgroupSetting *retSetting, GError **error)
{
    virCgroupSetting setting;

    if (!virCgroupSettingBegin(group, part, limit, &setting, error))
        return false;
    setting.text = g_strdup(value);
    *retSetting = setting;
    return true;
}

bool
virCgroupSettingDevice(const virCgroup *group, virCgroupLimit limit, const char *path,
                       uint64_t value, virCgroupSetting *retSetting, GError **error)
{
    const virCgroupLimitRow *row = &rows[limit];
    const bool isV2 = virCgroupLimitIsV2(group->instance, row);
    virCgroupSetting setting;
    g_autofree char *device = NULL;
    struct stat st;

    if (!virCgroupSettingBegin(group, NULL, limit, &setting, error) ||
        !virCgroupLimitCheck(group->instance, limit, (int64_t)value, error))
        return false;
    if (stat(path, &st) < 0)
        return virErrorErrno(error, _("Path '%s' is not accessible"), path);
    if (!S_ISBLK(st.st_mode))
        return virErrorErrnoValue(error, EINVAL, _("Path '%s' must be a block device"), path);
    device = g_strdup_printf("%u:%u", major(st.st_rdev), minor(st.st_rdev));
    if (isV2 && row->key && value == 0)
        setting.text = g_strdup_printf("%s %s=max", device, row->key);
    else if (isV2 && row->key)
        setting.text = g_strdup_printf("%s %s=%" PRIu64, device, row->key, value);
    else if (isV2 && value == 0)
        setting.text = g_strdup_printf("%s default", device);
    else
        setting.text = g_strdup_printf("%s %" PRIu64, device, value);
    *retSetting = setting;
    return true;
}

/* --- reading --- */

static int64_t
virCgroupParseKiB(const char *text)
{
    uint64_t kib = g_ascii_strtoull(text, NULL, 10) / 1024;
    /* v1 shows "none" as the largest number of whole pages */
    uint64_t none = (uint64_t)INT64_MAX / (uint64_t)sysconf(_SC_PAGESIZE) *
                    (uint64_t)sysconf(_SC_PAGESIZE) / 1024;

    return g_str_has_prefix(text, "max") || kib >= none ? (int64_t)VIR_CGROUP_MEMORY_UNLIMITED
                                                        : (int64_t)kib;
}

static bool
virCgroupAddHard(const virCgroup *group, int64_t *swap, GError **error)
{
    int64_t hard;

    if (!virCgroupGetNumber(group, NULL, VIR_CGROUP_MEMORY_HARD, &hard, error))
        return false;
    if ((uint64_t)hard >= VIR_CGROUP_MEMORY_UNLIMITED ||
        (uint64_t)*swap >= VIR_CGROUP_MEMORY_UNLIMITED)
        *swap = (int64_t)VIR_CGROUP_MEMORY_UNLIMITED;
    else
        *swap += hard;
    return true;
}

bool
virCgroupGetNumber(const virCgroup *group, const virCgroupPart *part, virCgroupLimit limit,
                   int64_t *retValue, GError **error)
{
    const virCgroupLimitRow *row = &rows[limit];
    const bool isV2 = virCgroupLimitIsV2(group->instance, row);
    g_autofree char *text = NULL;
    int64_t quota, period;

    if (isV2 && (row->form == FORM_PERIOD || row->form == FORM_QUOTA)) {
        if (!virCgroupReadCpuMax(group, part, &quota, &period, error))
            return false;
        *retValue = limit == VIR_CGROUP_CPU_QUOTA ? quota : period;
        return true;
    }
    text = virCgroupGetText(group, part, limit, error);
    if (!text)
        return false;
    switch (row->form) {
    case FORM_KIB:
        *retValue = virCgroupParseKiB(text);
        return true;
    case FORM_SWAP:
        *retValue = virCgroupParseKiB(text);
        return !isV2 || virCgroupAddHard(group, retValue, error);
    case FORM_DEFAULT:
        *retValue = g_ascii_strtoll(
            g_str_has_prefix(text, "default ") ? text + strlen("default ") : text, NULL, 10);
        return true;
    default:
        *retValue = limit == VIR_CGROUP_FROZEN && !isV2 ? !g_str_equal(text, "THAWED")
                                                        : g_ascii_strtoll(text, NULL, 10);
        return true;
    }
}

char *
virCgroupGetText(const virCgroup *group, const virCgroupPart *part, virCgroupLimit limit,
                 GError **error)
{
    const char *file = virCgroupLimitFile(group, part, &rows[limit]);

    return virCgroupGet(group, rows[limit].controller, part, file ? file : "", error);
}

/* --- reading back --- */

/* The device's line has each word; a word that is "no limit" may be missing with it. */
static bool
virCgroupHoldsDevice(const char *wanted, const char *text)
{
    g_auto(GStrv) words = g_strsplit(wanted, " ", -1);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    const char *value = strchr(words[1] ? words[1] : "", '=');

    value = value ? value + 1 : words[1];
    for (char **line = lines; *line; line++) {
        g_auto(GStrv) have = g_strsplit(*line, " ", -1);

        if (g_strcmp0(have[0], words[0]) == 0)
            return g_strv_contains((const char *const *)have, words[1]);
    }
    return g_strcmp0(value, "max") == 0 || g_strcmp0(value, "0") == 0 ||
           g_strcmp0(value, "default") == 0;
}

static bool
virCgroupHoldsSet(const char *wanted, const char *text)
{
    g_autoptr(virBitmap) a = virBitmapParse(wanted, VIR_BITMAP_MAX, NULL);
    g_autoptr(virBitmap) b = virBitmapParse(text, VIR_BITMAP_MAX, NULL);

    return a && b && virBitmapEqual(a, b);
}

bool
virCgroupSettingHolds(const virCgroupSetting *setting, const char *text)
{
    const char *wanted = setting->text;
    const guint64 page = (guint64)sysconf(_SC_PAGESIZE);
    guint64 have, want;

    if (!wanted || g_str_equal(text, wanted))
        return true;
    if (setting->controller == VIR_CGROUP_CONTROLLER_CPUSET)
        return virCgroupHoldsSet(wanted, text);
    if (g_str_has_prefix(wanted, "default "))
        return g_str_has_prefix(text, wanted); /* devices' own weights follow */
    if (strchr(wanted, ':'))
        return virCgroupHoldsDevice(wanted, text);
    if (setting->controller != VIR_CGROUP_CONTROLLER_MEMORY)
        return false;
    if (g_str_equal(wanted, "-1"))
        return (uint64_t)virCgroupParseKiB(text) == VIR_CGROUP_MEMORY_UNLIMITED;
    return g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, &have, NULL) &&
           g_ascii_string_to_unsigned(wanted, 10, 0, G_MAXUINT64, &want, NULL) &&
           have / page == want / page;
}

bool
virCgroupLimitIsFile(const char *file)
{
    static const char *const files[] = {
        /* v2 */
        "cpu.weight", "cpu.max", "memory.max", "memory.high", "memory.swap.max", "io.weight",
        "io.bfq.weight", "io.max", "cgroup.freeze",
        /* v1 */
        "cpu.shares", "cpu.cfs_period_us", "cpu.cfs_quota_us", "memory.limit_in_bytes",
        "memory.soft_limit_in_bytes", "memory.memsw.limit_in_bytes", "blkio.weight",
        "blkio.bfq.weight", "blkio.weight_device", "blkio.bfq.weight_device",
        "blkio.throttle.read_iops_device", "blkio.throttle.write_iops_device",
        "blkio.throttle.read_bps_device", "blkio.throttle.write_bps_device",
        "cpuset.memory_migrate", "freezer.state",
        /* both */
        "cpuset.cpus", "cpuset.mems", "pids.max", NULL};

    return g_strv_contains(files, file);
}
