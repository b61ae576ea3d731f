/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virsecure.c: wiping memory in a way that survives optimisation. */
#include "util/virsecure.h"

#include <glib.h>
#include <string.h>

void
virSecureErase(void *ptr, size_t len)
{
    if (len > 0)
        explicit_bzero(ptr, len);
}

void
virSecureEraseString(char *str)
{
    if (str)
        virSecureErase(str, strlen(str));
}

void
virSecureFreeString(char *str)
{
    virSecureEraseString(str);
    g_free(str);
}
