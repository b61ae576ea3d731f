/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * source.h: where the bytes of a disk are: one image, and by its `backing` the chain below it.
 *
 * The document and what only the daemon knows (node names, aliases of secrets) are one struct, as
 * both go to the status file. Any thread; no rights needed. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "device/common/seclabel.h"
#include "device/device.h"
#include "util/storage/virimage.h"

typedef enum {
    VIR_STORAGE_TYPE_NONE = 0, /* as a backing image: the end of the chain */
    VIR_STORAGE_TYPE_FILE,
    VIR_STORAGE_TYPE_BLOCK,
    VIR_STORAGE_TYPE_DIR,
    VIR_STORAGE_TYPE_NETWORK,
    VIR_STORAGE_TYPE_VOLUME,
    VIR_STORAGE_TYPE_NVME,
    VIR_STORAGE_TYPE_VHOST_USER,
    VIR_STORAGE_TYPE_LAST
} virStorageType;
VIR_ENUM_DECL(virStorageType);

typedef enum {
    VIR_STORAGE_PROTOCOL_NONE = 0,
    VIR_STORAGE_PROTOCOL_NBD,
    VIR_STORAGE_PROTOCOL_RBD,
    VIR_STORAGE_PROTOCOL_SHEEPDOG,
    VIR_STORAGE_PROTOCOL_GLUSTER,
    VIR_STORAGE_PROTOCOL_ISCSI,
    VIR_STORAGE_PROTOCOL_HTTP,
    VIR_STORAGE_PROTOCOL_HTTPS,
    VIR_STORAGE_PROTOCOL_FTP,
    VIR_STORAGE_PROTOCOL_FTPS,
    VIR_STORAGE_PROTOCOL_TFTP,
    VIR_STORAGE_PROTOCOL_SSH,
    VIR_STORAGE_PROTOCOL_VXHS,
    VIR_STORAGE_PROTOCOL_NFS,
    VIR_STORAGE_PROTOCOL_LAST
} virStorageProtocol;
VIR_ENUM_DECL(virStorageProtocol);

typedef enum {
    VIR_STORAGE_TRANSPORT_TCP = 0,
    VIR_STORAGE_TRANSPORT_UNIX,
    VIR_STORAGE_TRANSPORT_RDMA,
    VIR_STORAGE_TRANSPORT_LAST
} virStorageTransport;
VIR_ENUM_DECL(virStorageTransport);

typedef enum {
    VIR_STORAGE_VOLUME_MODE_NONE = 0,
    VIR_STORAGE_VOLUME_MODE_HOST,
    VIR_STORAGE_VOLUME_MODE_DIRECT,
    VIR_STORAGE_VOLUME_MODE_LAST
} virStorageVolumeMode;
VIR_ENUM_DECL(virStorageVolumeMode);

typedef enum {
    VIR_ENCRYPTION_FORMAT_NONE = 0,
    VIR_ENCRYPTION_FORMAT_QCOW,
    VIR_ENCRYPTION_FORMAT_LUKS,
    VIR_ENCRYPTION_FORMAT_LUKS2,
    VIR_ENCRYPTION_FORMAT_LUKS_ANY,
    VIR_ENCRYPTION_FORMAT_LAST
} virEncryptionFormat;
VIR_ENUM_DECL(virEncryptionFormat);

typedef enum {
    VIR_ENCRYPTION_ENGINE_NONE = 0,
    VIR_ENCRYPTION_ENGINE_QEMU,
    VIR_ENCRYPTION_ENGINE_LIBRBD,
    VIR_ENCRYPTION_ENGINE_LAST
} virEncryptionEngine;
VIR_ENUM_DECL(virEncryptionEngine);

typedef struct {
    int transport; /* virStorageTransport */
    char *name;    /* tcp, rdma */
    unsigned port; /* 0: the protocol's own */
    char *socket;  /* unix */
} virStorageHost;

/* A secret by reference: the secret driver would have its value. */
typedef struct {
    char *type;         /* "ceph", "iscsi", "passphrase" */
    char *uuid, *usage; /* one of them */
} virStorageSecret;

typedef struct {
    char *username;
    virStorageSecret secret;
} virStorageAuth;

typedef struct {
    int format, engine; /* virEncryptionFormat, virEncryptionEngine */
    GPtrArray *secrets; /* of virStorageSecret */
    char *cipherName, *cipherMode, *cipherHash;
    virOptUInt cipherSize;
    char *ivgenName, *ivgenHash;
} virStorageEncryption;

/* SCSI persistent reservations by a helper of QEMU. */
typedef struct {
    virTristate managed; /* YES: the daemon runs the helper */
    char *path;          /* its socket */
    char *managerAlias;  /* run-time: QEMU's object */
} virStorageReservations;

typedef struct {
    char *name, *value;
} virStorageCookie;

/* What only exists while a guest runs; written to the status file. */
typedef struct {
    char *storageNode, *formatNode, *sliceNode;
    char *relPath; /* as the overlay names it, if relative */
    char *authSecret, *encryptionSecret, *cookieSecret, *tlsKeySecret, *tlsAlias;
    bool thresholdByIndex;
    /* Found anew by each start, in no file. */
    int volumeType;        /* virStorageType of a volume, whose path is src->path */
    bool hostCdrom;        /* a real CD-ROM drive */
    char *vfioNode;        /* of an NVMe drive */
    unsigned glusterDebug; /* 0: as the library likes */
} virStorageRuntime;

