/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gate_count.c: see gate_count.h. */
#include "host/gate_count.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/cgroup/virbpf.h"
#include "util/cgroup/virgateprogram.h"
#include "util/virutil.h"

/* The id behind id; false at the end. */
static bool
testNextId(enum bpf_cmd next, uint32_t *id)
{
    union bpf_attr attr;

    memset(&attr, 0, sizeof(attr));
    attr.start_id = *id;
    if (syscall(SYS_bpf, next, &attr, sizeof(attr)) < 0)
        return false;
    *id = attr.next_id;
    return true;
}

static int
testOpenLink(uint32_t id)
{
    union bpf_attr attr;

    memset(&attr, 0, sizeof(attr));
    attr.link_id = id;
    return (int)syscall(SYS_bpf, BPF_LINK_GET_FD_BY_ID, &attr, sizeof(attr));
}

static bool
testIsHeader(uint32_t mapId, const uint8_t prefix[4])
{
    VIR_AUTOCLOSE fd = virBPFOpenMapById(mapId);
    struct bpf_map_info info;
    virGateHeader header;
    uint32_t index = 0;

    return fd >= 0 && virBPFGetMapInfo(fd, &info) && info.value_size == sizeof(header) &&
           g_str_equal(info.name, VIR_GATE_HEADER_NAME) && virBPFLookupElem(fd, &index, &header) &&
           memcmp(header.uuid, prefix, 4) == 0;
}

/* Adds the program and its maps if it is one of the guests'. */
static void
testAddProg(uint32_t id, const uint8_t prefix[4], GHashTable *progs, GHashTable *maps)
{
    VIR_AUTOCLOSE fd = virBPFOpenProgById(id);
    struct bpf_prog_info info;
    uint32_t ids[8];
    bool ours = false;

    if (fd < 0 || !virBPFGetProgInfo(fd, &info, ids, G_N_ELEMENTS(ids)) ||
        !g_str_has_prefix(info.name, "vw_"))
        return;
    for (uint32_t i = 0; i < MIN(info.nr_map_ids, G_N_ELEMENTS(ids)); i++)
        ours = ours || testIsHeader(ids[i], prefix);
    if (!ours)
        return;
    g_hash_table_add(progs, GUINT_TO_POINTER(id));
    for (uint32_t i = 0; i < MIN(info.nr_map_ids, G_N_ELEMENTS(ids)); i++)
        g_hash_table_add(maps, GUINT_TO_POINTER(ids[i]));
}

testGateCount
testGateCountOf(const uint8_t prefix[4])
{
    g_autoptr(GHashTable) progs = g_hash_table_new(NULL, NULL);
    g_autoptr(GHashTable) maps = g_hash_table_new(NULL, NULL);
    testGateCount count = {0};

    for (uint32_t id = 0; testNextId(BPF_PROG_GET_NEXT_ID, &id);)
        testAddProg(id, prefix, progs, maps);
    for (uint32_t id = 0; testNextId(BPF_MAP_GET_NEXT_ID, &id);) {
        if (testIsHeader(id, prefix))
            g_hash_table_add(maps, GUINT_TO_POINTER(id));
    }
    for (uint32_t id = 0; testNextId(BPF_LINK_GET_NEXT_ID, &id);) {
        VIR_AUTOCLOSE fd = testOpenLink(id);
        struct bpf_link_info info;

        if (fd >= 0 && virBPFGetLinkInfo(fd, &info))
            count.links += g_hash_table_contains(progs, GUINT_TO_POINTER(info.prog_id));
    }
    count.progs = g_hash_table_size(progs);
    count.maps = g_hash_table_size(maps);
    return count;
}
