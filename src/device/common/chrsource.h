/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * chrsource.h: where the bytes of a character device come from and go to: <… type=…>, <source>,
 * <protocol>, <log>.
 *
 * Serial ports, parallel ports, consoles, channels, redirected USB devices, smart cards, EGD and
 * vhost-user interfaces share it. A kind puts virChrSourceTypeFields where its attributes stand and
 * virChrSourceBodyFields where its children stand. A value; any thread, no rights needed. */
#pragma once

#include "device/device.h"

typedef enum {
    VIR_CHR_NULL = 0,
    VIR_CHR_VC,
    VIR_CHR_PTY,
    VIR_CHR_DEV,
    VIR_CHR_FILE,
    VIR_CHR_PIPE,
    VIR_CHR_STDIO,
    VIR_CHR_UDP,
    VIR_CHR_TCP,
    VIR_CHR_UNIX,
    VIR_CHR_SPICEVMC,
    VIR_CHR_SPICEPORT,
    VIR_CHR_NMDM,
    VIR_CHR_QEMU_VDAGENT,
    VIR_CHR_DBUS,
    VIR_CHR_LAST
} virChrType;
VIR_ENUM_DECL(virChrType);

typedef enum {
    VIR_CHR_PROTOCOL_RAW = 0,
    VIR_CHR_PROTOCOL_TELNET,
    VIR_CHR_PROTOCOL_TELNETS,
    VIR_CHR_PROTOCOL_TLS,
    VIR_CHR_PROTOCOL_LAST
} virChrProtocol;
VIR_ENUM_DECL(virChrProtocol);

typedef enum {
    VIR_CHR_MOUSE_DEFAULT = 0,
    VIR_CHR_MOUSE_SERVER,
    VIR_CHR_MOUSE_CLIENT,
    VIR_CHR_MOUSE_LAST
} virChrMouseMode;
VIR_ENUM_DECL(virChrMouseMode);

/* What a client does when the other end goes away. */
typedef struct {
    virTristate enabled;
    unsigned timeout; /* seconds between attempts */
} virChrReconnect;

typedef struct {
    int type;   /* virChrType */
    char *path; /* PTY (only while the guest runs), DEV, FILE, PIPE, UNIX */
    virTristate append;
    bool listen; /* TCP, UNIX: mode='bind' */
    virChrReconnect reconnect;
    char *host, *service;         /* TCP; UDP: where it sends to */
    char *bindHost, *bindService; /* UDP: where it receives */
    int protocol;                 /* TCP: virChrProtocol */
    virTristate tls;
    bool tlsFromConfig;   /* the configuration chose tls, not the document */
    char *channel;        /* SPICEPORT, DBUS */
    char *master, *slave; /* NMDM, which no QEMU knows */
    virTristate clipboard;
    int mouse; /* QEMU_VDAGENT: virChrMouseMode */
    char *logFile;
    virTristate logAppend;
    GPtrArray *seclabels; /* of virDeviceSeclabel, or NULL */
} virChrSource;

/* Rows of the attribute "@type"; if absent it is a pty. Objects are virChrSource. Reading the type
 * reads the whole source. */
extern const virField virChrSourceTypeFields[];
/* Rows of <source>, <protocol>, <log>. */
extern const virField virChrSourceBodyFields[];

/* Reads a source whose type is known from elsewhere (vhost-user, <backend type=…>). node holds the
 * children. VIR_ERR_XML_ERROR. */
bool virChrSourceParse(virChrSource *source, xmlNode *node, unsigned parseFlags, GError **error);
/* The children, into the element that is open in w. */
void virChrSourceFormat(const virChrSource *source, virXMLWriter *w, unsigned formatFlags);
void virChrSourceClear(virChrSource *source);

/* <reconnect> below source, also of vhost-user interfaces. */
bool virChrReconnectParse(virChrReconnect *reconnect, xmlNode *source, GError **error);
void virChrReconnectFormat(const virChrReconnect *reconnect, virXMLWriter *w);

/* Whether all is there that the type needs. mayLackPath: a UNIX socket whose path we choose. */
bool virChrSourceCheck(const virChrSource *source, bool mayLackPath, GError **error);
/* They talk to the same place; labels and logs don't count. */
bool virChrSourceEqual(const virChrSource *a, const virChrSource *b);

/* The pseudo terminal behind it, once QEMU has made one; else NULL. */
static inline const char *
virChrSourceTerminal(const virChrSource *source)
{
    return source->type == VIR_CHR_PTY ? source->path : NULL;
}
