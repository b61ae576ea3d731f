/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virbpf.c: see virbpf.h. Everything is one system call; libbpf adds only the checks that a kernel
 * of the floor doesn't need, and a short attribute on query and attach. */
#include "util/cgroup/virbpf.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Larger than the attribute of any kernel; the part a kernel doesn't know must be zero. */
#define ATTR_SIZE 256

/* The layout of BPF_PROG_QUERY up to the revision (6.6), which older headers lack. */
typedef struct {
    uint32_t targetFd;
    uint32_t attachType;
    uint32_t queryFlags;
    uint32_t attachFlags;
    uint64_t progIds;
    uint32_t progCount;
    uint32_t padding;
    uint64_t progAttachFlags;
    uint64_t linkIds;
    uint64_t linkAttachFlags;
    uint64_t revision;
} virBPFQueryAttr;

/* The layout of BPF_PROG_ATTACH and _DETACH up to the expected revision. */
typedef struct {
    uint32_t targetFd;
    uint32_t attachBpfFd;
    uint32_t attachType;
    uint32_t attachFlags;
    uint32_t replaceBpfFd;
    uint32_t relativeFd;
    uint64_t expectedRevision;
} virBPFAttachAttr;

typedef union {
    union bpf_attr kernel;
    virBPFQueryAttr query;
    virBPFAttachAttr attach;
    char bytes[ATTR_SIZE];
} virBPFAttr;

_Static_assert(sizeof(union bpf_attr) <= ATTR_SIZE, "the headers know a larger attribute");

