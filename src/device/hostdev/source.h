/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * source.h: <source> of <hostdev>: which device of the host. Its form depends on the bus. */
#pragma once

#include "device/address.h"
#include "device/field.h"

typedef enum {
    VIR_HOSTDEV_TYPE_NONE = 0,
    VIR_HOSTDEV_TYPE_USB,
    VIR_HOSTDEV_TYPE_PCI,
    VIR_HOSTDEV_TYPE_SCSI,
    VIR_HOSTDEV_TYPE_SCSI_HOST,
    VIR_HOSTDEV_TYPE_MDEV,
    VIR_HOSTDEV_TYPE_LAST
} virHostdevType;
VIR_ENUM_DECL(virHostdevType);

typedef enum {
    VIR_HOSTDEV_STARTUP_DEFAULT = 0,
    VIR_HOSTDEV_STARTUP_MANDATORY,
    VIR_HOSTDEV_STARTUP_REQUISITE,
    VIR_HOSTDEV_STARTUP_OPTIONAL,
    VIR_HOSTDEV_STARTUP_LAST
} virHostdevStartup;

/* What a type doesn't use is zero. */
typedef struct {
    /* usb */
    int startupPolicy; /* virHostdevStartup */
    int guestReset;    /* names in source.c; 0: not given */
    virOptUInt vendor, product;
    unsigned bus, device; /* 0: not known yet */
    char *port;
    bool autoAddress; /* bus and device were found by vendor and product: live only */
    bool missing;     /* not there, and that is allowed: live only */
    /* pci */
    virPCIAddress pci;
    virTristate writeFiltering;
    /* scsi */
    char *adapter; /* "scsi_host0" */
    unsigned scsiBus, scsiTarget;
    uint64_t scsiUnit;
    char *iqn, *host, *port3260, *user; /* iscsi: iqn is the name, with "/LUN" */
    char *secretUsage, *secretUUID;
    char *initiator;
    /* scsi_host */
    char *wwpn;
    /* mdev */
    char *uuid;
} virHostdevSource;

/* node is <source>. VIR_ERR_XML_ERROR, VIR_ERR_CONFIG_UNSUPPORTED. */
bool virHostdevSourceParse(virHostdevSource *source, int type, xmlNode *node, unsigned parseFlags,
                           GError **error);
void virHostdevSourceFormat(const virHostdevSource *source, int type, virXMLWriter *w,
                            unsigned formatFlags);
void virHostdevSourceClear(virHostdevSource *source);
/* The same device of the host. */
bool virHostdevSourceSame(const virHostdevSource *a, const virHostdevSource *b, int type);
/* "off", "uninitialized", "on"; NULL if not given. */
const char *virHostdevSourceGuestReset(const virHostdevSource *source);
