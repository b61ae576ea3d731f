/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * facilities.h: what of the kernel the daemon uses, and whether this host has it.
 *
 * Each probe asks the kernel to do the thing, or a part of it that changes nothing: no version
 * number is looked at. What a probe makes (a map, a program, a mount that is attached nowhere, a
 * child) goes when it returns. One thread. */
#pragma once

#include <stddef.h>

typedef enum {
    FACILITY_YES,
    FACILITY_NO,     /* this kernel, or this machine, doesn't have it */
    FACILITY_DENIED, /* it has, but we may not use it, or may not ask */
    FACILITY_LAST
} facilityState;

/* "yes", "no", "denied". */
const char *facilityStateToString(facilityState state);

typedef struct {
    const char *name;
    const char *since; /* Linux that brought it; "" where that says nothing */
    const char *use;   /* what for; translatable, as the two below */
    const char *lost;  /* without it */
    const char *remedy;
    /* The state; detail gets what was found out beside it, or stays "". */
    facilityState (*probe)(char *detail, size_t room);
} facility;

extern const facility facilities[];
extern const size_t nfacilities;