static int
virBPFCall(enum bpf_cmd command, virBPFAttr *attr)
{
    return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static uint64_t
virBPFPointer(const void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

int
virBPFCreateMap(enum bpf_map_type type, const char *name, uint32_t keySize, uint32_t valueSize,
                uint32_t maxEntries, uint32_t flags)
{
    virBPFAttr attr = {0};

    attr.kernel.map_type = type;
    attr.kernel.key_size = keySize;
    attr.kernel.value_size = valueSize;
    attr.kernel.max_entries = maxEntries;
    attr.kernel.map_flags = flags;
    strncpy(attr.kernel.map_name, name, BPF_OBJ_NAME_LEN - 1);
    return virBPFCall(BPF_MAP_CREATE, &attr);
}

int
virBPFLoadDeviceProg(const struct bpf_insn *insns, size_t count, const char *name, char *log,
                     size_t logSize)
{
    virBPFAttr attr = {0};
    int errnum;
    int fd;

    attr.kernel.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    attr.kernel.expected_attach_type = BPF_CGROUP_DEVICE;
    attr.kernel.insns = virBPFPointer(insns);
    attr.kernel.insn_cnt = (uint32_t)count;
    attr.kernel.license = virBPFPointer("LGPL");
    strncpy(attr.kernel.prog_name, name, BPF_OBJ_NAME_LEN - 1);
    fd = virBPFCall(BPF_PROG_LOAD, &attr);
    if (fd >= 0 || !log || errno == EPERM)
        return fd;
    /* Once more for the verifier's words; that they don't fit is not the reason. */
    errnum = errno;
    attr.kernel.log_level = 1;
    attr.kernel.log_buf = virBPFPointer(log);
    attr.kernel.log_size = (uint32_t)logSize;
    fd = virBPFCall(BPF_PROG_LOAD, &attr);
    errno = errnum;
    return fd;
}

static bool
virBPFElem(enum bpf_cmd command, int mapFd, const void *key, const void *value)
{
    virBPFAttr attr = {0};

    attr.kernel.map_fd = (uint32_t)mapFd;
    attr.kernel.key = virBPFPointer(key);
    attr.kernel.value = virBPFPointer(value); /* in a union with next_key */
    return virBPFCall(command, &attr) == 0;
}

bool
virBPFUpdateElem(int mapFd, const void *key, const void *value)
{
    return virBPFElem(BPF_MAP_UPDATE_ELEM, mapFd, key, value);
}

bool
virBPFLookupElem(int mapFd, const void *key, void *retValue)
{
    return virBPFElem(BPF_MAP_LOOKUP_ELEM, mapFd, key, retValue);
}

bool
virBPFDeleteElem(int mapFd, const void *key)
{
    return virBPFElem(BPF_MAP_DELETE_ELEM, mapFd, key, NULL);
}

bool
virBPFNextKey(int mapFd, const void *key, void *retKey)
{
    return virBPFElem(BPF_MAP_GET_NEXT_KEY, mapFd, key, retKey);
}

bool
virBPFUpdateBatch(int mapFd, const void *keys, const void *values, uint32_t *count)
{
    virBPFAttr attr = {0};
    bool done;

    attr.kernel.batch.map_fd = (uint32_t)mapFd;
    attr.kernel.batch.keys = virBPFPointer(keys);
    attr.kernel.batch.values = virBPFPointer(values);
    attr.kernel.batch.count = *count;
    done = virBPFCall(BPF_MAP_UPDATE_BATCH, &attr) == 0;
    *count = done || attr.kernel.batch.count < *count ? attr.kernel.batch.count : 0;
    return done;
}

bool
virBPFLookupBatch(int mapFd, bool first, void *position, void *retKeys, void *retValues,
                  uint32_t *count)
{
    virBPFAttr attr = {0};
    bool done;

    attr.kernel.batch.map_fd = (uint32_t)mapFd;
    attr.kernel.batch.in_batch = first ? 0 : virBPFPointer(position);
    attr.kernel.batch.out_batch = virBPFPointer(position);
    attr.kernel.batch.keys = virBPFPointer(retKeys);
    attr.kernel.batch.values = virBPFPointer(retValues);
    attr.kernel.batch.count = *count;
    done = virBPFCall(BPF_MAP_LOOKUP_BATCH, &attr) == 0;
    *count = done || errno == ENOENT ? attr.kernel.batch.count : 0;
    return done;
}

bool
virBPFQueryDeviceProgs(int groupFd, bool effective, virBPFProgs *retProgs)
{
    virBPFAttr attr = {0};

    attr.query.targetFd = (uint32_t)groupFd;
    attr.query.attachType = BPF_CGROUP_DEVICE;
    attr.query.queryFlags = effective ? BPF_F_QUERY_EFFECTIVE : 0;
    attr.query.progIds = virBPFPointer(retProgs->ids);
    attr.query.progCount = VIR_BPF_MAX_PROGS;
    if (virBPFCall(BPF_PROG_QUERY, &attr) < 0)
        return false;
    retProgs->count = attr.query.progCount;
    retProgs->flags = attr.query.attachFlags;
    retProgs->revision = attr.query.revision;
    return true;
}

bool
virBPFAttachDeviceProg(int groupFd, int progFd, int replaceFd, uint64_t revision)
{
    virBPFAttr attr = {0};

    attr.attach.targetFd = (uint32_t)groupFd;
    attr.attach.attachBpfFd = (uint32_t)progFd;
    attr.attach.attachType = BPF_CGROUP_DEVICE;
    attr.attach.attachFlags = BPF_F_ALLOW_MULTI;
    if (replaceFd >= 0) {
        attr.attach.attachFlags |= BPF_F_REPLACE;
        attr.attach.replaceBpfFd = (uint32_t)replaceFd;
    }
    attr.attach.expectedRevision = revision;
    if (virBPFCall(BPF_PROG_ATTACH, &attr) == 0)
        return true;
    /* Both are how kernels without revisions for groups say so. */
    if (!revision || (errno != E2BIG && errno != EINVAL))
        return false;
    attr.attach.expectedRevision = 0;
    return virBPFCall(BPF_PROG_ATTACH, &attr) == 0;
}

bool
virBPFDetachDeviceProg(int groupFd, int progFd)
{
    virBPFAttr attr = {0};

    attr.attach.targetFd = (uint32_t)groupFd;
    attr.attach.attachBpfFd = (uint32_t)progFd;
    attr.attach.attachType = BPF_CGROUP_DEVICE;
    return virBPFCall(BPF_PROG_DETACH, &attr) == 0;
}

int
virBPFCreateDeviceLink(int groupFd, int progFd)
{
    virBPFAttr attr = {0};

    attr.kernel.link_create.prog_fd = (uint32_t)progFd;
    attr.kernel.link_create.target_fd = (uint32_t)groupFd;
    attr.kernel.link_create.attach_type = BPF_CGROUP_DEVICE;
    return virBPFCall(BPF_LINK_CREATE, &attr);
}

bool
virBPFUpdateLink(int linkFd, int progFd)
{
    virBPFAttr attr = {0};

    attr.kernel.link_update.link_fd = (uint32_t)linkFd;
    attr.kernel.link_update.new_prog_fd = (uint32_t)progFd;
    return virBPFCall(BPF_LINK_UPDATE, &attr) == 0;
}

bool
virBPFPin(int fd, const char *path)
{
    virBPFAttr attr = {0};

    attr.kernel.pathname = virBPFPointer(path);
    attr.kernel.bpf_fd = (uint32_t)fd;
    return virBPFCall(BPF_OBJ_PIN, &attr) == 0;
}

int
virBPFOpenPin(const char *path)
{
    virBPFAttr attr = {0};

    attr.kernel.pathname = virBPFPointer(path);
    return virBPFCall(BPF_OBJ_GET, &attr);
}

static int
virBPFOpenById(enum bpf_cmd command, uint32_t id)
{
    virBPFAttr attr = {0};

    attr.kernel.prog_id = id; /* in a union with map_id */
    return virBPFCall(command, &attr);
}

int
virBPFOpenProgById(uint32_t id)
{
    return virBPFOpenById(BPF_PROG_GET_FD_BY_ID, id);
}

int
virBPFOpenMapById(uint32_t id)
{
    return virBPFOpenById(BPF_MAP_GET_FD_BY_ID, id);
}

static bool
virBPFGetInfo(int fd, void *info, size_t size)
{
    virBPFAttr attr = {0};

    attr.kernel.info.bpf_fd = (uint32_t)fd;
    attr.kernel.info.info_len = (uint32_t)size;
    attr.kernel.info.info = virBPFPointer(info);
    return virBPFCall(BPF_OBJ_GET_INFO_BY_FD, &attr) == 0;
}

bool
virBPFGetProgInfo(int fd, struct bpf_prog_info *retInfo, uint32_t *mapIds, uint32_t mapRoom)
{
    memset(retInfo, 0, sizeof(*retInfo));
    retInfo->nr_map_ids = mapRoom;
    retInfo->map_ids = virBPFPointer(mapIds);
    return virBPFGetInfo(fd, retInfo, sizeof(*retInfo));
}

bool
virBPFGetMapInfo(int fd, struct bpf_map_info *retInfo)
{
    memset(retInfo, 0, sizeof(*retInfo));
    return virBPFGetInfo(fd, retInfo, sizeof(*retInfo));
}

bool
virBPFGetLinkInfo(int fd, struct bpf_link_info *retInfo)
{
    memset(retInfo, 0, sizeof(*retInfo));
    return virBPFGetInfo(fd, retInfo, sizeof(*retInfo));
}
