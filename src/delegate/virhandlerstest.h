/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virhandlerstest.h: both ends of a handlers' channel, for tests: the daemon's, with its event
 * thread, and a handler's, whose messages the test writes itself. The effects are real:
 * oom_score_adj of a child. */
#pragma once

#include "delegate/virdelegate.h"
#include "delegate/virhandlergrants.h"
#include "delegate/virhandlers.h"
#include "util/virerror.h"

enum { WANTED = 321, PATIENCE_US = 5 * 1000 * 1000 };

extern const virDelegateCall testCall;

/* One end of a channel, as a handler has it, and a child to work on. */
typedef struct {
    virCgroupInstance *instance; /* of the machine's groups, borrowed; NULL: a stand-in */
    const char *pinPath;
    virDelegate *door;
    virHandlers *handlers; /* the door's */
    int fd;
    virPacketReader reader;
    uint32_t serial;
    unsigned deadline_s; /* of each call */
    pid_t child;
    int pidfd;
    char *saved; /* the guest's status file */
    int saves;
    gint resyncs; /* atomic */
} testHandler;

/* The daemon's call, on a thread as in a job. */
typedef struct {
    testHandler *test;
    bool done;
    GError *error;
} testJob;

/* Waits until the event thread has done what was posted before. */
void testSync(void);
/* A thread function: the event thread. */
void *testRunEvents(void *unused);
virNetHeader testHeader(uint32_t procedure, uint32_t type, uint32_t serial);
/* A message to the daemon, as a handler. */
void testSend(testHandler *test, const virNetHeader *header, const virXdrType *type,
              const void *value, const int *fds, size_t nfds);
/* The next message of the daemon; false: it closed the channel. */
bool testReceive(testHandler *test, virPacket *packet);
/* Another connection: its end as a handler has it. */
int testNewEnd(testHandler *test);
/* How long the handler has for each call from now on. */
void testSetDeadline(testHandler *test, unsigned seconds);
/* The daemon's side alone, made and ended. */
void testNewDoor(testHandler *test);
void testEndDoor(testHandler *test);
/* A process that does nothing until its parent ends. */
pid_t testNewChild(void);
void testSetUp(testHandler *test, const void *unused);
void testTearDown(testHandler *test, const void *unused);
/* What registers for a hook. */
handler_register_args testRegistration(const char *hookName);
/* The daemon's answer to a registration: its error's text, NULL on success. */
char *testRegister(testHandler *test, const handler_register_args *args);
/* Registers, which must succeed. */
void testServe(testHandler *test, const char *hookName);
/* A thread function: testJob. */
void *testRunJob(void *opaque);
/* The effect of proc.tune. */
void testSetOom(const testHandler *test, int value);
/* The call of testRunJob as it arrives, looked at. */
void testExpectCall(testHandler *test, virPacket *packet);
/* Success, with descriptors. */
void testAnswer(testHandler *test, const virPacket *call, const int *fds, size_t nfds);
/* A job that has begun; its call as the handler sees it. */
GThread *testBegin(testHandler *test, testJob *job, virPacket *call);
/* It failed so, with these words. */
void testExpectFailure(testJob *job, virErrorCode code, const char *words);

/* Runs the tests that add adds, beside an event thread. */
int testMain(int argc, char **argv, void (*add)(void));
