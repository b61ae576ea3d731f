/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virutil.h: what every file of the tree may use: translation marks, owned descriptors, tristates.
 */
#pragma once

#include <errno.h>
#include <glib.h>
#include <libintl.h>
#include <stdbool.h>
#include <unistd.h>

#define _(text) dgettext(PACKAGE, text)
#define N_(text) text

/* Closes *fd if it is open and sets it to -1; keeps errno. */
static inline void
virCloseFd(int *fd)
{
    if (*fd >= 0) {
        int keep = errno;

        (void)close(*fd); /* nothing a caller could do about it */
        errno = keep;
    }
    *fd = -1;
}

/* A local that owns a descriptor: closed at every exit of the scope, handed over with g_steal_fd.
 */
#define VIR_AUTOCLOSE __attribute__((cleanup(virCloseFd))) int

/* On a 2.70+ GLib this exists; the name is used throughout for a visible hand-over. */
#if !GLIB_CHECK_VERSION(2, 70, 0)
#error "GLib 2.74 or newer is needed"
#endif

/* "absent", "yes"/"on", "no"/"off": what an optional switch of the document says. */
typedef enum __attribute__((packed)) {
    VIR_TRISTATE_ABSENT = 0,
    VIR_TRISTATE_YES = 1,
    VIR_TRISTATE_NO = 2,
} virTristate;

static inline virTristate
virTristateFromBool(bool on)
{
    return on ? VIR_TRISTATE_YES : VIR_TRISTATE_NO;
}
