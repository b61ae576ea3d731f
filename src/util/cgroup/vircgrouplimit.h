/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircgrouplimit.h: limits of a guest or a part of it, by meaning: which file of which version,
 * in which form and range.
 *
 * A limit is turned into a setting, one value for one file, which the door writes
 * (virDelegateCgroupSet); reading needs no door. Numbers are in the unit said beside each limit,
 * the same on both versions but for weights, whose ranges differ: those are the version's own, as
 * clients know it from libvirt, and a value out of range is refused with what it would be.
 * In a job, without the core lock. Facts: the kernel's Documentation/admin-guide/cgroup-v1 and
 * cgroup-v2.rst. */
#pragma once

#include "util/cgroup/vircgroup.h"

typedef enum {
    VIR_CGROUP_CPU_SHARES,          /* v1: 2 to 262144, v2: weight of 1 to 10000 */
    VIR_CGROUP_CPU_PERIOD,          /* us */
    VIR_CGROUP_CPU_QUOTA,           /* us a period; VIR_CGROUP_NO_QUOTA */
    VIR_CGROUP_CPUSET_CPUS,         /* text */
    VIR_CGROUP_CPUSET_MEMS,         /* text */
    VIR_CGROUP_CPUSET_MIGRATE,      /* 0 or 1; v2 always moves memory along */
    VIR_CGROUP_MEMORY_HARD,         /* KiB; VIR_CGROUP_MEMORY_UNLIMITED */
    VIR_CGROUP_MEMORY_SOFT,         /* KiB */
    VIR_CGROUP_MEMORY_SWAP,         /* KiB of memory and swap together, on v2 too */
    VIR_CGROUP_BLKIO_WEIGHT,        /* v1: 10 to 1000, v2: 1 to 10000 */
    VIR_CGROUP_BLKIO_DEVICE_WEIGHT, /* of a device; the same; 0: as the whole */
    VIR_CGROUP_BLKIO_READ_IOPS,     /* of a device, these four; 0: no limit */
    VIR_CGROUP_BLKIO_WRITE_IOPS,
    VIR_CGROUP_BLKIO_READ_BYTES,
    VIR_CGROUP_BLKIO_WRITE_BYTES,
    VIR_CGROUP_PIDS_MAX,
    VIR_CGROUP_FROZEN, /* 0 or 1 */
    VIR_CGROUP_LIMIT_LAST
} virCgroupLimit;

#define VIR_CGROUP_NO_QUOTA (-1)
#define VIR_CGROUP_MEMORY_UNLIMITED UINT64_C(9007199254740991)

/* One value for one file. */
typedef struct {
    virCgroupPart part;
    virCgroupController controller;
    const char *file; /* static */
    char *text;       /* owned; NULL: nothing has to be written */
} virCgroupSetting;

void virCgroupSettingClear(virCgroupSetting *setting);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(virCgroupSetting, virCgroupSettingClear)

/* True if the file, of any version, holds a limit of a guest: none by which processes are moved,
 * groups given away or programs run. */
bool virCgroupLimitIsFile(const char *file);

/* part may be NULL for the whole guest. VIR_ERR_INVALID_ARG for what is out of range,
 * VIR_ERR_OPERATION_UNSUPPORTED where the group has no such controller. */
bool virCgroupSettingNumber(const virCgroup *group, const virCgroupPart *part, virCgroupLimit limit,
                            int64_t value, virCgroupSetting *retSetting, GError **error);
bool virCgroupSettingText(const virCgroup *group, const virCgroupPart *part, virCgroupLimit limit,
                          const char *value, virCgroupSetting *retSetting, GError **error);
/* path: a node of the host; VIR_ERR_SYSTEM_ERROR if it is no block device. */
bool virCgroupSettingDevice(const virCgroup *group, virCgroupLimit limit, const char *path,
                            uint64_t value, virCgroupSetting *retSetting, GError **error);
/* What can be set in a range may be checked before anything is there: instance alone. */
bool virCgroupLimitCheck(const virCgroupInstance *instance, virCgroupLimit limit, int64_t value,
                         GError **error);

bool virCgroupGetNumber(const virCgroup *group, const virCgroupPart *part, virCgroupLimit limit,
                        int64_t *retValue, GError **error);
char *virCgroupGetText(const virCgroup *group, const virCgroupPart *part, virCgroupLimit limit,
                       GError **error);

/* True if a file that reads as text holds what setting wrote: the kernel rounds sizes down to
 * pages, writes sets of numbers in its own way and shows a list of devices where one was set. */
bool virCgroupSettingHolds(const virCgroupSetting *setting, const char *text);
