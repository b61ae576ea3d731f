/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virbpf.h: bpf(2), thinly: what the device gate needs of it.
 *
 * Descriptors are O_CLOEXEC and the caller's. All functions give -1 or false with errno, and no
 * GError: the caller knows what it wanted. Query and attach pass an attribute as large as any
 * kernel of today knows: one that is too short has been overrun by some kernels, and what an older
 * kernel doesn't know is zero there, which it accepts. No PREORDER, no exclusive attach. In a job
 * (attach and swap may wait for RCU); the changing functions are called through delegate/local*
 * alone. Rights are named at each function. Facts: bpf(2), <linux/bpf.h>. */
#pragma once

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* CAP_BPF. name: at most 15 of letters, digits and '_'. */
int virBPFCreateMap(enum bpf_map_type type, const char *name, uint32_t keySize, uint32_t valueSize,
                    uint32_t maxEntries, uint32_t flags);
/* CAP_BPF and CAP_NET_ADMIN; for one that asks for the thread's name CAP_PERFMON, too, without
 * which it is EINVAL. log may be NULL; it gets the verifier's words if the load fails. */
int virBPFLoadDeviceProg(const struct bpf_insn *insns, size_t count, const char *name, char *log,
                         size_t logSize);

/* No rights: the descriptor is one. */
bool virBPFUpdateElem(int mapFd, const void *key, const void *value);
bool virBPFLookupElem(int mapFd, const void *key, void *retValue);
bool virBPFDeleteElem(int mapFd, const void *key);
/* The key behind key (NULL: the first); ENOENT at the end. */
bool virBPFNextKey(int mapFd, const void *key, void *retKey);

/* Many elements with one call: keys and values lie one behind the other. False with errno, and
 * *count says how many were written. */
bool virBPFUpdateBatch(int mapFd, const void *keys, const void *values, uint32_t *count);
/* The elements behind the place that *position holds (of a key's size; first: from the beginning):
 * at most *count, which becomes how many there were. False with errno, ENOENT if these were the
 * last ones. */
bool virBPFLookupBatch(int mapFd, bool first, void *position, void *retKeys, void *retValues,
                       uint32_t *count);

/* What is attached to the group, without what its ancestors have. At most the kernel's 64. */
#define VIR_BPF_MAX_PROGS 64
typedef struct {
    uint32_t ids[VIR_BPF_MAX_PROGS];
    uint32_t count;
    uint32_t flags;    /* BPF_F_ALLOW_MULTI ... */
    uint64_t revision; /* changes with every attach; 0 on a kernel without */
} virBPFProgs;
/* CAP_NET_ADMIN. effective: with those of the ancestors. */
bool virBPFQueryDeviceProgs(int groupFd, bool effective, virBPFProgs *retProgs);

/* CAP_BPF and CAP_NET_ADMIN. With replaceFd it takes that program's place in one step, otherwise it
 * is added (BPF_F_ALLOW_MULTI). revision not 0: only if nothing has changed since that query, else
 * ESTALE; a kernel without revisions is asked without. */
bool virBPFAttachDeviceProg(int groupFd, int progFd, int replaceFd, uint64_t revision);
bool virBPFDetachDeviceProg(int groupFd, int progFd);

/* The same rights; a link lives while it is open or pinned. */
int virBPFCreateDeviceLink(int groupFd, int progFd);
/* No rights: swaps the program of the link in one step. */
bool virBPFUpdateLink(int linkFd, int progFd);

/* No rights. path is on a bpffs; pins get mode 0600. */
bool virBPFPin(int fd, const char *path);
int virBPFOpenPin(const char *path);

/* CAP_SYS_ADMIN. */
int virBPFOpenProgById(uint32_t id);
int virBPFOpenMapById(uint32_t id);

/* No rights. */
bool virBPFGetProgInfo(int fd, struct bpf_prog_info *retInfo, uint32_t *mapIds, uint32_t mapRoom);
bool virBPFGetMapInfo(int fd, struct bpf_map_info *retInfo);
bool virBPFGetLinkInfo(int fd, struct bpf_link_info *retInfo);
