/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * interface.h: <interface>: a network card and what is behind it. */
#pragma once

#include "device/common/chrsource.h"
#include "device/common/virtio.h"
#include "device/device.h"
#include "device/interface/bandwidth.h"
#include "device/interface/filterref.h"
#include "device/interface/ipinfo.h"
#include "device/interface/virtualport.h"
#include "device/interface/vlan.h"

typedef enum {
    VIR_INTERFACE_USER = 0,
    VIR_INTERFACE_ETHERNET,
    VIR_INTERFACE_VHOSTUSER,
    VIR_INTERFACE_SERVER,
    VIR_INTERFACE_CLIENT,
    VIR_INTERFACE_MCAST,
    VIR_INTERFACE_NETWORK,
    VIR_INTERFACE_BRIDGE,
    VIR_INTERFACE_INTERNAL,
    VIR_INTERFACE_DIRECT,
    VIR_INTERFACE_HOSTDEV,
    VIR_INTERFACE_UDP,
    VIR_INTERFACE_VDPA,
    VIR_INTERFACE_NULL,
    VIR_INTERFACE_VDS,
    VIR_INTERFACE_LAST
} virInterfaceType;
VIR_ENUM_DECL(virInterfaceType);

/* Of the virtio card, and of a host device; one attribute says either. */
typedef enum {
    VIR_INTERFACE_DRIVER_DEFAULT = 0,
    VIR_INTERFACE_DRIVER_QEMU,
    VIR_INTERFACE_DRIVER_VHOST,
    VIR_INTERFACE_DRIVER_KVM,
    VIR_INTERFACE_DRIVER_VFIO,
    VIR_INTERFACE_DRIVER_XEN,
    VIR_INTERFACE_DRIVER_LAST
} virInterfaceDriverName;
VIR_ENUM_DECL(virInterfaceDriverName);

typedef enum {
    VIR_INTERFACE_TX_DEFAULT = 0,
    VIR_INTERFACE_TX_IOTHREAD,
    VIR_INTERFACE_TX_TIMER,
    VIR_INTERFACE_TX_LAST
} virInterfaceTxMode;

typedef enum {
    VIR_INTERFACE_LINK_DEFAULT = 0,
    VIR_INTERFACE_LINK_UP,
    VIR_INTERFACE_LINK_DOWN,
    VIR_INTERFACE_LINK_LAST
} virInterfaceLink;

typedef enum {
    VIR_INTERFACE_TEAMING_NONE = 0,
    VIR_INTERFACE_TEAMING_PERSISTENT,
    VIR_INTERFACE_TEAMING_TRANSIENT,
    VIR_INTERFACE_TEAMING_LAST
} virInterfaceTeaming;
VIR_ENUM_DECL(virInterfaceTeaming);

typedef enum {
    VIR_INTERFACE_DIRECT_VEPA = 0,
    VIR_INTERFACE_DIRECT_PRIVATE,
    VIR_INTERFACE_DIRECT_BRIDGE,
    VIR_INTERFACE_DIRECT_PASSTHROUGH,
    VIR_INTERFACE_DIRECT_LAST
} virInterfaceDirectMode;
VIR_ENUM_DECL(virInterfaceDirectMode);

/* What a network turned out to be when the guest started; known of running guests only. */
typedef struct {
    int type;     /* virInterfaceType */
    char *bridge; /* BRIDGE, NETWORK */
    char *dev;    /* DIRECT */
    int mode;
    virOptUInt classId; /* of the network's traffic shaping */
    virTristate trustGuestRxFilters;
    virVlan vlan;
    virVirtualPort port;
    virBandwidth bandwidth;
} virInterfaceActual;

