/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_snapshot.c: what a domain has of snapshots, checkpoints, saved states and backups: none,
 * since none can be made yet. So lists are empty and look-ups find nothing; what would make one is
 * not supported. All from memory. */
#include "api/domain.h"
#include "api/handlers.gen.h"
#include "util/vircore.h"
#include "util/virerror.h"

enum {
    /* all of VIR_DOMAIN_SNAPSHOT_LIST_*, _CHECKPOINT_LIST_* */
    SNAPSHOT_LIST_ALL = (1 << 11) - 1,
    CHECKPOINT_LIST_ALL = (1 << 6) - 1,
    SAVE_IMAGE_XML_SECURE = 1 << 0,
    SAVE_RUNNING = 1 << 1, /* VIR_DOMAIN_SAVE_* */
    SAVE_PAUSED = 1 << 2,
};

/* The domain is there; else VIR_ERR_NO_DOMAIN. */
static bool
virApiDomainExists(virApiCall *call, const remote_nonnull_domain *dom, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    VIR_CORE_GUARD;

    obj = virApiDomain(call, dom, error);
    return obj != NULL;
}

/* --- snapshots --- */

bool
virApiDomainSnapshotNum(virApiCall *call, const remote_domain_snapshot_num_args *args,
                        remote_domain_snapshot_num_ret *ret, GError **error)
{
    return virApiOnlyFlags(args->flags, SNAPSHOT_LIST_ALL, error) &&
           virApiDomainExists(call, &args->dom, error);
}

bool
virApiDomainSnapshotListNames(virApiCall *call, const remote_domain_snapshot_list_names_args *args,
                              remote_domain_snapshot_list_names_ret *ret, GError **error)
{
    return virApiOnlyFlags(args->flags, SNAPSHOT_LIST_ALL, error) &&
           virApiDomainExists(call, &args->dom, error);
}

bool
virApiDomainListAllSnapshots(virApiCall *call, const remote_domain_list_all_snapshots_args *args,
                             remote_domain_list_all_snapshots_ret *ret, GError **error)
{
    return virApiOnlyFlags(args->flags, SNAPSHOT_LIST_ALL, error) &&
           virApiDomainExists(call, &args->dom, error);
}

bool
virApiDomainSnapshotLookupByName(virApiCall *call,
                                 const remote_domain_snapshot_lookup_by_name_args *args,
                                 remote_domain_snapshot_lookup_by_name_ret *ret, GError **error)
{
    return virApiOnlyFlags(args->flags, 0, error) && virApiDomainExists(call, &args->dom, error) &&
           virErrorSet(error, VIR_ERR_NO_DOMAIN_SNAPSHOT,
                       _("no domain snapshot with matching name '%s'"), args->name);
}

bool
virApiDomainHasCurrentSnapshot(virApiCall *call,
                               const remote_domain_has_current_snapshot_args *args,
                               remote_domain_has_current_snapshot_ret *ret, GError **error)
{
    return virApiOnlyFlags(args->flags, 0, error) && virApiDomainExists(call, &args->dom, error);
}

bool
virApiDomainSnapshotCurrent(virApiCall *call, const remote_domain_snapshot_current_args *args,
                            remote_domain_snapshot_current_ret *ret, GError **error)
{
    return virApiOnlyFlags(args->flags, 0, error) && virApiDomainExists(call, &args->dom, error) &&
           virErrorSet(error, VIR_ERR_NO_DOMAIN_SNAPSHOT, "%s",
                       _("the domain does not have a current snapshot"));
}

/* --- checkpoints, backups --- */

bool
virApiDomainListAllCheckpoints(virApiCall *call,
                               const remote_domain_list_all_checkpoints_args *args,
                               remote_domain_list_all_checkpoints_ret *ret, GError **error)
{
    return virApiOnlyFlags(args->flags, CHECKPOINT_LIST_ALL, error) &&
           virApiDomainExists(call, &args->dom, error);
}

bool
virApiDomainCheckpointLookupByName(virApiCall *call,
                                   const remote_domain_checkpoint_lookup_by_name_args *args,
                                   remote_domain_checkpoint_lookup_by_name_ret *ret, GError **error)
{
    return virApiOnlyFlags(args->flags, 0, error) && virApiDomainExists(call, &args->dom, error) &&
           virErrorSet(error, VIR_ERR_NO_DOMAIN_CHECKPOINT,
                       _("no domain checkpoint with matching name '%s'"), args->name);
}

bool
virApiDomainBackupGetXMLDesc(virApiCall *call, const remote_domain_backup_get_xml_desc_args *args,
                             remote_domain_backup_get_xml_desc_ret *ret, GError **error)
{
    return virApiOnlyFlags(args->flags, 0, error) && virApiDomainExists(call, &args->dom, error) &&
           virErrorSet(error, VIR_ERR_NO_DOMAIN_BACKUP, "%s", _("no domain backup job present"));
}

/* --- saved state --- */

static bool
virApiNoManagedSave(virApiCall *call, const remote_nonnull_domain *dom, GError **error)
{
    return virApiDomainExists(call, dom, error) &&
           virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s",
                       _("domain does not have managed save image"));
}

bool
virApiDomainManagedSaveRemove(virApiCall *call, const remote_domain_managed_save_remove_args *args,
                              GError **error)
{
    return virApiOnlyFlags(args->flags, 0, error) && virApiDomainExists(call, &args->dom, error);
}

bool
virApiDomainManagedSaveGetXMLDesc(virApiCall *call,
                                  const remote_domain_managed_save_get_xml_desc_args *args,
                                  remote_domain_managed_save_get_xml_desc_ret *ret, GError **error)
{
    return virApiOnlyFlags(args->flags, SAVE_IMAGE_XML_SECURE, error) &&
           virApiNoManagedSave(call, &args->dom, error);
}

bool
virApiDomainManagedSaveDefineXML(virApiCall *call,
                                 const remote_domain_managed_save_define_xml_args *args,
                                 GError **error)
{
    return virApiOnlyFlags(args->flags, SAVE_RUNNING | SAVE_PAUSED, error) &&
           virApiNoManagedSave(call, &args->dom, error);
}
