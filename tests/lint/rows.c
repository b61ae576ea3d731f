/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * rows.c: prints the row paths of every device kind, a line "element<TAB>path<TAB>table<TAB>type"
 * each; type is "code" for what is more than a row, else "row"; table is "info" for rows that all
 * devices have, "virtio" for those of all virtio devices, else "own". For rows.py, which looks them
 * up in the manuals. */
#include <stdio.h>

#include "device/common/virtio.h"
#include "device/device.h"

static void
printRows(const char *element, const virField *fields, const char *table)
{
    for (const virField *field = fields; field->type != VIR_FIELD_TYPE_END; field++) {
        if (field->type != VIR_FIELD_TYPE_MIXIN)
            printf("%s\t%s\t%s\t%s\n", element, field->path, table,
                   field->type == VIR_FIELD_TYPE_CODE ? "code" : "row");
        else if (field->mixin == virDeviceInfoFields)
            printRows(element, field->mixin, "info");
        else if (field->mixin == virVirtioFields)
            printRows(element, field->mixin, "virtio");
        else
            printRows(element, field->mixin, table);
    }
}

int
main(void)
{
    for (const virDeviceKind *const *kind = virDeviceKinds; *kind; kind++)
        printRows((*kind)->element, (*kind)->fields, "own");
    return 0;
}
