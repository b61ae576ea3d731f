/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * device.h: the contract between a device kind and the rest, model half: no QEMU, no host.
 *
 * A kind is a folder. Its struct begins with a virDevice; its row table says what stands in the
 * document; the callbacks say what rows cannot. A device is a value: once its definition is
 * published nobody changes it. Any thread; no rights needed. */
#pragma once

#include <glib.h>
#include <libxml/tree.h>
#include <stdbool.h>

#include "device/address.h"
#include "device/field.h"
#include "util/virxml.h"

typedef struct virDevice virDevice;
typedef struct virDeviceKind virDeviceKind;
typedef struct virDomainFacts virDomainFacts;

/* What every device may carry; the rows are virDeviceInfoFields. */
typedef struct {
    char *alias; /* of a running guest, or "ua-…" chosen by the user */
    virAddress address;
    virOptUInt bootIndex; /* <boot order=…/> */
    char *bootLoadparm;
    virOptUInt masterStartPort; /* <master startport=…/> of a USB companion controller */
    virOptUInt acpiIndex;       /* <acpi index=…/> */
    virTristate romEnabled, romBar;
    char *romFile;
} virDeviceInfo;

struct virDevice {
    const virDeviceKind *kind;
    virDeviceInfo info;
    bool implicit; /* added by us: left out of migratable and compared documents where libvirt does
                    */
};

/* Which kind of PCI slot a device wants; bits, as src/domain/pci.c matches them with what a
 * controller offers. 0: not on PCI. */
typedef enum {
    VIR_PCI_CONNECT_HOTPLUGGABLE = 1 << 0,
    VIR_PCI_CONNECT_AGGREGATE = 1 << 1, /* may share a slot as one of eight functions */
    VIR_PCI_CONNECT_PCI_DEVICE = 1 << 2,
    VIR_PCI_CONNECT_PCIE_DEVICE = 1 << 3,
    VIR_PCI_CONNECT_PCIE_ROOT_PORT = 1 << 4,
    VIR_PCI_CONNECT_PCIE_SWITCH_UPSTREAM_PORT = 1 << 5,
    VIR_PCI_CONNECT_PCIE_SWITCH_DOWNSTREAM_PORT = 1 << 6,
    VIR_PCI_CONNECT_DMI_TO_PCI_BRIDGE = 1 << 7,
    VIR_PCI_CONNECT_PCI_EXPANDER_BUS = 1 << 8,
    VIR_PCI_CONNECT_PCIE_EXPANDER_BUS = 1 << 9,
    VIR_PCI_CONNECT_PCI_BRIDGE = 1 << 10,
    VIR_PCI_CONNECT_PCIE_TO_PCI_BRIDGE = 1 << 11,
    VIR_PCI_CONNECT_AUTOASSIGN = 1 << 12, /* not set by kinds */
} virPCIConnect;

/* A place on bus 0 that a device has on real hardware. */
typedef struct {
    unsigned slot;
    bool must; /* it works nowhere else: the primary video card of old binaries */
    bool next; /* if taken, the next free slot is chosen at once, before other kinds choose */
} virPCIPlace;

/* As what firmware can boot a device; <os> orders these where devices are not ordered one by one.
 */
typedef enum {
    VIR_BOOTS_NONE = 0,
    VIR_BOOTS_DISK,
    VIR_BOOTS_CDROM,
    VIR_BOOTS_FLOPPY,
    VIR_BOOTS_NETWORK,
    VIR_BOOTS_LAST
} virBootsAs;

/* What a kind may know of the whole. Borrowed; valid while the definition is. */
struct virDomainFacts {
    int virtType;        /* virDomainVirtType */
    const char *arch;    /* "x86_64", "i686" */
    const char *machine; /* as in the document */
    const char *osType;  /* "hvm" */
    const char *name;
    bool i440fx, q35, isapc, microvm; /* class of the machine, aliases resolved */
    bool hasIDE;                      /* the machine has one built in */
    bool hasSATA;
    bool uefi;
    /* What the QEMU that will run it can do, as far as addresses depend on it. */
    bool virtioModern;       /* virtio 1.0: a virtio device may sit on PCI Express */
    bool pcieToPCIBridge;    /* else a DMI to PCI bridge leads to plain PCI */
    bool primaryVideoFree;   /* the primary video card may sit anywhere */
    const char *channelRoot; /* where sockets of channels that name no path lie, or NULL */
    /* The host's sound driver (QEMU_AUDIO_DRV), NULL: none; who may use it beside windows. */
    const char *hostAudio;
    bool hostAudioVNC, hostAudioHeadless;
    virBootsAs boots[VIR_BOOTS_LAST]; /* <os>'s order, up to the first NONE */
    const GPtrArray *devices;         /* of virDevice, all of them */
    uint64_t memoryKiB, vcpus;
    uint64_t memoryCurrentKiB; /* <currentMemory>: what the guest begins with */
    uint64_t memoryMaxKiB;     /* <maxMemory>; 0: none */
    unsigned memorySlots, numaNodes;
    const void *def; /* the virDomainDef, opaque here; src/domain and src/qemu may cast */
};

