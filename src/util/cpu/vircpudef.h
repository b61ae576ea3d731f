/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircpudef.h: the <cpu> element, of a guest and of a host, as a value.
 *
 * The document only: no table of models, no look at the machine. Its <numa> child belongs to
 * whoever holds the memory layout. Any thread; a value that is shared is not written to. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "util/virenum.h"
#include "util/virutil.h"
#include "util/virxml.h"

typedef enum {
    VIR_CPU_TYPE_HOST, /* <arch> is required; features have no policy */
    VIR_CPU_TYPE_GUEST,
    VIR_CPU_TYPE_AUTO, /* only to parse: a host's if there is an <arch>, else a guest's */
} virCPUType;

typedef enum {
    VIR_CPU_MODE_CUSTOM,
    VIR_CPU_MODE_HOST_MODEL,
    VIR_CPU_MODE_HOST_PASSTHROUGH,
    VIR_CPU_MODE_MAXIMUM,
    VIR_CPU_MODE_LAST,
} virCPUMode;
VIR_ENUM_DECL(virCPUMode);

typedef enum {
    VIR_CPU_MATCH_MINIMUM,
    VIR_CPU_MATCH_EXACT,
    VIR_CPU_MATCH_STRICT,
    VIR_CPU_MATCH_LAST,
} virCPUMatch;
VIR_ENUM_DECL(virCPUMatch);

typedef enum {
    VIR_CPU_CHECK_DEFAULT,
    VIR_CPU_CHECK_NONE,
    VIR_CPU_CHECK_PARTIAL,
    VIR_CPU_CHECK_FULL,
    VIR_CPU_CHECK_LAST,
} virCPUCheck;
VIR_ENUM_DECL(virCPUCheck);

typedef enum {
    VIR_CPU_FALLBACK_ALLOW,
    VIR_CPU_FALLBACK_FORBID,
    VIR_CPU_FALLBACK_LAST,
} virCPUFallback;
VIR_ENUM_DECL(virCPUFallback);

typedef enum {
    VIR_CPU_FEATURE_FORCE,
    VIR_CPU_FEATURE_REQUIRE,
    VIR_CPU_FEATURE_OPTIONAL,
    VIR_CPU_FEATURE_DISABLE,
    VIR_CPU_FEATURE_FORBID,
    VIR_CPU_FEATURE_LAST,
} virCPUFeaturePolicy;
VIR_ENUM_DECL(virCPUFeaturePolicy);

typedef enum {
    VIR_CPU_CACHE_ABSENT,
    VIR_CPU_CACHE_EMULATE,
    VIR_CPU_CACHE_PASSTHROUGH,
    VIR_CPU_CACHE_DISABLE,
    VIR_CPU_CACHE_LAST,
} virCPUCacheMode;
VIR_ENUM_DECL(virCPUCacheMode);

typedef enum {
    VIR_CPU_MAXPHYSADDR_ABSENT,
    VIR_CPU_MAXPHYSADDR_EMULATE,
    VIR_CPU_MAXPHYSADDR_PASSTHROUGH,
    VIR_CPU_MAXPHYSADDR_LAST,
} virCPUMaxPhysAddrMode;
VIR_ENUM_DECL(virCPUMaxPhysAddrMode);

/* Bytes of a vendor's name as CPUID gives it, e.g. "GenuineIntel". */
#define VIR_CPU_VENDOR_ID_LENGTH 12

typedef struct {
    char *name;
    virCPUFeaturePolicy policy; /* meaningless in a host's CPU */
} virCPUFeature;

typedef struct virCPUDef virCPUDef;
struct virCPUDef {
    virCPUType type; /* never AUTO */
    virCPUMode mode; /* of a host: CUSTOM */
    virCPUMatch match;
    virCPUCheck check;
    virTristate migratable; /* only with host-passthrough and maximum */

    char *model;
    virCPUFallback fallback;
    char *vendorId; /* what the guest shall read instead of the vendor's name */
    char *vendor;

    unsigned sockets; /* 0: no topology; then the other three are 0 too */
    unsigned dies;
    unsigned cores;
    unsigned threads;

    virCPUCacheMode cache;
    int cacheLevel; /* -1: none given */
    virCPUMaxPhysAddrMode maxPhysAddr;
    int maxPhysAddrBits; /* -1: none given */

    GArray *features; /* of virCPUFeature, as they stand in the document; no name twice */

    /* The rest is of a host only. */
    char *arch;
    unsigned microcode; /* 0: not known */
    bool hasSignature;
    unsigned family;
    unsigned familyModel;
    unsigned stepping;
    unsigned long long tscFrequency; /* in Hz; 0: not known */
    virTristate tscScaling;
};

/* Is there an architecture of this name, with or without models of ours? */
bool virCPUArchIsKnown(const char *arch);

virCPUDef *virCPUDefNew(virCPUType type);
void virCPUDefFree(virCPUDef *cpu);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virCPUDef, virCPUDefFree)
/* A deep copy; NULL gives NULL. */
virCPUDef *virCPUDefCopy(const virCPUDef *cpu);

/* Reads a <cpu> element; what is unknown in it is passed over. Errors carry libvirt's texts. */
virCPUDef *virCPUDefParse(const xmlNode *node, virCPUType type, GError **error);
/* The same from a document of its own, as in the calls that compare and combine CPUs. */
virCPUDef *virCPUDefParseText(const char *xml, virCPUType type, GError **error);

/* Opens <cpu> and writes all but <numa>; the caller adds that and ends the element with
 * virXMLWriterCloseUnlessEmpty. cpu may be NULL: a guest that has only <numa>. */
void virCPUDefFormatOpen(virXMLWriter *w, const virCPUDef *cpu);
/* The whole element, nothing if there is nothing to say. */
void virCPUDefFormat(virXMLWriter *w, const virCPUDef *cpu);
/* The children of <cpu> alone, for elements that look like it (host-model of domain capabilities).
 */
void virCPUDefFormatChildren(virXMLWriter *w, const virCPUDef *cpu);
/* A guest's CPU that asks for nothing, so that its element would be left out. */
bool virCPUDefIsEmpty(const virCPUDef *cpu);
/* The element as a text of its own; caller frees. */
char *virCPUDefFormatText(const virCPUDef *cpu);

size_t virCPUDefFeatureCount(const virCPUDef *cpu);
virCPUFeature *virCPUDefFeatureAt(const virCPUDef *cpu, size_t i);
/* The feature of that name in the document's own spelling, or NULL. */
virCPUFeature *virCPUDefFindFeature(const virCPUDef *cpu, const char *name);
/* Adds the feature, or sets the policy of the one that is there. */
void virCPUDefSetFeature(virCPUDef *cpu, const char *name, virCPUFeaturePolicy policy);
/* Adds the feature unless there is one of that name already. */
void virCPUDefAddMissing(virCPUDef *cpu, const char *name, virCPUFeaturePolicy policy);
/* Drops every feature for which keep says false. */
void virCPUDefFilterFeatures(virCPUDef *cpu, bool (*keep)(const virCPUFeature *, const void *),
                             const void *opaque);

/* By name, as in the answers that list every feature. */
void virCPUDefSortFeatures(virCPUDef *cpu);

/* Takes model, vendor and features from another CPU and drops what cpu had of them. */
void virCPUDefTakeModel(virCPUDef *cpu, const virCPUDef *from);

/* Is what the guest sees the same? VIR_ERR_CONFIG_UNSUPPORTED names the first difference. Either
 * may be NULL. */
bool virCPUDefCheckABI(const virCPUDef *src, const virCPUDef *dst, GError **error);
