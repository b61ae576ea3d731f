/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * prepare.h: a document made whole for QEMU: defaults of this binary, addresses, checks. Pure but
 * for what the environment's look-ups do; any thread. */
#pragma once

#include "domain/def.h"
#include "qmp/qmpcaps.h"

/* What completing a document may ask. Strings are borrowed. */
typedef struct {
    /* What the binary can do: a new reference, or NULL if it can't be asked. */
    qmpCaps *(*caps)(const char *emulator, void *opaque);
    /* The emulator of an arch that names none; NULL: /usr/bin/qemu-system-ARCH. */
    const char *(*defaultEmulator)(const char *arch, void *opaque);
    void *opaque;
    const char *nvramDir;   /* where variable stores go that are not named; NULL: stay so */
    const char *channelDir; /* where sockets of channels lie that name no path */
    /* The host's sound, as in virDomainFacts. */
    const char *hostAudio;
    bool hostAudioVNC, hostAudioHeadless;
    bool privileged;
} qemuPrepareEnv;

/* Reads, completes and checks a document. Without the binary only one that is stored already
 * (VIR_PARSE_SKIP_VALIDATE, VIR_PARSE_STATUS) is taken, with the defaults that need none.
 * VIR_ERR_XML_ERROR, VIR_ERR_CONFIG_UNSUPPORTED, VIR_ERR_INVALID_ARG. */
virDomainDef *qemuDomainDefParse(const char *xml, const qemuPrepareEnv *env, unsigned parseFlags,
                                 GError **error);

/* The same for a parsed document, still private to its maker; nothing is checked. */
bool qemuDomainDefComplete(virDomainDef *def, const qemuPrepareEnv *env, unsigned parseFlags,
                           GError **error);
/* What can't be; caps NULL: for any hypervisor. */
bool qemuDomainDefCheck(const virDomainDef *def, const qmpCaps *caps, unsigned parseFlags,
                        GError **error);

/* What a document may leave open until the guest starts: USB ports. def is the private copy that
 * becomes the live document; before aliases. */
bool qemuPrepareStart(virDomainDef *def, const qmpCaps *caps, GError **error);

/* A device that is about to come to def, the private copy of a running guest's document or of a
 * stored one: defaults, and whether it may. */
bool qemuPrepareJoin(virDomainDef *def, virDevice *dev, const qmpCaps *caps, bool live,
                     GError **error);
/* Puts dev (taken over, also on error) into def, the private copy of a running guest's document:
 * defaults, the controllers it implies, address, alias, checks. *retFresh: what came, in the order
 * in which it is to be plugged in, borrowed from def; the caller unrefs. */
bool qemuPrepareDevice(virDomainDef *def, virDevice *dev, const qmpCaps *caps, GPtrArray **retFresh,
                       GError **error);

/* The device of def, the private copy of a running guest's document or of a stored one, that an
 * update request means; wanted gets defaults and is checked as if it stood in its place already.
 * NULL on error. */
virDevice *qemuPrepareUpdate(virDomainDef *def, virDevice *wanted, const qmpCaps *caps, bool live,
                             GError **error);

/* Facts of the document and of the binary (NULL: only of the document). */
void qemuFacts(const virDomainDef *def, const qmpCaps *caps, virDomainFacts *facts);
/* KVM or TCG. */
qmpAccel qemuDomainAccel(const virDomainDef *def);
