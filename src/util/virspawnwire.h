/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virspawnwire.h: what virSpawn and virtward-spawn say to each other. Plain C: the program links
 * neither GLib nor anything else of ours.
 *
 * They are built together and speak over one SOCK_SEQPACKET pair, number 3 in the child:
 *
 *     1. daemon -> child   packets with the bytes "fd" and descriptors attached, at most
 *                          VIR_SPAWN_WIRE_BATCH each: first a memfd that holds the request, then
 *                          those that the request counts (those of groups to join last)
 *     2. with PREPARE: child -> daemon virSpawnWireReply with step PREPARE, when it is in its
 * groups; daemon -> child a packet "go" when it may go on
 *     3. child  -> daemon  virSpawnWireReply with step READY, right before the exec
 *     4. child  -> daemon  virSpawnWireReply with the step that failed and errno, and it ends; or
 *                          nothing, and the socket closes by the exec: success
 *
 * The request is virSpawnWireHeader, then in this order and without gaps: limits, nodes, groups
 * (uint32_t), targets (int32_t), strings (each with its NUL): the folder to change to, argv, the
 * environment, names of nodes. Numbers are in the machine's order. */
#pragma once

#include <stdint.h>

#define VIR_SPAWN_WIRE_MAGIC 0x76737033u /* "vsp3": changes with the layout */
#define VIR_SPAWN_WIRE_FD 3              /* the pair's number in the child */
#define VIR_SPAWN_WIRE_MAX (16u << 20)   /* bytes of a request */
#define VIR_SPAWN_WIRE_BATCH 200         /* descriptors a packet; the kernel's limit is 253 */
#define VIR_SPAWN_WIRE_MAX_FDS 65536
#define VIR_SPAWN_WIRE_MAX_TARGET (1 << 20)

enum {
    VIR_SPAWN_WIRE_SET_ID = 1 << 0,
    VIR_SPAWN_WIRE_SET_OOM = 1 << 1,
    VIR_SPAWN_WIRE_SESSION = 1 << 2,
    VIR_SPAWN_WIRE_NO_NEW_PRIVS = 1 << 3,
    VIR_SPAWN_WIRE_PRIVATE_DEV = 1 << 4,
    VIR_SPAWN_WIRE_DIE_WITH_PARENT = 1 << 5,
    VIR_SPAWN_WIRE_MOUNT_NODES = 1 << 6, /* with PRIVATE_DEV: even where mknod would do */
    VIR_SPAWN_WIRE_PREPARE = 1 << 7,
    VIR_SPAWN_WIRE_OWN_MOUNTS = 1 << 8,
};

typedef struct {
    uint32_t magic;
    uint32_t flags;
    uint32_t uid;
    uint32_t gid;
    uint64_t keepCaps;
    int32_t oomScoreAdj;
    uint32_t umask;
    uint32_t nlimits;
    uint32_t nnodes;
    uint32_t ngroups;
    uint32_t ntargets;
    uint32_t nargv;
    uint32_t nenv;
    uint32_t njoins;
    uint32_t padding;
    uint64_t stringsSize;
} virSpawnWireHeader;

typedef struct {
    uint64_t soft;
    uint64_t hard;
    uint32_t resource;
    uint32_t padding;
} virSpawnWireLimit;

typedef struct {
    uint64_t device;
    uint32_t mode;
    uint32_t uid;
    uint32_t gid;
    uint32_t padding;
} virSpawnWireNode;

/* In the order they are done; virspawn.c has a sentence for each. */
typedef enum {
    VIR_SPAWN_STEP_READY,
    VIR_SPAWN_STEP_HELPER,  /* exec of virtward-spawn itself */
    VIR_SPAWN_STEP_REQUEST, /* the request was cut short or makes no sense */
    VIR_SPAWN_STEP_JOIN,
    VIR_SPAWN_STEP_PREPARE, /* errno 0: it waits */
    VIR_SPAWN_STEP_SESSION,
    VIR_SPAWN_STEP_LIMIT, /* detail: number of the resource */
    VIR_SPAWN_STEP_OOM,
    VIR_SPAWN_STEP_NAMESPACE,
    VIR_SPAWN_STEP_DEV,  /* building the private /dev */
    VIR_SPAWN_STEP_NODE, /* detail: which node */
    VIR_SPAWN_STEP_IDENTITY,
    VIR_SPAWN_STEP_CAPABILITIES,
    VIR_SPAWN_STEP_FOLDER,
    VIR_SPAWN_STEP_DESCRIPTORS,
    VIR_SPAWN_STEP_EXEC,
    VIR_SPAWN_STEP_LAST
} virSpawnStep;

typedef struct {
    uint32_t magic;
    uint32_t step;
    int32_t errnum;
    uint32_t detail;
} virSpawnWireReply;
