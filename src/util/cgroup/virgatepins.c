/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virgatepins.c: see virgatepins.h. bpf(2) takes paths; ours begin at the folder's descriptor
 * (/proc/self/fd/N/...), so that nobody can exchange the folder under us. Names on a bpffs have no
 * dots. */
#include "util/cgroup/virgatepins.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "util/cgroup/virbpf.h"
#include "util/virerror.h"
#include "util/virfault.h"
#include "util/virutil.h"
#include "util/viruuid.h"

#define NEW_SUFFIX "-new"
#define EVENTS_NAME "events"

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE (1 << 1)
#endif

/* One object of a set. */
typedef struct {
    const char *name;
    size_t offset; /* of its descriptor */
    bool optional;
} virGatePin;

static const virGatePin pins[] = {
    {"rules", offsetof(virCgroupV2Devices, rulesFd), false},
    {"nodes", offsetof(virCgroupV2Devices, nodesFd), true}, /* not in VIR_GATE_ABI_TRIE */
    {"hdr", offsetof(virCgroupV2Devices, headerFd), false},
    {"events", offsetof(virCgroupV2Devices, eventsFd), false},
    {"prog", offsetof(virCgroupV2Devices, progFd), false},
    {"link", offsetof(virCgroupV2Devices, linkFd), true},
};

static char *
virGatePinsSetName(const uint8_t uuid[16], virGatePinsSet set)
{
    char text[VIR_UUID_TEXT_SIZE];

    return g_strconcat(virUUIDFormat(uuid, text), set == VIR_GATE_PINS_NEW ? NEW_SUFFIX : "", NULL);
}

/* The reverse, for both kinds; false if it is not one of ours. */
static bool
virGatePinsParseName(const char *name, uint8_t retUuid[16])
{
    size_t digits = VIR_UUID_TEXT_SIZE - 1;
    g_autofree char *text = g_strndup(name, digits);

    return strlen(text) == digits &&
           (name[digits] == '\0' || g_str_equal(name + digits, NEW_SUFFIX)) &&
           virUUIDParse(text, retUuid);
}

static char *
virGatePinsPath(int folderFd, const char *name)
{
    return g_strdup_printf("/proc/self/fd/%d/%s", folderFd, name);
}

