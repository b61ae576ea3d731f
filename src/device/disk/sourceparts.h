/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sourceparts.h: elements that may stand in <source> or, as they did once, in <disk>: auth,
 * encryption, reservations; and what the status file keeps of an image. Any thread. */
#pragma once

#include "device/disk/source.h"

/* Each: node is the element. NULL with VIR_ERR_XML_ERROR. */
virStorageAuth *virStorageAuthParse(xmlNode *node, GError **error);
virStorageEncryption *virStorageEncryptionParse(xmlNode *node, GError **error);
virStorageReservations *virStorageReservationsParse(xmlNode *node, GError **error);

void virStorageAuthFormat(const virStorageAuth *auth, virXMLWriter *w);
void virStorageEncryptionFormat(const virStorageEncryption *enc, virXMLWriter *w);
/* migratable: the socket of a helper of ours means nothing elsewhere */
void virStorageReservationsFormat(const virStorageReservations *pr, bool migratable,
                                  virXMLWriter *w);

void virStorageAuthFree(virStorageAuth *auth);
void virStorageEncryptionFree(virStorageEncryption *enc);
void virStorageReservationsFree(virStorageReservations *pr);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virStorageAuth, virStorageAuthFree)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virStorageEncryption, virStorageEncryptionFree)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virStorageReservations, virStorageReservationsFree)

/* <privateData> of a <source>. */
void virStorageRuntimeParse(virStorageSource *src, const xmlNode *node);
void virStorageRuntimeFormat(const virStorageSource *src, virXMLWriter *w);
void virStorageRuntimeClear(virStorageRuntime *run);
