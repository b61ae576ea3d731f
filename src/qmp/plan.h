/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * plan.h: what is to be told to a QEMU, in order, each step knowing its undo. A value: building it
 * changes nothing in the world.
 *
 * Boot prints a plan as argv (qmpPlanArgv), hot-plug sends it step by step (src/qemu/hotplug.c),
 * unplug and roll-back read it backwards. Back ends come first, front ends last. A step of the host
 * (open a node, make a TAP) hands out descriptors; what is told to QEMU names them by tokens that
 * are replaced when the number, or the name given by getfd, is known. Any thread, one plan a
 * thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "qmp/qmpcaps.h"
#include "util/virjson.h"

typedef enum {
    QMP_STEP_ARG,      /* boot only: option and value; no undo, hot-plug refuses it */
    QMP_STEP_ENV,      /* boot only: a variable of QEMU's environment */
    QMP_STEP_HOST,     /* done by the daemon through the door */
    QMP_STEP_OBJECT,   /* -object, object-add, object-del */
    QMP_STEP_CHARDEV,  /* -chardev, chardev-add, chardev-remove */
    QMP_STEP_NETDEV,   /* -netdev, netdev_add, netdev_del */
    QMP_STEP_BLOCKDEV, /* -blockdev, blockdev-add, blockdev-del */
    QMP_STEP_DEVICE,   /* -device, device_add, device_del and waiting for DEVICE_DELETED */
    QMP_STEP_AUDIODEV, /* -audiodev; boot only */
    QMP_STEP_COMMAND,  /* live only: one command, with another as its undo; update() uses it */
} qmpStepType;

typedef enum {
    QMP_HOST_OPEN,      /* open path with flags */
    QMP_HOST_TAP,       /* make or open a TAP device, or a macvtap */
    QMP_HOST_BRIDGE,    /* ifname becomes a port of bridge; the undo gives it to undoBridge */
    QMP_HOST_VHOST_NET, /* open /dev/vhost-net, count times */
    QMP_HOST_VSOCK,     /* open /dev/vhost-vsock and claim the context id */
    QMP_HOST_LISTEN,    /* a listening UNIX socket at path */
    QMP_HOST_FILE,      /* path is created with text as content, mode 0600, removed by the undo */
    QMP_HOST_VHOST_USER_GPU, /* start the process that draws for alias on the DRM node path; its
                                socket is handed out */
    QMP_HOST_LEASE, /* a lock manager holds the lease at path while the guest runs; no descriptor */
    QMP_HOST_VFIO,  /* the PCI device path ("0000:03:00.0"), or the mediated one with that uuid, is
                       ready to be given away: bound to vfio-pci if flags is 1; a descriptor of the
                       device's own node if fds is 1 */
    QMP_HOST_IOMMUFD, /* open /dev/iommu */
    QMP_HOST_LOG,     /* open path for appending, for QEMU's logfile */
} qmpHostType;

/* Kilobytes a second; burst in KiB. average 0: no limit. */
typedef struct {
    uint64_t average, peak, burst;
} qmpHostRate;

typedef struct {
    qmpHostType type;
    char *path; /* OPEN, LISTEN, FILE, LOG; TAP, VHOST_NET: the node, or NULL for the usual one */
    char *elsePath; /* OPEN: opened if path isn't there; or NULL */
    int flags;      /* OPEN: O_RDWR and so on; LOG: O_TRUNC, or 0 to append */
    char *text;     /* FILE: wiped when freed */
    uint64_t cid;   /* VSOCK; 0: the door chooses the next free one from 3 */
    /* TAP */
    char *ifname;              /* wanted name, a template with %d, or NULL for "vnet%d" */
    char *bridge;              /* port of this bridge, or NULL */
    char *parent;              /* a macvtap on this interface, or NULL: a TAP */
    int mode;                  /* of a macvtap: VIR_INTERFACE_DIRECT_... */
    char *undoBridge;          /* BRIDGE */
    char *script, *downscript; /* run with the name when it is there, before it goes; or NULL */
    char *mac;                 /* the guest's address */
    unsigned queues;           /* at least 1 */
    bool vnetHdr, allowExisting, unmanaged;
    unsigned mtu;               /* 0: leave */
    qmpHostRate sent, received; /* TAP: how much may pass, as the host's end sees it */
    unsigned fds;               /* how many descriptors it hands out */
    char *alias;                /* the device it belongs to */
    bool pass;     /* handed over with -add-fd, as /dev/fdset/N, instead of by number */
    bool tellPath; /* pass: path goes along as the set's "opaque" note */
} qmpHostStep;

