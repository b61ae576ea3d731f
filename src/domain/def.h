/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * def.h: a domain as document: the value behind <domain>.
 *
 * A definition is immutable once published: a change makes a new one and swaps the pointer. It is
 * made in stages, each its own function: parse (what the text says), complete (defaults that hold
 * for any hypervisor), then by src/qemu what depends on the binary, addresses, check. Sections (os,
 * features, cpu …) are files of this folder with a row table each; devices are src/device/.
 * Any thread; no rights needed. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "device/device.h"
#include "domain/sections.h"
#include "util/virxml.h"

typedef enum {
    VIR_DOMAIN_VIRT_NONE = 0,
    VIR_DOMAIN_VIRT_QEMU,
    VIR_DOMAIN_VIRT_KVM,
    VIR_DOMAIN_VIRT_LAST
} virDomainVirtType;
VIR_ENUM_DECL(virDomainVirtType);

/* More devices than this no machine has; the text of a stranger can't make us take them all. */
enum { VIR_DOMAIN_DEVICES_MAX = 8192 };

typedef struct virDomainDef virDomainDef;
struct virDomainDef {
    int virtType; /* virDomainVirtType */
    int id;       /* -1: not running */
    size_t size;  /* of the text it was read from, in bytes: what it costs to write; 0: unknown */
    unsigned char uuid[VIR_UUID_SIZE];
    bool uuidGenerated; /* by us, since the document gave none */
    char *name, *title, *description;
    char *metadata; /* <metadata> as virXMLNodeText writes it, or NULL; see metadata.h */

    virDomainGenId genid;
    virDomainMemory memory;
    virDomainVcpus vcpus;
    virDomainIOThreads iothreads;
    virDomainTune tune; /* cputune, memtune, blkiotune, numatune */
    virDomainResource resource;
    virDomainSysinfo sysinfo;
    virDomainOS os;
    virDomainIdMap idmap;
    virDomainFeatures features;
    virDomainCPU cpu;
    virDomainClock clock;
    virDomainLifecycle lifecycle; /* on_poweroff … */
    virDomainPM pm;
    virDomainPerf perf;
    virDomainSecurity security;  /* seclabels, keywrap, launchSecurity */
    virDomainQemuNamespace qemu; /* qemu:commandline and its kin */

    char *emulator;
    GPtrArray *devices; /* of virDevice, owned; in document order: kinds by kind */
};

virDomainDef *virDomainDefNew(void);
void virDomainDefFree(virDomainDef *def);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virDomainDef, virDomainDefFree)

/* Reads <domain>. Nothing is completed or checked. VIR_ERR_XML_ERROR, VIR_ERR_CONFIG_UNSUPPORTED.
 */
virDomainDef *virDomainDefParse(const char *xml, unsigned parseFlags, GError **error);
virDomainDef *virDomainDefParseNode(xmlNode *root, unsigned parseFlags, GError **error);

/* Defaults, in the order in which they build on each other. A hypervisor that has defaults of its
 * own calls the two parts and puts its own between them; before sees each device first, as the
 * model it chooses may decide the rest. facts must be those of def. */
typedef bool (*virDomainDeviceHook)(virDevice *dev, const virDomainFacts *facts,
                                    unsigned parseFlags, void *opaque, GError **error);
bool virDomainDefCompleteDevices(virDomainDef *def, const virDomainFacts *facts,
                                 unsigned parseFlags, virDomainDeviceHook before /* or NULL */,
                                 void *opaque, GError **error);
/* What sections say of the whole: memory sums, boot order, console copies of serial ports. */
bool virDomainDefCompleteSections(virDomainDef *def, unsigned parseFlags, GError **error);
/* Both, for a document of no hypervisor in particular. */
bool virDomainDefComplete(virDomainDef *def, unsigned parseFlags, GError **error);
/* Contradictions that hold for any hypervisor: duplicate targets, boot orders, addresses. */
bool virDomainDefCheck(const virDomainDef *def, unsigned parseFlags, GError **error);

/* Caller frees; wipe with virSecureFreeString if VIR_FORMAT_SECURE was asked. */
char *virDomainDefFormat(const virDomainDef *def, unsigned formatFlags);
/* Below an open parent (the status file). */
void virDomainDefFormatInto(const virDomainDef *def, virXMLWriter *w, unsigned formatFlags);

/* By way of the text, nothing left out. */
virDomainDef *virDomainDefCopy(const virDomainDef *def);
/* A guest defined by b could take over from one defined by a without noticing.
 * VIR_ERR_CONFIG_UNSUPPORTED naming the difference. */
bool virDomainDefSameABI(const virDomainDef *a, const virDomainDef *b, GError **error);

/* Puts the device at its place: behind its kind, or where the kind's order() says: behind the last
 * it comes after, before the first it comes before; 0 means that two have no order. Takes it over.
 */
void virDomainDefAddDevice(virDomainDef *def, virDevice *dev);
/* The same behind all others of its kind: what a document has in that order, or what is added
 * because the rest implies it. */
void virDomainDefAppendDevice(virDomainDef *def, virDevice *dev);
/* Takes it out without freeing it; false if it is not in. */
bool virDomainDefTakeDevice(virDomainDef *def, const virDevice *dev);
/* Puts dev in the place of old, which is freed. Takes it over. */
void virDomainDefReplaceDevice(virDomainDef *def, virDevice *old, virDevice *dev);
/* NULL if there is none. alias NULL: none. */
virDevice *virDomainDefDeviceByAlias(const virDomainDef *def, const char *alias);

/* Fills facts from the document alone; machineName is the canonical machine name, e.g. of an alias
 * resolved by the capabilities, or NULL for the one in the document. */
void virDomainDefFacts(const virDomainDef *def, const char *machineName, virDomainFacts *facts);

/* Gives every device an alias that has none, and ids to what needs them ("rng0", "ide0-0-1"). */
void virDomainDefAssignAliases(virDomainDef *def);

/* Boot orders and aliases that are used twice. Part of virDomainDefCheck. */
bool virDomainDefCheckDevices(const virDomainDef *def, GError **error);