/* Changes of the devices that a domain has; the bits of live and stored below. */
typedef enum {
    VIR_DEVICE_ATTACH = 1 << 0,
    VIR_DEVICE_DETACH = 1 << 1,
    VIR_DEVICE_UPDATE = 1 << 2,
    VIR_DEVICE_COMES_AND_GOES = VIR_DEVICE_ATTACH | VIR_DEVICE_DETACH,
} virDeviceChange;

/* How a kind takes to changes: of the running guest, or of the stored definition. */
typedef struct {
    unsigned changes; /* virDeviceChange: those it knows */
    /* What is said if no device is meant: code and text, with one %s for label's answer or none.
     * NULL: "no matching NOUN device was found". */
    int missingCode;
    const char *missing;
    int missingUpdateCode; /* the same of an update, where that differs */
    const char *missingUpdate;
    /* A domain has at most one, and what is said if it has none; label is then asked of the one it
     * has. NULL: missing serves. */
    const char *none;
    bool anyMatches; /* the one it has is meant, whatever a request says of it */
} virDeviceChanges;

struct virDeviceKind {
    const char *element;    /* child of <devices>; order of the kind table is order in the XML */
    const char *noun;       /* in messages: "disk", "interface" */
    size_t size;            /* of the struct that begins with a virDevice */
    const virField *fields; /* one row per attribute; put virDeviceInfoFields in as a mixin */
    /* After the rows: what they cannot say. */
    bool (*parse)(virDevice *dev, xmlNode *node, unsigned parseFlags, GError **error);
    /* Defaults that hold for any hypervisor. NULL: none. Called once a document, in document order.
     */
    bool (*complete)(virDevice *dev, const virDomainFacts *facts, unsigned parseFlags,
                     GError **error);
    /* Contradictions inside one device or with the facts. */
    bool (*check)(const virDevice *dev, const virDomainFacts *facts, GError **error);
    void (*clear)(virDevice *dev);
    /* Whether a, which is there, stands before (<0) or behind (>0) b, which comes; 0: neither, b is
     * placed by others. NULL: as given. */
    int (*order)(const virDevice *a, const virDevice *b);
    bool keepsOrder; /* in a document they stay as written; order() is for those that come later */
    /* Which device a <kind> of a detach or update request means. NULL: all rows given must match.
     */
    bool (*matches)(const virDevice *dev, const virDevice *wanted);
    virDeviceChanges live, stored;
    /* By what a user knows it ("vdb"), in what is said of a missing one. Caller frees. */
    char *(*label)(const virDevice *dev);
    /* A request that fits several is refused; else the first of them is meant. */
    bool onlyOneMatches;
    /* False with the reason if a device like this never comes to a running guest or never leaves
     * one (change: ATTACH, DETACH), which is said before it is looked for. NULL: whether it does is
     * the running half's matter alone. */
    bool (*mayChangeLive)(const virDevice *dev, virDeviceChange change, GError **error);
    /* False with the reason if it cannot come to devices as they are. NULL: it always can. */
    bool (*mayJoin)(const virDevice *dev, const GPtrArray *devices, bool live, GError **error);
    /* The slot it wants if it has no address yet; 0: none. NULL: never on PCI. */
    unsigned (*pciConnect)(const virDevice *dev, const virDomainFacts *facts);
    /* The controller it hangs on (virControllerType), which is added if it is missing; -1: none.
     * retIndex: the one its address names, or 0. NULL: never hangs on one. */
    int (*controller)(const virDevice *dev, unsigned *retIndex);
    /* One that is added for it is of the model that the guest has already, if any. */
    bool controllerAlike;
    /* Without an address it is left to QEMU, though it hangs on a controller. Consoles. */
    bool addressOptional;
    /* As what it is booted. NULL: not by <os>. */
    virBootsAs (*bootsAs)(const virDevice *dev);
    /* It hangs on a USB bus and wants a port there. NULL: never. */
    bool (*onUSB)(const virDevice *dev);
    /* It is left out of a document written with these flags. NULL: never. Inputs, controllers that
     * older daemons make by themselves. */
    bool (*hidden)(const virDevice *dev, unsigned formatFlags);
    /* The customary place on bus 0 of this machine; false: none. NULL: never has one. */
    bool (*pciPlace)(const virDevice *dev, const virDomainFacts *facts, virPCIPlace *ret);
    /* A USB hub: how many ports it gives. */
    unsigned usbPorts;
    /* Prefix of the alias libvirt gives ("rng" for rng0); NULL: the kind implements alias. */
    const char *aliasPrefix;
    /* May return NULL: a device without alias. */
    char *(*alias)(const virDevice *dev, const virDomainFacts *facts, unsigned index);
    /* The path that a user knows it by: a disk's image; may be NULL. NULL: has none. */
    const char *(*source)(const virDevice *dev);
    /* It makes the machine offer NVDIMMs; it is the panic of Hyper-V, a CPU feature. NULL: no. */
    bool (*isNVDIMM)(const virDevice *dev);
    bool (*isHypervPanic)(const virDevice *dev);
    /* Path of the pseudo terminal a console client is to be connected with; NULL: it has none now.
     */
    const char *(*terminal)(const virDevice *dev);
    /* The guest agent listens behind it. NULL: never. */
    bool (*isAgent)(const virDevice *dev);
    /* Compares beyond the ABI rows. NULL: rows are enough. */
    bool (*sameABI)(const virDevice *a, const virDevice *b, GError **error);
};

