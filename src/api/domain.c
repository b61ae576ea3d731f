/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain.c: finding domains: look-ups, lists, state, text. All from memory. */
#include "api/domain.h"

#include <string.h>

#include "api/handlers.gen.h"
#include "qemu/guest.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virsecure.h"
#include "util/viruuid.h"

/* VIR_CONNECT_LIST_DOMAINS_*: libvirt-domain.h. */
enum {
    LIST_ACTIVE = 1 << 0,
    LIST_INACTIVE = 1 << 1,
    LIST_PERSISTENT = 1 << 2,
    LIST_TRANSIENT = 1 << 3,
    LIST_RUNNING = 1 << 4,
    LIST_PAUSED = 1 << 5,
    LIST_SHUTOFF = 1 << 6,
    LIST_OTHER = 1 << 7,
    LIST_MANAGEDSAVE = 1 << 8,
    LIST_NO_MANAGEDSAVE = 1 << 9,
    LIST_AUTOSTART = 1 << 10,
    LIST_NO_AUTOSTART = 1 << 11,
    LIST_HAS_SNAPSHOT = 1 << 12,
    LIST_NO_SNAPSHOT = 1 << 13,
    LIST_HAS_CHECKPOINT = 1 << 14,
    LIST_NO_CHECKPOINT = 1 << 15,
    LIST_ALL = (1 << 16) - 1,
};

virDomainObj *
virApiDomain(virApiCall *call, const remote_nonnull_domain *dom, GError **error)
{
    virDomainObj *obj = virDomainRegistryByUUID(virApiQemu(call)->domains, dom->uuid);
    char uuid[VIR_UUID_TEXT_SIZE];

    if (!obj)
        virErrorSet(error, VIR_ERR_NO_DOMAIN, _("no domain with matching uuid '%s' (%s)"),
                    virUUIDFormat(dom->uuid, uuid), dom->name);
    return obj;
}

virDomainObj *
virApiDomainObtain(virDomainRegistry *domains, const virDomainDef *def, GError **error)
{
    virDomainObj *obj;

    if (!virDomainRegistryCheck(domains, def->name, def->uuid, error))
        return NULL;
    obj = virDomainRegistryByUUID(domains, def->uuid);
    return obj ? obj : virDomainRegistryAdd(domains, def->name, def->uuid, error);
}

virDomainDoc *
virApiDomainDoc(virDomainObj *obj, unsigned flags, GError **error)
{
    bool live, config;

    if ((flags & VIR_DOMAIN_AFFECT_LIVE) && (flags & VIR_DOMAIN_AFFECT_CONFIG)) {
        virErrorSet(error, VIR_ERR_INVALID_ARG, _("Flags '%s' and '%s' are mutually exclusive"),
                    "VIR_DOMAIN_AFFECT_LIVE", "VIR_DOMAIN_AFFECT_CONFIG");
        return NULL;
    }
    if (!virDomainObjAffected(obj, flags, &live, &config, error))
        return NULL;
    return live ? obj->live : obj->config;
}

void
virApiDomainFill(virApiCall *call, const virDomainObj *obj, remote_nonnull_domain *ret)
{
    ret->name = virApiStrdup(call, obj->name);
    memcpy(ret->uuid, obj->uuid, sizeof(ret->uuid));
    ret->id = obj->id;
}

/* --- look-ups --- */

bool
virApiDomainLookupByID(virApiCall *call, const remote_domain_lookup_by_id_args *args,
                       remote_domain_lookup_by_id_ret *ret, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    VIR_CORE_GUARD;

    obj = virDomainRegistryByID(virApiQemu(call)->domains, args->id);
    if (!obj)
        return virErrorSet(error, VIR_ERR_NO_DOMAIN, _("no domain with matching id %d"), args->id);
    virApiDomainFill(call, obj, &ret->dom);
    return true;
}

bool
virApiDomainLookupByUUID(virApiCall *call, const remote_domain_lookup_by_uuid_args *args,
                         remote_domain_lookup_by_uuid_ret *ret, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    char uuid[VIR_UUID_TEXT_SIZE];
    VIR_CORE_GUARD;

    obj = virDomainRegistryByUUID(virApiQemu(call)->domains, args->uuid);
    if (!obj)
        return virErrorSet(error, VIR_ERR_NO_DOMAIN, _("no domain with matching uuid '%s'"),
                           virUUIDFormat(args->uuid, uuid));
    virApiDomainFill(call, obj, &ret->dom);
    return true;
}

bool
virApiDomainLookupByName(virApiCall *call, const remote_domain_lookup_by_name_args *args,
                         remote_domain_lookup_by_name_ret *ret, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    VIR_CORE_GUARD;

    obj = virDomainRegistryByName(virApiQemu(call)->domains, args->name);
    if (!obj)
        return virErrorSet(error, VIR_ERR_NO_DOMAIN, _("no domain with matching name '%s'"),
                           args->name);
    virApiDomainFill(call, obj, &ret->dom);
    return true;
}

/* --- lists --- */

/* A group of filters counts only if one of its bits is set. */
static bool
virApiListGroup(unsigned flags, unsigned yes, bool is, unsigned no)
{
    return !(flags & (yes | no)) || ((flags & yes) && is) || ((flags & no) && !is);
}

