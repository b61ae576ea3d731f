/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_list.c: the older lists: ids of running domains, names of the others, their numbers. */
#include "api/domain.h"
#include "api/handlers.gen.h"
#include "util/vircore.h"
#include "util/virerror.h"

typedef struct {
    virApiCall *call;
    uint32_t max;
    uint32_t count;
    int32_t *ids;       /* of running ones, or NULL */
    const char **names; /* of the others, or NULL */
} virApiOldList;

static void
virApiOldListOne(virDomainObj *obj, void *opaque)
{
    virApiOldList *list = opaque;

    if (virDomainObjIsActive(obj) != (list->ids != NULL) || list->count == list->max)
        return;
    if (list->ids)
        list->ids[list->count++] = obj->id;
    else
        list->names[list->count++] = virApiStrdup(list->call, obj->name);
}

/* The client's room, or an error as its own library would give. */
static bool
virApiOldListRoom(int32_t max, GError **error)
{
    if (max < 0 || max > REMOTE_DOMAIN_LIST_MAX)
        return virErrorSet(error, VIR_ERR_RPC, "%s",
                           _("too many domains asked for: more than one answer may hold"));
    return true;
}

bool
virApiConnectListDomains(virApiCall *call, const remote_connect_list_domains_args *args,
                         remote_connect_list_domains_ret *ret, GError **error)
{
    virApiOldList list = {.call = call};
    VIR_CORE_GUARD;

    if (!virApiOldListRoom(args->maxids, error))
        return false;
    list.max = MIN((uint32_t)args->maxids, virDomainRegistryCount(virApiQemu(call)->domains, true));
    list.ids = virApiNew(call, int32_t, list.max + 1); /* never of size 0: it says what is asked */
    virDomainRegistryForEach(virApiQemu(call)->domains, virApiOldListOne, &list);
    ret->ids_val = list.ids;
    ret->ids_len = list.count;
    return true;
}

bool
virApiConnectListDefinedDomains(virApiCall *call,
                                const remote_connect_list_defined_domains_args *args,
                                remote_connect_list_defined_domains_ret *ret, GError **error)
{
    virApiOldList list = {.call = call};
    VIR_CORE_GUARD;

    if (!virApiOldListRoom(args->maxnames, error))
        return false;
    list.max =
        MIN((uint32_t)args->maxnames, virDomainRegistryCount(virApiQemu(call)->domains, false));
    list.names = virApiNew(call, const char *, list.max);
    virDomainRegistryForEach(virApiQemu(call)->domains, virApiOldListOne, &list);
    ret->names_val = list.names;
    ret->names_len = list.count;
    return true;
}

bool
virApiConnectNumOfDomains(virApiCall *call, remote_connect_num_of_domains_ret *ret, GError **error)
{
    VIR_CORE_GUARD;

    ret->num = (int32_t)virDomainRegistryCount(virApiQemu(call)->domains, true);
    return true;
}

bool
virApiConnectNumOfDefinedDomains(virApiCall *call, remote_connect_num_of_defined_domains_ret *ret,
                                 GError **error)
{
    VIR_CORE_GUARD;

    ret->num = (int32_t)virDomainRegistryCount(virApiQemu(call)->domains, false);
    return true;
}