typedef struct virStorageSource virStorageSource;
struct virStorageSource {
    int type;    /* virStorageType */
    int format;  /* virStorageFormat */
    unsigned id; /* run-time: index of the image in the chain, part of its node names */
    bool readonly, shared;
    bool detected; /* found in an image's header, not in the document */
    char *path;    /* file, device, folder, name at a server, socket of vhost-user */

    int protocol; /* virStorageProtocol */
    char *volume; /* rbd: pool, gluster: volume; stands before the path in @name */
    char *snapshot, *configFile, *query, *tlsHostname;
    virTristate tls;
    bool tlsFromConfig;
    GPtrArray *hosts; /* of virStorageHost, or NULL */
    char *initiator;  /* iqn */
    virTristate sslVerify;
    GPtrArray *cookies; /* of virStorageCookie, or NULL */
    virOptUInt readahead, timeout;
    virOptUInt reconnectDelay;
    char *nfsUser, *nfsGroup;

    char *pool, *poolVolume; /* type volume */
    int volumeMode;          /* virStorageVolumeMode */

    virPCIAddress nvme; /* type nvme */
    virTristate nvmeManaged;
    uint64_t nvmeNamespace;

    virTristate reconnect; /* type vhostuser */
    virOptUInt reconnectTimeout;

    bool hasSlice; /* only this part of the image is the disk */
    uint64_t sliceOffset, sliceSize;
    virOptUInt metadataCache; /* bytes */
    GPtrArray *seclabels;     /* of virDeviceSeclabel, or NULL */
    virStorageAuth *auth;
    virStorageEncryption *encryption;
    virStorageReservations *reservations;

    virStorageRuntime run;
    virStorageSource *backing; /* owned; NULL: not known, type NONE: there is none */
};

virStorageSource *virStorageSourceNew(void);
/* Both with the whole chain; nothing is wiped, as no secret is in it. */
void virStorageSourceClear(virStorageSource *src);
void virStorageSourceFree(virStorageSource *src);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virStorageSource, virStorageSourceFree)

/* An empty list of virStorageHost. */
GPtrArray *virStorageHostsNew(void);
void virStorageCookieAdd(virStorageSource *src, const char *name, const char *value);
/* The port a protocol's servers listen on; 0: its library knows better. */
unsigned virStorageProtocolPort(int protocol);

/* There is an image here, not the end of the chain. NULL allowed. */
bool virStorageSourceIsBacking(const virStorageSource *src);
/* A drive without a medium. */
bool virStorageSourceIsEmpty(const virStorageSource *src);
/* A path of this machine's file system: file, block or dir. */
bool virStorageSourceIsLocal(const virStorageSource *src);
/* The type, and for a volume that was looked up, what it is. */
int virStorageSourceActualType(const virStorageSource *src);
/* A raw image that QEMU decrypts itself: its driver is "luks". */
bool virStorageSourceIsLUKS(const virStorageSource *src);
/* Both name the same image (type, place, format is not compared). */
bool virStorageSourceSameLocation(const virStorageSource *a, const virStorageSource *b);
/* The name a client sees for the image: path, "pool/volume", or NULL if empty. Caller frees. */
char *virStorageSourceName(const virStorageSource *src);

/* What an element <source> below a <disk>, <backingStore> or <mirror> says; src->type is already
 * known. VIR_ERR_XML_ERROR, VIR_ERR_CONFIG_UNSUPPORTED. */
bool virStorageSourceParse(virStorageSource *src, xmlNode *node, unsigned parseFlags,
                           GError **error);

typedef struct {
    const char *startupPolicy;     /* of the disk, or NULL */
    bool index;                    /* write src->id */
    bool skipAuth, skipEncryption; /* they stand in the disk itself */
} virStorageSourceFormatOptions;
/* Writes <source>, or nothing if it has nothing to say. */
void virStorageSourceFormat(const virStorageSource *src, virXMLWriter *w,
                            const virStorageSourceFormatOptions *options, unsigned formatFlags);

/* <backingStore> below node, down the chain, into src->backing. */
bool virStorageBackingParse(virStorageSource *src, xmlNode *node, unsigned parseFlags,
                            GError **error);
void virStorageBackingFormat(const virStorageSource *src, virXMLWriter *w, unsigned formatFlags);
/* An image by attributes type (default file) and index, <format> and <source> below node. */
virStorageSource *virStorageImageParse(xmlNode *node, const char *type, unsigned parseFlags,
                                       GError **error);
/* <format type=…> with its cache. */
void virStorageImageFormatFormat(const virStorageSource *src, virXMLWriter *w);
/* <metadata_cache><max_size/> below node (a <driver> or <format>). */
bool virStorageMetadataCacheParse(virStorageSource *src, const xmlNode *node, GError **error);
void virStorageMetadataCacheFormat(const virStorageSource *src, virXMLWriter *w);