static int
virGatePinsOpenFolder(int pinsFd, const char *name)
{
    return openat(pinsFd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool
virGatePinOne(int folderFd, const char *name, int fd, uid_t owner, gid_t group, GError **error)
{
    g_autofree char *path = virGatePinsPath(folderFd, name);

    if (!virBPFPin(fd, path))
        return virErrorErrno(error, _("cannot pin '%s' of the device gate"), name);
    if ((owner != geteuid() || group != getegid()) &&
        fchownat(folderFd, name, owner, group, AT_SYMLINK_NOFOLLOW) < 0)
        return virErrorErrno(error, _("cannot give pin '%s' of the device gate to user %u"), name,
                             (unsigned)owner);
    return true;
}

bool
virGatePinsMake(const virCgroupV2DevicesPlace *place, const virCgroupV2Devices *devices,
                GError **error)
{
    g_autofree char *name = virGatePinsSetName(place->uuid, VIR_GATE_PINS_NEW);
    VIR_AUTOCLOSE folderFd = -1;

    if (!virGatePinsRemove(place->pinsFd, place->uuid, VIR_GATE_PINS_NEW, error))
        return false;
    if (mkdirat(place->pinsFd, name, 0700) < 0)
        return virErrorErrno(error, _("cannot make the folder for pins of the device gate"));
    folderFd = virGatePinsOpenFolder(place->pinsFd, name);
    if (folderFd < 0 || ((place->pinOwner != geteuid() || place->pinGroup != getegid()) &&
                         fchown(folderFd, place->pinOwner, place->pinGroup) < 0))
        return virErrorErrno(error, _("cannot make the folder for pins of the device gate"));
    for (size_t i = 0; i < G_N_ELEMENTS(pins); i++) {
        int fd = G_STRUCT_MEMBER(int, devices, pins[i].offset);

        if (fd < 0 && pins[i].optional)
            continue;
        if (!virGatePinOne(folderFd, pins[i].name, fd, place->pinOwner, place->pinGroup, error) ||
            !VIR_FAULT_STEP("gate:one-pinned", error))
            return false;
    }
    return true;
}

bool
virGatePinsPublish(const virCgroupV2DevicesPlace *place, GError **error)
{
    g_autofree char *new = virGatePinsSetName(place->uuid, VIR_GATE_PINS_NEW);
    g_autofree char *current = virGatePinsSetName(place->uuid, VIR_GATE_PINS_CURRENT);
    struct stat st;

    if (fstatat(place->pinsFd, current, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        /* The old set goes away under the new one's name. */
        if (renameat2(place->pinsFd, new, place->pinsFd, current, RENAME_EXCHANGE) == 0)
            return virGatePinsRemove(place->pinsFd, place->uuid, VIR_GATE_PINS_NEW, error);
        if (errno != EINVAL)
            return virErrorErrno(error, _("cannot exchange the pins of the device gate"));
        /* bpffs before 5.16: for a moment there is only the new set; a restart finds that one too.
         */
        if (!virGatePinsRemove(place->pinsFd, place->uuid, VIR_GATE_PINS_CURRENT, error))
            return false;
    }
    if (renameat(place->pinsFd, new, place->pinsFd, current) < 0)
        return virErrorErrno(error, _("cannot rename the pins of the device gate"));
    return true;
}

static bool
virGatePinsCheckMap(int fd, uint32_t type, uint32_t keySize, uint32_t valueSize,
                    uint32_t *retEntries)
{
    struct bpf_map_info info;

    if (!virBPFGetMapInfo(fd, &info) || info.type != type || info.key_size != keySize ||
        info.value_size != valueSize)
        return false;
    *retEntries = info.max_entries;
    return true;
}

/* True if the maps are those of an ABI that we know, for this guest. */
static bool
virGatePinsCheck(virCgroupV2Devices *devices, const uint8_t uuid[16])
{
    return virGatePinsCheckMap(devices->rulesFd, BPF_MAP_TYPE_LPM_TRIE, sizeof(virGateKey),
                               sizeof(virGateValue), &devices->capacity) &&
           virCgroupV2DevicesMapHeader(devices) && virCgroupV2DevicesMapNodes(devices) &&
           virCgroupV2DevicesIsKnown(devices) && memcmp(devices->header->uuid, uuid, 16) == 0;
}

bool
virGatePinsOpen(const virCgroupV2DevicesPlace *place, virGatePinsSet set,
                virCgroupV2Devices *devices, bool *retFound, GError **error)
{
    g_autofree char *name = virGatePinsSetName(place->uuid, set);
    VIR_AUTOCLOSE folderFd = virGatePinsOpenFolder(place->pinsFd, name);

    virCgroupV2DevicesClear(devices);
    *retFound = false;
    if (folderFd < 0)
        return errno == ENOENT ||
               virErrorErrno(error, _("cannot open the pins of the device gate"));
    for (size_t i = 0; i < G_N_ELEMENTS(pins); i++) {
        g_autofree char *path = virGatePinsPath(folderFd, pins[i].name);
        int fd = virBPFOpenPin(path);

        if (fd < 0 && errno != ENOENT)
            return virErrorErrno(error, _("cannot open pin '%s' of the device gate"), pins[i].name);
        if (fd < 0 && !pins[i].optional)
            return true;
        G_STRUCT_MEMBER(int, devices, pins[i].offset) = fd;
    }
    *retFound = virGatePinsCheck(devices, place->uuid);
    return true;
}

bool
virGatePinsRemove(int pinsFd, const uint8_t uuid[16], virGatePinsSet set, GError **error)
{
    g_autofree char *name = virGatePinsSetName(uuid, set);
    VIR_AUTOCLOSE folderFd = virGatePinsOpenFolder(pinsFd, name);

    if (folderFd < 0)
        return errno == ENOENT ||
               virErrorErrno(error, _("cannot open the pins of the device gate"));
    for (size_t i = 0; i < G_N_ELEMENTS(pins); i++) {
        if (unlinkat(folderFd, pins[i].name, 0) < 0 && errno != ENOENT)
            return virErrorErrno(error, _("cannot remove pin '%s' of the device gate"),
                                 pins[i].name);
    }
    if (unlinkat(pinsFd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        return virErrorErrno(error, _("cannot remove the folder for pins of the device gate"));
    return true;
}

bool
virGatePinsExist(int pinsFd, const uint8_t uuid[16])
{
    g_autofree char *current = virGatePinsSetName(uuid, VIR_GATE_PINS_CURRENT);
    g_autofree char *new = virGatePinsSetName(uuid, VIR_GATE_PINS_NEW);

    return faccessat(pinsFd, current, F_OK, 0) == 0 || faccessat(pinsFd, new, F_OK, 0) == 0;
}

GArray *
virGatePinsList(int pinsFd, GError **error)
{
    g_autoptr(GArray) uuids = g_array_new(FALSE, FALSE, 16);
    int fd = openat(pinsFd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (!folder) {
        virErrorErrno(error, _("cannot list the pins of device gates"));
        virCloseFd(&fd);
        return NULL;
    }
    while ((entry = readdir(folder))) {
        uint8_t uuid[16];

        if (virGatePinsParseName(entry->d_name, uuid))
            g_array_append_vals(uuids, uuid, 1);
    }
    (void)closedir(folder); /* read only */
    return g_steal_pointer(&uuids);
}

int
virGatePinsOpenEvents(int pinsFd, GError **error)
{
    g_autofree char *path = virGatePinsPath(pinsFd, EVENTS_NAME);
    int fd = virBPFOpenPin(path);

    if (fd < 0 && errno != ENOENT)
        virErrorErrno(error, _("cannot open the pinned ring of denials"));
    return fd;
}

bool
virGatePinsPinEvents(int pinsFd, int eventsFd, uid_t owner, gid_t group, GError **error)
{
    return virGatePinOne(pinsFd, EVENTS_NAME, eventsFd, owner, group, error);
}

bool
virGatePinsUnpinEvents(int pinsFd, GError **error)
{
    if (unlinkat(pinsFd, EVENTS_NAME, 0) < 0 && errno != ENOENT)
        return virErrorErrno(error, _("cannot unpin the ring of denials"));
    return true;
}
