/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vcpuplaces.c: places for vCPUs and the choice among them. See vcpuplaces.h. */
#include "qemu/vcpuplaces.h"

#include "util/virerror.h"
#include "util/virutil.h"

static int
qemuVcpuPlaceCompare(const void *a, const void *b)
{
    const qemuVcpuPlace *left = a;
    const qemuVcpuPlace *right = b;

    for (int i = 0; i < 4; i++) {
        if (left->key[i] != right->key[i])
            return left->key[i] < right->key[i] ? -1 : 1;
    }
    return 0;
}

static qemuVcpuPlace
qemuVcpuPlaceRead(virJSON *entry)
{
    static const char *const keys[] = {"socket-id", "die-id", "core-id", "thread-id"};
    qemuVcpuPlace place = {.entry = entry, .path = virJSONGetString(entry, "qom-path")};
    virJSON *props = virJSONGetObject(entry, "props");
    int64_t count = 1;

    for (guint k = 0; props && k < G_N_ELEMENTS(keys); k++)
        (void)virJSONGetInt(props, keys[k], &place.key[k]); /* 0 where it has none */
    if (virJSONGetInt(entry, "vcpus-count", &count))
        place.count = (unsigned)CLAMP(count, 1, VIR_DOMAIN_VCPUS_MAX);
    else
        place.count = 1;
    return place;
}

GArray *
qemuVcpuPlacesNew(virJSON *reply)
{
    GArray *places = g_array_new(FALSE, TRUE, sizeof(qemuVcpuPlace));
    unsigned first = 0;

    for (size_t i = 0; i < virJSONLength(reply); i++) {
        const qemuVcpuPlace place = qemuVcpuPlaceRead(virJSONAt(reply, i));

        g_array_append_val(places, place);
    }
    g_array_sort(places, qemuVcpuPlaceCompare);
    for (guint i = 0; i < places->len; i++) {
        qemuVcpuPlace *place = &g_array_index(places, qemuVcpuPlace, i);

        place->first = first;
        first += place->count;
    }
    return places;
}

/* The place that the vCPU belongs to; NULL. */
static const qemuVcpuPlace *
qemuVcpuPlaceWith(const GArray *places, unsigned id)
{
    for (guint i = 0; i < places->len; i++) {
        const qemuVcpuPlace *place = &g_array_index(places, qemuVcpuPlace, i);

        if (id >= place->first && id - place->first < place->count)
            return place;
    }
    return NULL;
}

const qemuVcpuPlace *
qemuVcpuPlaceOf(const GArray *places, unsigned first)
{
    const qemuVcpuPlace *place = qemuVcpuPlaceWith(places, first);

    return place && place->first == first ? place : NULL;
}

virJSON *
qemuVcpuPlaceArguments(const qemuVcpuPlace *place)
{
    virJSON *props = virJSONGetObject(place->entry, "props");
    virJSON *arguments = props ? virJSONCopy(props) : virJSONObject();

    virJSONAddString(arguments, "driver", virJSONGetString(place->entry, "type"));
    virJSONAddStringF(arguments, "id", "vcpu%u", place->first);
    return arguments;
}

virBitmap *
qemuVcpuPlacesForMore(const GArray *places, const virDomainVcpus *vcpus, unsigned more,
                      GError **error)
{
    g_autoptr(virBitmap) chosen = virBitmapNew();

    for (guint i = 0; i < places->len && more > 0; i++) {
        const qemuVcpuPlace *place = &g_array_index(places, qemuVcpuPlace, i);

        if (place->path || place->first + place->count > virDomainVcpusMax(vcpus))
            continue;
        if (place->count > more) {
            virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                        _("target vm vcpu granularity does not allow the desired vcpu count"));
            return NULL;
        }
        virBitmapSet(chosen, place->first);
        more -= place->count;
    }
    if (more == 0)
        return g_steal_pointer(&chosen);
    virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s", _("QEMU has no place for another vCPU"));
    return NULL;
}

bool
qemuVcpusCheckSwitch(const virDomainVcpus *vcpus, const virBitmap *set, bool online, GError **error)
{
    virBitmapForEach(set, id)
    {
        const virDomainVcpu *vcpu = virDomainVcpuAt(vcpus, (guint)id);

        if (vcpu->online == online)
            return virErrorSet(error, VIR_ERR_INVALID_ARG,
                               _("vcpu '%ld' is already in requested state"), id);
        if (!online && vcpu->hotpluggable != VIR_TRISTATE_YES)
            return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                               _("vcpu '%ld' can't be unplugged"), id);
    }
    return true;
}

bool
qemuVcpuPlaceForSet(const GArray *places, const virBitmap *set, unsigned *retFirst, GError **error)
{
    const unsigned first = (unsigned)MAX(virBitmapNext(set, 0), 0);
    const qemuVcpuPlace *place = qemuVcpuPlaceWith(places, first);

    if (!place)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("QEMU has no place for vCPU %u"),
                           first);
    for (unsigned i = 0; i < place->count; i++) {
        if (place->first != first || !virBitmapHas(set, first + i))
            return virErrorSet(error, VIR_ERR_INVALID_ARG,
                               _("vcpu '%u' belongs to a larger hotpluggable entity, but siblings "
                                 "were not selected"),
                               first);
    }
    if (virBitmapNext(set, first + place->count) >= 0)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED, "%s",
                           _("only one hotpluggable entity can be selected"));
    *retFirst = first;
    return true;
}

void
qemuVcpuPlacesOrder(const GArray *places, virDomainVcpus *vcpus)
{
    for (guint i = 0; i < virDomainVcpusMax(vcpus); i++) {
        const qemuVcpuPlace *place = qemuVcpuPlaceWith(places, i);
        virDomainVcpu *vcpu = virDomainVcpuAt(vcpus, i);

        if (vcpu->online && place)
            vcpu->order = place->first + 1;
    }
}
