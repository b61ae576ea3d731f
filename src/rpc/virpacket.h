/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virpacket.h: messages with descriptors over a UNIX SEQPACKET socket, as the handlers' channel has
 * them (docs/handler-protocol.md).
 *
 * A packet is a header like that of the rest of the wire, a piece of the payload, and descriptors
 * in SCM_RIGHTS. A message that is too long for one packet goes on in the next: all but the last
 * have status CONTINUE, payload and descriptors are put one behind the other. One sender and one
 * receiver at a time per socket; the socket is non-blocking. Any thread; no rights needed. Facts:
 * unix(7), SCM_MAX_FD in the kernel's include/net/scm.h. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/virnetmessage.h"

/* The row of a hook by its name ("memlock.set") or number; NULL: there is none. */
const virXdrHook *virXdrHookByName(const char *name);
const virXdrHook *virXdrHookByNumber(uint32_t number);

/* A message as it came in. */
typedef struct {
    virNetHeader header;
    virNetBuffer body;
    GArray *fds; /* int, owned; -1 where one was taken */
} virPacket;

void virPacketInit(virPacket *packet);
/* Wipes the payload and closes the descriptors that nobody took. */
void virPacketClear(virPacket *packet);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(virPacket, virPacketClear)

size_t virPacketFdCount(const virPacket *packet);
/* Descriptor i, still the packet's; -1 if there are fewer. */
int virPacketGetFd(const virPacket *packet, size_t i);
/* The same, the caller's from now on. */
int virPacketTakeFd(virPacket *packet, size_t i);
/* The payload as type, in the arena; VIR_ERR_RPC if it does not fit or if bytes are left over. */
bool virPacketDecode(const virPacket *packet, const virXdrType *type, virArena *arena, void *value,
                     GError **error);
/* The error that a packet of status ERROR carries, with its code and text. */
void virPacketGetError(const virPacket *packet, GError **error);

typedef enum {
    VIR_PACKET_WHOLE,  /* *retPacket is a message */
    VIR_PACKET_NONE,   /* nothing more to read now */
    VIR_PACKET_CLOSED, /* the other side has gone */
    VIR_PACKET_BROKEN, /* it does not keep to the form: close the socket */
} virPacketResult;

/* What was received of a message that is not whole yet. */
typedef struct {
    virPacket partial;
    bool open;
    uint8_t *room; /* for one packet */
    size_t bytesMax, fdsMax;
} virPacketReader;

void virPacketReaderInit(virPacketReader *reader);
/* The longest message that is taken, and its most descriptors (one packet's may come for a moment).
 * Before the first one. */
void virPacketReaderLimit(virPacketReader *reader, size_t bytesMax, size_t fdsMax);
void virPacketReaderClear(virPacketReader *reader);

/* Reads as many packets as make one message, without waiting. retPacket is initialised or cleared,
 * and the caller's. error is set for BROKEN, and for CLOSED if the kernel gave a reason. */
virPacketResult virPacketReceive(virPacketReader *reader, int fd, virPacket *retPacket,
                                 GError **error);

/* Sends a whole message with its descriptors (borrowed), waiting for room until deadline_us
 * (g_get_monotonic_time); VIR_ERR_OPERATION_TIMEOUT then, and the socket is of no more use if a
 * part of it went out. */
bool virPacketSend(int fd, const virNetMessage *message, const int *fds, size_t nfds,
                   gint64 deadline_us, GError **error);
