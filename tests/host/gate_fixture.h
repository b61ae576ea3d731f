/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gate_fixture.h: what the gate's host tests stand on: an instance of their own on the machine's
 * cgroup v2, pins on a private bpffs, a child inside a group that asks for nodes, and a count of
 * all that the kernel holds, to show that nothing stays. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "util/cgroup/vircgroupbackend.h"

/* Once: a mount namespace of our own with a bpffs, and a tmpfs with nodes 200..205 x 0..7 of both
 * types. False with a reason where the machine can't (no root, no cgroup v2, no BPF). */
bool testGateSetup(const char **retReason);
/* Removes instance, pins and folders. */
void testGateTeardown(void);
/* The whole of a test program's main: sets up, or says why not (exit 77), adds the cases, runs
 * them, and tears down. */
int testGateRun(int argc, char **argv, void (*addCases)(void));

/* The instance of the tests, its store and folder for pins. */
extern virCgroupInstance *testInstance;
extern virGateStore *testStore;

/* A new store over the same pins, as a restarted daemon has one. */
virGateStore *testStoreAgain(void);

/* A guest: group, uuid, gate, and a child in the group. */
typedef struct {
    uint8_t uuid[16];
    virCgroup *group;
    virGate *gate;
    int pipe[2]; /* socket pair with the child; -1: no child */
    int pidfd;
} testGuest;

extern const virGateSettings testSettings;

/* Gives it a uuid that testAssertGuests knows. */
void testGuestName(testGuest *guest);
/* Group and gate with these rules ("c 1:3 rw", ..., NULL). */
testGuest *testGuestNew(const char *name, const virGateSettings *settings,
                        const char *const *rules);
/* Group and a gate that isn't on it yet. */
testGuest *testGuestNewBare(const char *name, const virGateSettings *settings,
                            const char *const *rules);
/* The group of a guest behind a gate as the first ABI made it: pinned, attached and linked, all
 * rules in the trie. Ours knows of nothing yet. */
testGuest *testGuestNewOfFirstAbi(const char *name, const char *const *rules);
/* Where its gate is. */
virCgroupV2DevicesPlace testGuestPlace(testGuest *guest, int eventsFd);
/* Removes gate and group, as a stopped guest. */
void testGuestFree(testGuest *guest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(testGuest, testGuestFree)
/* Forgets the handles, as a killed daemon does; the child lives on. */
void testGuestForget(testGuest *guest);

/* Starts the child in the group. It answers testGuestAsk. */
void testGuestStart(testGuest *guest);

typedef enum {
    ASK_READ = 4,   /* access(2) R_OK */
    ASK_WRITE = 2,  /* W_OK */
    ASK_EXIST = 0,  /* F_OK */
    ASK_MKNOD = 64, /* mknod(2) of the same device beside it */
} testAsk;

/* The child's errno for ask (bits ORed) on a node of this type and number: 0 allowed, EPERM denied.
 */
int testGuestAsk(testGuest *guest, int ask, bool block, int major, int minor);
/* Asks that of a character device so many times in a row, whatever the answers; for timing. */
void testGuestAskTimes(testGuest *guest, int ask, int major, int minor, unsigned times);
/* Once, for a path of the host. */
int testGuestAskPath(testGuest *guest, int ask, const char *path);

virDeviceRules *testRules(const char *owner, const char *const *texts);

/* A process in the group that asks two nodes as fast as it can: one that must be allowed and one
 * that must be denied, character devices both. */
typedef struct testProber testProber;
testProber *testProberStart(testGuest *guest, int majorAllowed, int minorAllowed, int majorDenied,
                            int minorDenied);
/* Waits until it has asked both some times more. */
void testProberAwait(testProber *prober);
/* How many answers it got up to now, and how many of them were wrong. */
unsigned testProberAsked(testProber *prober);
unsigned testProberWrong(testProber *prober);
/* Ends it; the wrong answers, and how many it got in all. */
unsigned testProberStop(testProber *prober, unsigned *retAsked);

/* The number in the environment, or the usual one. */
unsigned testCountWanted(const char *name, unsigned usual);
void testAssertNoError(bool done, GError *error);

/* Asserts that there are as many programs, maps, links, groups and sets of pins as so many guests
 * need. Waits some seconds: the kernel frees what was attached to a removed group when it gets
 * round to it, and tells nobody. */
void testAssertGuests(unsigned guests);
