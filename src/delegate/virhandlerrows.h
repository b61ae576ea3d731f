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
    void (*lie)(testMatrix *m); /* what is given instead; NULL: success without the effect */
    bool root;                  /* the effect takes a right */
    bool ends;                  /* leaves nothing that could be undone */
    bool looks;                 /* and the front sees whether it was done */
    const char *elsewhere;      /* where its effect is tested, if not here */
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
};

/* Folders and files of the guest's group; what is there goes again. */
void testMakeGroup(testMatrix *m);
void testRemoveGroup(testMatrix *m);

/* The row of a hook; NULL: it needs one. */
const testRow *testRowOf(const virXdrHook *hook);
/* A descriptor of the file is part of the answer. */
void testGive(testMatrix *m, const char *path);
