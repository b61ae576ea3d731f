/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnettest.h: a server with a made-up program on a thread of its own, and a client that speaks
 * bare frames to it. For the tests of src/rpc. */
#pragma once

#include <glib.h>

#include "rpc/virnetcall.h"
#include "rpc/virnetmessage.h"
#include "rpc/virnetserver.h"

#define TEST_PROGRAM 0x1234u
#define TEST_VERSION 1u

typedef struct {
    virNetServer *server;
    char *folder;
    char *path;
    GThread *thread;
} testServer;

/* A server that answers the given procedures under TEST_PROGRAM. */
testServer *testServerNew(const virNetProcedure *procedures, int count,
                          const virNetServerLimits *limits);
/* Ends it; every client and job is gone then. */
void testServerFree(testServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(testServer, testServerFree)
/* Waits until the event thread has done all that was posted before. */
void testServerSync(void);

/* A blocking connection. */
int testConnect(const testServer *server);
/* One message; value may be NULL. */
void testSend(int fd, int32_t procedure, uint32_t type, uint32_t serial, uint32_t status,
              const virXdrType *xdr, const void *value);
void testSendBytes(int fd, int32_t procedure, uint32_t type, uint32_t serial, uint32_t status,
                   const void *bytes, size_t len);
void testSendRaw(int fd, const void *bytes, size_t len);
/* A descriptor with one byte of data. */
void testSendFd(int fd, int passed);
int testReceiveFd(int fd);
/* The next message; the payload is the caller's to free. False at the end of the connection. */
bool testReceive(int fd, virNetHeader *retHeader, uint8_t **retPayload);
/* The next message must be an error with this code; its text. */
char *testReceiveError(int fd, uint32_t type, int code);
/* The next message must be this, without payload that matters. */
void testExpect(int fd, uint32_t type, uint32_t serial, uint32_t status);
