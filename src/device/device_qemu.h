/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * device_qemu.h: the contract between a device kind and QEMU: the running half.
 *
 * `build` says once what QEMU is to be told of a device; boot, hot-plug, unplug and undo all come
 * from it, so no kind has attach code. `touches` says once which host resources a device needs;
 * gate rules, private /dev nodes, ownership and audit all read it. Pure: nothing in the world
 * changes, nothing is opened. Any thread; no rights needed. */
#pragma once

#include <stdbool.h>

#include "device/device.h"
#include "qmp/plan.h"
#include "qmp/qmpcaps.h"
#include "util/virbitmap.h"

/* What the configuration and the instance add to a document. Strings are borrowed. */
typedef struct {
    const char *stateDir;   /* of this guest: monitor socket, secrets ("lib/domain-1-web") */
    const char *channelDir; /* sockets of channels that name no path ("…/channel/target/…") */
    const char *nvramDir;
    const char *logDir;
    const char *vncListen, *spiceListen;     /* defaults of the configuration */
    const char *vncPassword, *spicePassword; /* NULL: none */
    bool vncTLS, spiceTLS, vncSASL, spiceSASL, chardevTLS;
    bool vncTLSVerify;                   /* clients must show a certificate */
    bool vncAutoSocket, spiceAutoSocket; /* displays without address listen on a socket */
    const char *vncTLSPassword;          /* password of the server's key; NULL: none */
    const char *vncSASLDir, *spiceSASLDir;
    const char *renderNode; /* DRM node for displays that name none; NULL: QEMU chooses */
    const char *vncTLSDir, *spiceTLSDir, *chardevTLSDir, *nbdTLSDir;
    bool chardevTLSVerify;          /* a server asks its clients for a certificate */
    const char *chardevTLSPassword; /* of the key in chardevTLSDir; NULL: none */
    bool vhostNet;                  /* /dev/vhost-net is there */
    const char *tpmSocket;          /* where the guest's software TPM listens; NULL: none runs */
    const char *audioEnv;           /* reserved */
    const char *memoryDir;          /* of memory that is backed by files; NULL: none */
    /* Folder or file on a hugetlbfs with pages of this size; NULL: none is mounted. Caller frees.
     */
    char *(*hugepagePath)(uint64_t pageKiB, int id, const char *name, void *opaque);
    void *hugepageOpaque;
    bool dumpGuestCore;                      /* a core of QEMU holds the guest's memory */
    bool lockManager;                        /* disks are leased: <on_lockfailure> has a meaning */
    bool fips;                               /* the kernel is in FIPS mode */
    const char *incoming;                    /* the URI a guest comes from; NULL: told later */
    const char *(*getenv)(const char *name); /* NULL: getenv(3) */
    int64_t (*now)(void);                    /* NULL: time(2) */
    bool privileged;
    bool stdioLogd;
    bool transientDisks; /* somebody makes overlays for <transient/> disks once QEMU runs */
    /* Password of a device (VNC, SPICE, disk encryption) as base64 of AES-256-CBC under the guest's
     * master key; NULL if the running QEMU takes plain secrets only. retIv: caller frees. */
    char *(*encrypt)(const char *plain, size_t len, char **retIv, void *opaque);
    void *encryptOpaque;
    /* What the build may ask of the host without touching it; NULL in places where it can't. */
    const char *(*nodeName)(const char *path);
    /* True for the node of a real CD-ROM drive. NULL: none is. */
    bool (*isCdrom)(const char *path);
    /* The value of a secret that a document names by uuid or by usage (the other is NULL); NULL
     * with an error. Caller frees with virSecureFreeString. NULL: there is no secret driver. */
    char *(*secret)(const char *type, const char *uuid, const char *usage, void *opaque,
                    GError **error);
    /* What a volume of a storage pool is, "file", "block" or "dir", and its path; caller frees
     * both. NULL: there is no storage driver. */
    bool (*volume)(const char *pool, const char *volume, char **retType, char **retPath,
                   void *opaque, GError **error);
    /* The VFIO node of a host's PCI device that is ready to be given away; caller frees. NULL: none
     * can be. */
    char *(*vfioNode)(const virPCIAddress *address, void *opaque, GError **error);
    void *hostOpaque; /* of secret, volume, vfioNode */
} qemuBuildConfig;

typedef struct qemuBuildContext qemuBuildContext;

/* Memory that a device wants a back end for. Strings and maps are borrowed. */
typedef struct {
    const char *id;            /* of the object: "memdimm0" */
    const char *alias;         /* of the device; names a file below the guest's memory folder */
    uint64_t sizeKiB;          /* as it is to be, aligned */
    int node;                  /* of the guest; -1: none */
    int access;                /* 0 as the document says of the node, 1 shared, 2 private */
    virTristate discard;       /* ABSENT: as the document says of the node */
    uint64_t pageKiB;          /* 0: as the document says of the node */
    const virBitmap *nodemask; /* of the host; NULL: as the document says of the node */
    const char *path;          /* the file that is the memory; NULL: none */
    uint64_t alignKiB;         /* 0: QEMU's */
    bool pmem;                 /* path is persistent memory: nothing is allocated beforehand */
    bool sparse;               /* grows and shrinks: nothing is reserved or allocated beforehand */
} qemuMemoryBackend;

