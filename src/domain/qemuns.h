/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qemuns.h: elements of QEMU's own namespace: what a document asks of QEMU past its elements. */
#pragma once

#include <glib.h>

#include "device/field.h"

#define VIR_QEMU_NAMESPACE "http://libvirt.org/schemas/domain/qemu/1.0"

typedef struct {
    char *name, *value; /* value may be NULL */
} virQemuEnv;

typedef enum {
    VIR_QEMU_PROPERTY_STRING = 0,
    VIR_QEMU_PROPERTY_UNSIGNED,
    VIR_QEMU_PROPERTY_SIGNED,
    VIR_QEMU_PROPERTY_BOOL,
    VIR_QEMU_PROPERTY_REMOVE,
    VIR_QEMU_PROPERTY_LAST
} virQemuPropertyType;
VIR_ENUM_DECL(virQemuPropertyType);

typedef struct {
    char *name, *value;
    int type; /* virQemuPropertyType */
} virQemuProperty;

/* <qemu:override>: properties of one front end replaced or taken away. */
typedef struct {
    char *alias;
    GPtrArray *properties; /* of virQemuProperty */
} virQemuOverride;

typedef struct {
    GPtrArray *args;              /* of char * */
    GPtrArray *env;               /* of virQemuEnv */
    GPtrArray *capsAdd, *capsDel; /* of char * */
    char *deprecation;            /* behaviour: "omit", "reject", "crash" */
    GPtrArray *overrides;         /* of virQemuOverride */
} virDomainQemuNamespace;

/* True if there is anything in it. */
bool virDomainQemuNamespaceInUse(const virDomainQemuNamespace *ns);
