/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virhandlerrows.h: how each hook is called and done, for the matrix of handlers' misdeeds. */
#pragma once

#include "delegate/virhandlerstest.h"

typedef struct testMatrix testMatrix;

/* How a hook is called, and what a handler that does it does. */
typedef struct {
    const char *hook;
    /* Through the door. NULL: its arguments are sent as they are, empty, and nobody looks. */
    bool (*run)(testMatrix *m, GError **error);
    void (*effect)(testMatrix *m);
    void (*lie)(testMatrix *m);     /* what is given instead; NULL: success without the effect */
    bool root;                      /* the effect takes a right */
    bool ends;                      /* leaves nothing that could be undone */
    bool looks;                     /* and the front sees whether it was done */
    bool blind;                     /* nobody looks: the effect is the handler's own affair */
    const char *surplus;            /* what comes of too many descriptors; NULL: they are dropped */
    const char *elsewhere;          /* the matrix that has its effect, if not this one */
    void (*place)(testMatrix *m);   /* before there is a door; NULL: nothing to do */
    void (*prepare)(testMatrix *m); /* what must be there first, done before anybody registers */
    void (*finish)(testMatrix *m);  /* and its end */
} testRow;

struct testMatrix {
    testHandler test;
    const testRow *row;
    const virXdrHook *hook;
    bool front; /* through the door, with its looks */
    GThread *thread;
    bool done;
    GError *error;
    virPacket call;
    uint64_t request;
    void *ret;   /* of the answer */
    GArray *fds; /* of the answer, owned */
    virArena arena;
    char *path;
    char *folder;     /* of a hierarchy that is no more than folders */
    virCgroup *group; /* of a guest in there */
    char *sysfs;      /* files that stand for it, in the same folder; NULL: none */
    pid_t neighbour;  /* another guest's process */
    char *before;     /* testState at the beginning */
    virGate *gate;    /* of the guest, if the row is about one */
    int tap;          /* queue of the interface that the row is about; -1 */
};

/* Folders and files of the guest's group; what is there goes again. */
void testMakeGroup(testMatrix *m);
void testRemoveGroup(testMatrix *m);

/* All that hooks could change of the guest: its process, file, groups, gate, interfaces. Caller
 * frees. */
char *testState(const testMatrix *m);

/* The row of a hook; NULL: it needs one. */
const testRow *testRowOf(const virXdrHook *hook);
/* In the matrix of tests/host: a row with the real effect for hooks that take root, groups of the
 * kernel, BPF or mounts; NULL: the other row will do. And once what they need of the machine. */
const testRow *testHostRowOf(const virXdrHook *hook);
bool testHostSetUp(const char **retReason);
void testHostTearDown(void);
/* A descriptor of the file is part of the answer. */
void testGive(testMatrix *m, const char *path);