/* <source>; which members count is the type's affair. */
typedef struct {
    char *network, *portgroup, *portId; /* NETWORK */
    char *bridge;                       /* BRIDGE */
    char *dev;                          /* DIRECT, VDPA */
    int mode;                           /* DIRECT */
    char *name;                         /* INTERNAL */
    char *address, *localAddress;       /* SERVER, CLIENT, MCAST, UDP */
    unsigned port, localPort;           /* the same */
    virChrSource *server;               /* VHOSTUSER: a UNIX socket; else NULL */
    int hostDriver;                     /* HOSTDEV: virInterfaceDriverName */
    virPCIAddress pci;                  /* HOSTDEV */
    char *switchId, *portgroupId;       /* VDS */
    int64_t switchPort, connection;     /* VDS */
    virIPInfo ip;                       /* ETHERNET: of the host's end */
    virInterfaceActual *actual;         /* NETWORK, once it is known; or NULL */
} virInterfaceSource;

/* <driver>, of virtio cards. */
typedef struct {
    int name;   /* virInterfaceDriverName */
    int txMode; /* virInterfaceTxMode */
    virTristate ioeventfd, eventIdx, rss, rssHashReport;
    virOptUInt queues, rxQueueSize, txQueueSize;
    virVirtioOptions virtio;
    struct {
        virTristate csum, gso, tso4, tso6, ecn, ufo, mrgRxbuf;
    } host;
    struct {
        virTristate csum, tso4, tso6, ecn, ufo;
    } guest;
} virInterfaceDriver;

enum { VIR_MAC_SIZE = 6, VIR_MAC_TEXT_SIZE = 18 };

typedef struct {
    virDevice base;
    int type;            /* virInterfaceType */
    virTristate managed; /* HOSTDEV: taken from its host driver at start */
    virTristate trustGuestRxFilters;
    uint8_t mac[VIR_MAC_SIZE];
    bool macGenerated; /* by us, a moment ago */
    int macType;       /* 0: not given; generated, static */
    virTristate macCheck;
    virInterfaceSource source;
    virVlan vlan;
    virVirtualPort virtualPort;
    virBandwidth bandwidth;
    virTristate isolated;
    virIPInfo ip; /* of the guest's end */
    char *script, *downscript, *backendDomain;
    char *ifname; /* of the host's end */
    virTristate tapManaged;
    char *guestName, *guestActual; /* containers */
    char *model;
    virInterfaceDriver driver;
    char *tapPath, *vhostPath;
    virFilterRef filter;
    virOptUInt sndbuf;
    int teaming; /* virInterfaceTeaming */
    char *persistent;
    int link; /* virInterfaceLink */
    virOptUInt mtu;
    virOptUInt rxFrames; /* <coalesce>: interrupts after so many */
} virInterface;

#define VIR_INTERFACE(dev) ((virInterface *)(dev))
extern const virDeviceKind virInterfaceKind;

/* "52:54:00:12:34:56"; returns text. */
char *virInterfaceMAC(const virInterface *iface, char text[VIR_MAC_TEXT_SIZE]);
/* False if text is no address. Any of ":" and "-" between, one or two digits each. */
bool virMACParse(const char *text, uint8_t mac[VIR_MAC_SIZE]);
bool virInterfaceIsVirtio(const virInterface *iface);
virVirtioModel virInterfaceVariant(const virInterface *iface);
/* What it is in fact: the type, or what its network turned out to be. */
virInterfaceType virInterfaceActualType(const virInterface *iface);
/* The host's end is the guest's own (a macvtap): what it sends the guest sends. Else it is the
 * other end of the guest's cable. */
bool virInterfaceSharesHostView(const virInterface *iface);
/* A name that we chose for a host end, as the next start will again. */
bool virInterfaceNameIsMade(const char *name);

/* --- <source> (source.c); rows are virInterface's --- */
bool virInterfaceSourceParse(void *object, xmlNode *node, unsigned parseFlags, GError **error);
void virInterfaceSourceFormat(const void *object, virXMLWriter *w, unsigned formatFlags);
void virInterfaceSourceClear(void *object);
/* --- <actual> (actual.c) --- */
bool virInterfaceActualParse(virInterfaceActual **retActual, const xmlNode *node, GError **error);
/* As <actual> in a status file; NULL writes nothing. */
void virInterfaceActualFormat(const virInterfaceActual *actual, virXMLWriter *w);
void virInterfaceActualFree(virInterfaceActual *actual);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virInterfaceActual, virInterfaceActualFree)
