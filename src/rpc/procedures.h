/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * procedures.h: what the dispatcher knows of a procedure: its row of the protocol table and of the
 * overlay, as generate.py writes them down. Constant data. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "rpc/virxdr.h"

typedef struct virNetCall virNetCall;

/* When something holds for a call, by one word of its arguments. */
typedef enum {
    VIR_NET_IF_NEVER,
    VIR_NET_IF_ALWAYS,
    VIR_NET_IF_ALL_FLAGS, /* every bit of value is set */
    VIR_NET_IF_ANY_FLAG,  /* some bit is */
    VIR_NET_IF_NO_FLAG,   /* none is */
    VIR_NET_IF_ARG,       /* the word equals value */
} virNetConditionKind;

typedef struct {
    virNetConditionKind kind;
    uint32_t offset; /* of the word in the arguments' struct */
    uint32_t value;
} virNetCondition;

/* True if it holds for these arguments. */
bool virNetConditionHolds(const virNetCondition *condition, const void *args);

/* A permission of the access list: all that hold must be granted. */
typedef struct {
    const char *object; /* NULL ends the list */
    const char *permission;
    virNetCondition when;
} virNetRight;

typedef enum {
    VIR_NET_CALL = 1,
    VIR_NET_STREAM,
    VIR_NET_EVENT, /* not to be called */
} virNetProcedureKind;

typedef enum {
    VIR_NET_RUN_UNSUPPORTED = 0,
    VIR_NET_RUN_INLINE,  /* on the event thread */
    VIR_NET_RUN_QUICK,   /* on the event thread, unless the handler passes it on to a job */
    VIR_NET_RUN_JOB,     /* on a thread of the job pool */
    VIR_NET_RUN_FORWARD, /* by the server's forward function, undecoded */
} virNetRun;

typedef enum {
    VIR_NET_STREAM_NONE = 0,
    VIR_NET_STREAM_TO_CLIENT,
    VIR_NET_STREAM_TO_SERVER,
    VIR_NET_STREAM_BOTH,
} virNetStreamDirection;

/* Answers a call: fills in *ret (zeroed; what it points to lives as long as the call), or returns
 * false with the error set. */
typedef bool (*virNetHandler)(virNetCall *call, const void *args, void *ret, GError **error);

typedef struct {
    const char *name;     /* "domain_get_state"; NULL: no such number */
    const char *function; /* "virDomainGetState", as error texts name it */
    virNetProcedureKind kind;
    virNetRun run;
    const virXdrType *args; /* of an event: its message. NULL: none */
    const virXdrType *ret;
    virNetHandler handler;
    virNetCondition refuse;    /* to a read-only client */
    const virNetRight *rights; /* NULL: no check */
    virNetRight filter;        /* on each object of the returned list */
    virNetStreamDirection stream;
    uint32_t sparseFlag; /* of .flags: allows holes; 0: never */
    bool fdsIn;          /* descriptors may come with the call */
    bool fdsOut;         /* or go with the reply */
    const char
        *refusal;  /* the detail of that error; NULL: "read only access prevents <function>" */
    bool unopened; /* allowed before the connection is open */
    bool unauthenticated;
} virNetProcedure;

typedef struct {
    const char *name;
    uint32_t number;
    uint32_t version;
    int32_t count; /* of procedures; index is the number */
    const virNetProcedure *procedures;
} virNetProgram;

/* The procedure of that number, NULL if there is none. */
const virNetProcedure *virNetProgramProcedure(const virNetProgram *program, int32_t number);

/* One event a client can register for. */
typedef struct {
    const char *object; /* "domain", "network", ... */
    int32_t id;         /* public event id; -1: none */
    const char *name;
    int32_t procedure;       /* its message to clients of the callback style */
    int32_t legacyProcedure; /* to others; 0: none */
} virNetEvent;

/* In the library that holds the handlers. */
extern const virNetProgram virRemoteProgram, virQemuProgram, virAdminProgram;
extern const virNetEvent virNetEvents[];
extern const size_t virNetEventsCount;