struct qemuBuildContext {
    const virDomainFacts *facts;
    const qmpCaps *caps;
    const qemuBuildConfig *config;
    bool incoming; /* the guest comes by migration or from a save file */
    bool hotplug;  /* into a running guest: no boot-only arguments */
    bool unplug;   /* it is to leave a running guest */
    bool force;    /* update: even if the guest holds on to it (a locked tray) */
    /* The back end's object, with what the whole document says of memory (huge pages, source,
     * access, NUMA tuning): known to whoever knows the whole, src/qemu. Caller unrefs. */
    virJSON *(*memoryBackend)(const qemuMemoryBackend *wanted, const qemuBuildContext *ctx,
                              GError **error);
};

typedef enum {
    VIR_HOST_READ = 1 << 0,
    VIR_HOST_WRITE = 1 << 1,
} virHostAccessMode;

/* One host resource of a device. */
typedef struct {
    char *path;
    unsigned mode; /* virHostAccessMode */
    bool node;     /* a device node if it turns out to be one: gate rule and private /dev */
    bool own;      /* QEMU's user must own it while the guest runs (images, not shared nodes) */
    bool shared;   /* other guests may use it too: its owner is not put back afterwards */
    bool optional; /* may be missing */
    char *alias;   /* owner of the gate rule */
} virHostResource;

/* A list of virHostResource. */
typedef struct {
    GPtrArray *resources;
} virHostAccess;

virHostAccess *virHostAccessNew(void);
void virHostAccessFree(virHostAccess *access);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virHostAccess, virHostAccessFree)
/* Copies what it is given; returns the entry so that flags can be set. */
virHostResource *virHostAccessAdd(virHostAccess *access, const virDevice *dev, const char *path,
                                  unsigned mode);

/* What a device may ask for at each start, done by the driver. */
typedef struct {
    /* A free display port, or wanted itself (0: any); 0 with an error if it is taken. alias says
     * what for: "vnc", "vnc-websocket", "spice", "spice-tls". */
    unsigned (*port)(unsigned wanted, const char *alias, void *opaque, GError **error);
    /* A free vsock context id, or wanted itself (0: any); 0 with an error. */
    uint64_t (*contextId)(uint64_t wanted, void *opaque, GError **error);
    /* The next number for a block node of this guest: 1, 2 … over its whole run. */
    unsigned (*blockNode)(void *opaque);
    void *opaque;
    /* The generic node ("/dev/sg0") of a SCSI device of the host; NULL with an error. Caller frees.
     * NULL: none can be found. */
    char *(*scsiGeneric)(const char *adapter, unsigned bus, unsigned target, uint64_t unit,
                         void *opaque, GError **error);
    /* Where the one USB device of the host with these ids sits. NULL: none can be found. */
    bool (*usbDevice)(unsigned vendor, unsigned product, unsigned *retBus, unsigned *retDevice,
                      void *opaque, GError **error);
    /* The node of the IOMMU group that a PCI device of the host is in; NULL: it is in none. Caller
     * frees. NULL: not here. */
    char *(*vfioGroup)(const virPCIAddress *address, void *opaque);
} qemuClaims;

/* What was found of a device on the host. */
typedef enum {
    QEMU_FOUND,
    QEMU_FOUND_NOT, /* and the document says that the guest is to start without it */
    QEMU_FOUND_ERROR,
} qemuFinding;

/* Where a kind's devices stand on the command line, beside the order of the list. */
typedef enum {
    QEMU_BOOT_STAGE_MAIN = 0,
    QEMU_BOOT_STAGE_MEMORY, /* with the guest's nodes */
    QEMU_BOOT_STAGE_FIRST,  /* before the controllers */
    QEMU_BOOT_STAGE_LATE,   /* behind -incoming */
    QEMU_BOOT_STAGE_LAST,   /* behind all that the user adds */
} qemuBootStage;

/* How a device has QEMU lock the guest's memory. */
typedef enum {
    QEMU_LOCKS_NOTHING,
    QEMU_LOCKS_SHARED, /* all of it, counted once for all such devices */
    QEMU_LOCKS_OWN,    /* all of it, counted once more for each such device */
    QEMU_LOCKS_APART,  /* none, but the guest translates addresses by it: each of the shared ones
                        * counts on its own */
} qemuLocks;