static bool
virApiListState(unsigned flags, const virDomainObj *obj)
{
    unsigned bit = LIST_OTHER;

    if (!(flags & (LIST_RUNNING | LIST_PAUSED | LIST_SHUTOFF | LIST_OTHER)))
        return true;
    if (obj->state == VIR_DOMAIN_RUNNING)
        bit = LIST_RUNNING;
    else if (obj->state == VIR_DOMAIN_PAUSED)
        bit = LIST_PAUSED;
    else if (obj->state == VIR_DOMAIN_SHUTOFF)
        bit = LIST_SHUTOFF;
    return flags & bit;
}

bool
virApiDomainMatches(const virDomainObj *obj, unsigned flags)
{
    return virApiListGroup(flags, LIST_ACTIVE, virDomainObjIsActive(obj), LIST_INACTIVE) &&
           virApiListGroup(flags, LIST_PERSISTENT, virDomainObjIsPersistent(obj), LIST_TRANSIENT) &&
           virApiListGroup(flags, LIST_MANAGEDSAVE, obj->hasManagedSave, LIST_NO_MANAGEDSAVE) &&
           virApiListGroup(flags, LIST_AUTOSTART, obj->autostart, LIST_NO_AUTOSTART) &&
           virApiListGroup(flags, LIST_HAS_SNAPSHOT, false, LIST_NO_SNAPSHOT) &&
           virApiListGroup(flags, LIST_HAS_CHECKPOINT, false, LIST_NO_CHECKPOINT) &&
           virApiListState(flags, obj);
}

typedef struct {
    virApiCall *call;
    unsigned flags;
    remote_nonnull_domain *list; /* NULL: only count */
    unsigned count;
} virApiListing;

static void
virApiListOne(virDomainObj *obj, void *opaque)
{
    virApiListing *listing = opaque;

    if (!virApiDomainMatches(obj, listing->flags))
        return;
    if (listing->list)
        virApiDomainFill(listing->call, obj, &listing->list[listing->count]);
    listing->count++;
}

bool
virApiConnectListAllDomains(virApiCall *call, const remote_connect_list_all_domains_args *args,
                            remote_connect_list_all_domains_ret *ret, GError **error)
{
    virDomainRegistry *domains = virApiQemu(call)->domains;
    virApiListing listing = {.call = call, .flags = args->flags};

    if (!virApiOnlyFlags(args->flags, LIST_ALL, error))
        return false;
    VIR_CORE_GUARD;
    if (args->need_results)
        listing.list = virApiNew(call, remote_nonnull_domain,
                                 virDomainRegistryCount(domains, true) +
                                     virDomainRegistryCount(domains, false));
    virDomainRegistryForEach(domains, virApiListOne, &listing);
    ret->domains_val = listing.list;
    ret->domains_len = listing.list ? listing.count : 0;
    ret->ret = listing.count;
    return true;
}

/* --- state --- */

bool
virApiDomainGetState(virApiCall *call, const remote_domain_get_state_args *args,
                     remote_domain_get_state_ret *ret, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    VIR_CORE_GUARD;

    if (!virApiOnlyFlags(args->flags, 0, error) || !(obj = virApiDomain(call, &args->dom, error)))
        return false;
    ret->state = obj->state;
    ret->reason = obj->reason;
    return true;
}

bool
virApiDomainIsActive(virApiCall *call, const remote_domain_is_active_args *args,
                     remote_domain_is_active_ret *ret, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    VIR_CORE_GUARD;

    if (!(obj = virApiDomain(call, &args->dom, error)))
        return false;
    ret->active = virDomainObjIsActive(obj);
    return true;
}

/* --- text --- */

bool
virApiDomainGetXMLDesc(virApiCall *call, const remote_domain_get_xml_desc_args *args,
                       remote_domain_get_xml_desc_ret *ret, GError **error)
{
    const unsigned known =
        VIR_FORMAT_SECURE | VIR_FORMAT_INACTIVE | VIR_FORMAT_UPDATE_CPU | VIR_FORMAT_MIGRATABLE;
    g_autoptr(virDomainDoc) doc = NULL;
    unsigned flags = args->flags;
    char *text;

    if (!virApiOnlyFlags(args->flags, known, error))
        return false;
    {
        g_autoptr(virDomainObj) obj = NULL;
        VIR_CORE_GUARD;

        if (!(obj = virApiDomain(call, &args->dom, error)))
            return false;
        doc = virDomainDocRef((args->flags & VIR_FORMAT_INACTIVE) && obj->config
                                  ? obj->config
                                  : virDomainObjDoc(obj));
    }
    if (!virDomainDocIsSmall(doc) && virNetCallDefer(call))
        return false;
    /* what another host is to be given is the definition of the guest as it runs, whole */
    if (flags & VIR_FORMAT_MIGRATABLE)
        flags |= VIR_FORMAT_SECURE | VIR_FORMAT_INACTIVE;
    text = virDomainDocXML(doc, flags);
    ret->xml = virApiStrdup(call, text);
    if (flags & VIR_FORMAT_SECURE)
        virSecureFreeString(text);
    else
        g_free(text);
    return true;
}
