/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * schemawrite.c: prints the schema of <domain>, for the file that is installed. */
#include <stdio.h>

#include "domain/schema.h"

int
main(void)
{
    g_autofree char *schema = virDomainSchemaFormat();

    return fputs(schema, stdout) < 0 || fflush(stdout) != 0;
}