/* <boot/> <alias/> <rom/> <acpi/> <address/> in libvirt's order; put in a kind's table with
 * VIR_FIELD_DEVICE_INFO, at the place where the kind writes them. */
extern const virField virDeviceInfoFields[];
#define VIR_FIELD_DEVICE_INFO VIR_FIELD_MIXIN(virDevice, info, virDeviceInfoFields)

/* All kinds in document order; ends with NULL. The one list of model halves (kinds.c). */
extern const virDeviceKind *const virDeviceKinds[];
/* Elements in the order in which kinds choose PCI slots; ends with NULL. PCI buses come before. */
extern const char *const virDeviceSlotOrder[];
/* By element name; NULL if there is no such kind. A kind whose element is shared (none today)
 * may not be in twice. */
const virDeviceKind *virDeviceKindByElement(const char *element);

/* A zeroed device of the kind. */
virDevice *virDeviceNew(const virDeviceKind *kind);
void virDeviceFree(virDevice *dev);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virDevice, virDeviceFree)
/* node is the kind's element. VIR_ERR_XML_ERROR, VIR_ERR_CONFIG_UNSUPPORTED. Caller frees. */
virDevice *virDeviceParse(xmlNode *node, unsigned parseFlags, GError **error);
void virDeviceFormat(const virDevice *dev, virXMLWriter *w, unsigned formatFlags);
/* Text of one element; NULL on error. For tests and for attach-device. */
virDevice *virDeviceParseText(const char *xml, unsigned parseFlags, GError **error);
/* By way of the text, nothing left out. */
virDevice *virDeviceCopy(const virDevice *dev);
bool virDeviceSameABI(const virDevice *a, const virDevice *b, GError **error);

/* Whether one can sit where the other does: they want the same sort of place. */
bool virDeviceSitsAlike(const virDevice *a, const virDevice *b, const virDomainFacts *facts);

/* The n-th (from 0) device of a kind, or NULL: for look-ups over facts->devices. */
virDevice *virDevicesNth(const GPtrArray *devices, const virDeviceKind *kind, unsigned n);
unsigned virDevicesCount(const GPtrArray *devices, const virDeviceKind *kind);
#define virDevicesForEach(devices, ofKind, var)                                                    \
    for (guint var##At = 0; var##At < (devices)->len; var##At++)                                   \
        for (virDevice *var = g_ptr_array_index(devices, var##At);                                 \
             var && ((ofKind) == NULL || var->kind == (ofKind)); var = NULL)