typedef struct virDeviceQemu virDeviceQemu;
struct virDeviceQemu {
    const virDeviceKind *kind;
    qemuBootStage stage;
    /* Gives add what a guest gets that neither names nor refuses a device of the kind: its balloon,
     * PS/2 inputs, the card behind a display. Before complete. NULL: nothing. */
    void (*implicit)(const virDomainFacts *facts, const qmpCaps *caps,
                     void (*add)(virDevice *dev, void *opaque), void *opaque);
    /* Defaults that depend on what this QEMU can do (model of a NIC, of a USB controller). Called
     * before the kind's own complete, which may build on the model that is chosen here. caps may be
     * NULL (no such binary): then only what needs none. NULL: none. */
    bool (*complete)(virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                     unsigned parseFlags, GError **error);
    /* What this QEMU, or any, cannot do: VIR_ERR_CONFIG_UNSUPPORTED naming element and reason. */
    bool (*check)(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                  GError **error);
    /* What is chosen at each start (display ports, context ids, paths of sockets, node names), into
     * the live document before it is published. Aliases are there. NULL: nothing. */
    bool (*claim)(virDevice *dev, const qemuBuildContext *ctx, const qemuClaims *claims,
                  GError **error);
    bool claimLastFirst; /* the last device of the kind comes first */
    /* The device reads or writes the block node: retPlain is its name if the node is the device's
     * own image and marks are set by that, retIndexed that of the image in the chain ("vda[2]");
     * both are new. *retPath: of the image, borrowed, or NULL. NULL: has no nodes. */
    bool (*ownsNode)(const virDevice *dev, const char *node, char **retPlain, char **retIndexed,
                     const char **retPath);
    /* Reads what only files of the host say (the images below a disk's own), into the document;
     * what it finds makes its claims. After claim, before touches and build. Blocks: without the
     * core lock. NULL: nothing. */
    qemuFinding (*discover)(virDevice *dev, const qemuBuildContext *ctx, const qemuClaims *claims,
                            GError **error);
    /* Host resources the device needs. NULL: none. */
    void (*touches)(const virDevice *dev, const qemuBuildContext *ctx, virHostAccess *out);
    /* Whether the device reaches the guest's memory past QEMU. NULL: no matter. */
    qemuLocks (*locks)(const virDevice *dev);
    /* What QEMU is to be told, back ends first, front end last. */
    bool (*build)(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan, GError **error);
    /* A host step of this device was done; name is what it made (an interface). NULL: no matter. */
    void (*hostDone)(virDevice *dev, const qmpHostStep *step, const char *name);
    /* What the running QEMU says, to be kept in the live document. command: "query-chardev" and
     * "query-block" when it has started, "chardev-add" once a device was plugged in (the reply is
     * query-chardev's too), "VSERPORT_CHANGE" for an event's data. NULL: no matter. */
    void (*learn)(virDevice *dev, const char *command, virJSON *reply);
    /* What has to be said to the monitor after the start, before the guest runs (passwords):
     * COMMAND steps. NULL: nothing. */
    bool (*afterStart)(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan,
                       GError **error);
    /* Place on the command line among its kind, smaller first; equal ranks stay in document order.
     * NULL: document order. */
    int (*bootRank)(const virDevice *dev);
    /* What a request for an update need not say is as it is: fills wanted from dev. Before claim
     * and update. NULL: alias and address are all. */
    void (*inherit)(virDevice *wanted, const virDevice *dev);
    /* Live change without unplugging (media, link state). NULL: cannot. What differs and cannot be
     * changed is VIR_ERR_OPERATION_UNSUPPORTED or CONFIG_UNSUPPORTED naming it. */
    bool (*update)(const virDevice *dev, const virDevice *wanted, const qemuBuildContext *ctx,
                   qmpPlan *plan, GError **error);
    /* False with the reason if the device cannot come or go while the guest runs. NULL: it can. */
    bool (*hotpluggable)(const virDevice *dev, const qemuBuildContext *ctx, GError **error);
};

/* All running halves in the order of the command line; ends with NULL (kinds_qemu.c). A kind may
 * stand in it more than once only through the split of kinds_qemu.c (controllers by type). */
extern const virDeviceQemu *const virDeviceQemus[];
const virDeviceQemu *virDeviceQemuOf(const virDevice *dev);

/* Adds "bus", "addr", "multifunction", "port", … of the device's address as QEMU wants them, after
 * what is in props. */
bool qemuAddressProps(const virDevice *dev, const qemuBuildContext *ctx, virJSON *props,
                      GError **error);
/* The place in the boot order: of the device itself, else by <os> if it is the first of what <os>
 * names; a device that comes to a running guest has only its own. */
virOptUInt qemuBootIndex(const virDevice *dev, const qemuBuildContext *ctx);
/* Adds "bootindex" if the document orders it, "loadparm", "rombar", "romfile", "acpi-index". */
void qemuBootIndexProps(const virDevice *dev, const qemuBuildContext *ctx, virJSON *props);
void qemuRomProps(const virDevice *dev, virJSON *props);

/* claim() of all devices, in the order of the kinds. */
bool qemuDevicesClaim(const GPtrArray *devices, const qemuBuildContext *ctx,
                      const qemuClaims *claims, GError **error);

/* discover() of all devices, last first; those that are not found and may be missing are taken out
 * of devices. */
bool qemuDevicesDiscover(GPtrArray *devices, const qemuBuildContext *ctx, const qemuClaims *claims,
                         GError **error);

/* For the contract's hotpluggable: a kind whose devices never come or go while the guest runs. */
bool qemuDeviceNeverHotpluggable(const virDevice *dev, const qemuBuildContext *ctx, GError **error);