typedef struct {
    qmpStepType type;
    char *option;   /* ARG: "-machine"; ENV: the variable's name */
    char *value;    /* ARG: NULL for an option without value */
    virJSON *props; /* OBJECT, CHARDEV, NETDEV, BLOCKDEV, DEVICE, AUDIODEV: the properties; COMMAND:
                       arguments */
    char *command, *undoCommand; /* COMMAND */
    virJSON *undoProps;
    qmpHostStep *host;
    bool secret; /* props hold one: wiped when freed, never logged */
} qmpStep;

typedef struct qmpPlan qmpPlan;

/* caps is borrowed and must outlive the plan. */
qmpPlan *qmpPlanNew(const qmpCaps *caps);
void qmpPlanFree(qmpPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(qmpPlan, qmpPlanFree)
const qmpCaps *qmpPlanCaps(const qmpPlan *plan);
size_t qmpPlanLength(const qmpPlan *plan);
const qmpStep *qmpPlanStep(const qmpPlan *plan, size_t index);

/* Boot only. value NULL: an option alone. */
void qmpPlanArg(qmpPlan *plan, const char *option, const char *value);
void qmpPlanArgF(qmpPlan *plan, const char *option, const char *fmt, ...) G_GNUC_PRINTF(3, 4);
/* Boot only: a variable of QEMU's environment. A later one of the same name wins. */
void qmpPlanEnv(qmpPlan *plan, const char *name, const char *value);

/* All take over props (a member "id", "node-name" for blockdev, names it for the undo). Members
 * keep their order in the text. */
void qmpPlanObject(qmpPlan *plan, virJSON *props /* "qom-type", "id", … */);
/* Flat, as on the command line: {"backend":"socket","id":…,"path":…,"server":true,"wait":false};
 * chardev-add's own shape is made of it when it is sent. */
void qmpPlanChardev(qmpPlan *plan, virJSON *props);
void qmpPlanNetdev(qmpPlan *plan, virJSON *props /* "type", …, "id" */);
void qmpPlanBlockdev(qmpPlan *plan, virJSON *props /* "driver", …, "node-name" */);
void qmpPlanDevice(qmpPlan *plan, virJSON *props /* "driver", …, "id" */);
void qmpPlanAudiodev(qmpPlan *plan, virJSON *props /* "id", "driver", … flat with dots */);
void qmpPlanCommand(qmpPlan *plan, const char *command, virJSON *args, const char *undoCommand,
                    virJSON *undoArgs);
/* The step added last holds a secret. */
void qmpPlanMarkSecret(qmpPlan *plan);

/* A host step, copied; returns its index. alias, path and so on are copied too. */
unsigned qmpPlanHost(qmpPlan *plan, const qmpHostStep *step);
/* How many host steps there are: the index that the next one gets. */
unsigned qmpPlanHosts(const qmpPlan *plan);
/* The token that stands for the n-th descriptor of a host step in any string of later steps; by
 * number on the command line, by getfd's name on the monitor. With pass: "/dev/fdset/N". Caller
 * frees. */
char *qmpPlanFdToken(const qmpPlan *plan, unsigned host, unsigned n);
/* "3:4:5": tokens of all descriptors of a step, separated by colons. Caller frees. */
char *qmpPlanFdTokens(const qmpPlan *plan, unsigned host);

/* What a token becomes: host step, which descriptor of it; returns a new string ("27", "fd-net0").
 */
typedef char *(*qmpPlanFdName)(unsigned host, unsigned n, void *opaque);

/* Everything as words of a command line, options in the order of the steps; host steps print only
 * "-add-fd" where they pass. Caller frees with g_strfreev. */
GPtrArray *qmpPlanArgv(const qmpPlan *plan, qmpPlanFdName name, void *opaque);
/* The plan's environment as "NAME=value", in the order of the steps. Caller unrefs. */
GPtrArray *qmpPlanEnvironment(const qmpPlan *plan);
/* A deep copy of the step's props with tokens replaced, in the shape its QMP command wants. */
virJSON *qmpPlanStepArguments(const qmpStep *step, qmpPlanFdName name, void *opaque);
/* "device_add" and so on; NULL if the step is none for the monitor. */
const char *qmpPlanStepCommand(const qmpStep *step);
/* The undo: its command and arguments; NULL if there is none. */
const char *qmpPlanStepUndo(const qmpStep *step, virJSON **retArguments);
/* "id" or "node-name" of the step, or NULL. */
const char *qmpPlanStepId(const qmpStep *step);
