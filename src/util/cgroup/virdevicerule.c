/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virdevicerule.c: rules for device nodes: their text, their owners, their union.
 *
 * Owners and rules are kept as one flat array of pairs, sorted by owner and node. A guest has some
 * dozens of pairs; finding one is a walk. The union is computed when it is asked for, never kept
 * beside the pairs: there is nothing that could disagree. Any thread, no rights. */
#include "util/cgroup/virdevicerule.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virutil.h"

#define MAJOR_MAX 4095
#define MINOR_MAX ((1 << 20) - 1)

typedef struct {
    char *owner;
    virDeviceRule rule; /* type BLOCK or CHAR; access not 0 */
} virDevicePair;

struct virDeviceRules {
    GArray *pairs;
};

/* --- one rule --- */

static bool
virDeviceNumberParse(const char **text, int max, int *retNumber)
{
    char *end = NULL;
    guint64 number;

    if (**text == '*') {
        (*text)++;
        *retNumber = VIR_DEVICE_ANY;
        return true;
    }
    if (!g_ascii_isdigit(**text))
        return false;
    number = g_ascii_strtoull(*text, &end, 10);
    if (number > (guint64)max)
        return false;
    *text = end;
    *retNumber = (int)number;
    return true;
}

static bool
virDeviceAccessParse(const char *text, unsigned *retAccess)
{
    unsigned access = 0;

    for (; *text; text++) {
        switch (*text) {
        case 'r':
            access |= VIR_DEVICE_READ;
            break;
        case 'w':
            access |= VIR_DEVICE_WRITE;
            break;
        case 'm':
            access |= VIR_DEVICE_MKNOD;
            break;
        default:
            return false;
        }
    }
    *retAccess = access;
    return access != 0;
}

static bool
virDeviceTypeParse(char letter, virDeviceType *retType)
{
    switch (letter) {
    case 'b':
        *retType = VIR_DEVICE_BLOCK;
        return true;
    case 'c':
        *retType = VIR_DEVICE_CHAR;
        return true;
    case 'a':
        *retType = VIR_DEVICE_ALL;
        return true;
    default:
        return false;
    }
}

bool
virDeviceRuleParse(const char *text, virDeviceRule *retRule, GError **error)
{
    virDeviceRule rule = {0};
    const char *at = text;

    if (!virDeviceTypeParse(*at, &rule.type) || at[1] != ' ')
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("device rule '%s' begins with none of %s"),
                           text, "'a ', 'b ', 'c '");
    at += 2;
    if (!virDeviceNumberParse(&at, MAJOR_MAX, &rule.major) || *at++ != ':' ||
        !virDeviceNumberParse(&at, MINOR_MAX, &rule.minor) || *at++ != ' ')
        return virErrorSet(error, VIR_ERR_INVALID_ARG,
                           _("device rule '%s' has no numbers of the form MAJOR:MINOR"), text);
    if (!virDeviceAccessParse(at, &rule.access))
        return virErrorSet(error, VIR_ERR_INVALID_ARG,
                           _("device rule '%s' doesn't end in an access of the letters rwm"), text);
    *retRule = rule;
    return true;
}

const char *
virDeviceAccessToString(unsigned access)
{
    static const char *const names[] = {"", "m", "r", "rm", "w", "wm", "rw", "rwm"};

    return names[access & VIR_DEVICE_RWM];
}

char *
virDeviceRuleFormat(const virDeviceRule *rule)
{
    static const char letters[] = {
        [VIR_DEVICE_BLOCK] = 'b', [VIR_DEVICE_CHAR] = 'c', [VIR_DEVICE_ALL] = 'a'};
    char major[12] = "*";
    char minor[12] = "*";

    if (rule->major != VIR_DEVICE_ANY)
        g_snprintf(major, sizeof(major), "%d", rule->major);
    if (rule->minor != VIR_DEVICE_ANY)
        g_snprintf(minor, sizeof(minor), "%d", rule->minor);
    return g_strdup_printf("%c %s:%s %s", letters[rule->type & VIR_DEVICE_ALL], major, minor,
                           virDeviceAccessToString(rule->access));
}

int
virDeviceRuleCompare(const virDeviceRule *a, const virDeviceRule *b)
{
    if (a->type != b->type)
        return a->type < b->type ? -1 : 1;
    if (a->major != b->major)
        return a->major < b->major ? -1 : 1;
    if (a->minor != b->minor)
        return a->minor < b->minor ? -1 : 1;
    return 0;
}

virDeviceNodeLookup
virDeviceRuleFromNode(const char *path, unsigned access, virDeviceRule *retRule, GError **error)
{
    struct stat st;

    if (stat(path, &st) < 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return VIR_DEVICE_NODE_MISSING;
        virErrorErrno(error, _("cannot look at device node '%s'"), path);
        return VIR_DEVICE_NODE_ERROR;
    }
    if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
        return VIR_DEVICE_NODE_OTHER;
    *retRule = (virDeviceRule){
        .type = S_ISCHR(st.st_mode) ? VIR_DEVICE_CHAR : VIR_DEVICE_BLOCK,
        .access = access,
        .major = (int)major(st.st_rdev),
        .minor = (int)minor(st.st_rdev),
    };
    return VIR_DEVICE_NODE_FOUND;
}

char *
virDeviceRuleNodePath(const virDeviceRule *rule)
{
    const char *type = rule->type == VIR_DEVICE_BLOCK ? "block" : "char";
    g_autofree char *path =
        g_strdup_printf("/sys/dev/%s/%d:%d/uevent", type, rule->major, rule->minor);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (rule->type == VIR_DEVICE_ALL || rule->major == VIR_DEVICE_ANY ||
        rule->minor == VIR_DEVICE_ANY || !(text = virFileRead(path, 1 << 16, NULL, NULL)))
        return NULL;
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        if (g_str_has_prefix(*line, "DEVNAME="))
            return g_build_filename("/dev", *line + strlen("DEVNAME="), NULL);
    }
    return NULL;
}

/* --- rules with owners --- */

static void
virDevicePairClear(void *data)
{
    virDevicePair *pair = data;

    g_clear_pointer(&pair->owner, g_free);
}

virDeviceRules *
virDeviceRulesNew(void)
{
    virDeviceRules *rules = g_new0(virDeviceRules, 1);

    rules->pairs = g_array_new(FALSE, TRUE, sizeof(virDevicePair));
    g_array_set_clear_func(rules->pairs, virDevicePairClear);
    return rules;
}

void
virDeviceRulesFree(virDeviceRules *rules)
{
    if (!rules)
        return;
    g_array_unref(rules->pairs);
    g_free(rules);
}

static virDevicePair *
virDeviceRulesAt(const virDeviceRules *rules, size_t index)
{
    return &g_array_index(rules->pairs, virDevicePair, index);
}

virDeviceRules *
virDeviceRulesCopy(const virDeviceRules *rules)
{
    virDeviceRules *copy = virDeviceRulesNew();

    for (size_t i = 0; i < rules->pairs->len; i++) {
        virDevicePair pair = *virDeviceRulesAt(rules, i);

        pair.owner = g_strdup(pair.owner);
        g_array_append_val(copy->pairs, pair);
    }
    return copy;
}

static int
virDevicePairCompare(const virDevicePair *pair, const char *owner, const virDeviceRule *rule)
{
    int byOwner = strcmp(pair->owner, owner);

    return byOwner ? byOwner : virDeviceRuleCompare(&pair->rule, rule);
}

/* Where (owner, rule's node) is or belongs; *retFound says which. */
static size_t
virDeviceRulesFind(const virDeviceRules *rules, const char *owner, const virDeviceRule *rule,
                   bool *retFound)
{
    size_t low = 0;
    size_t high = rules->pairs->len;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (virDevicePairCompare(virDeviceRulesAt(rules, middle), owner, rule) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *retFound = low < rules->pairs->len &&
                virDevicePairCompare(virDeviceRulesAt(rules, low), owner, rule) == 0;
    return low;
}

static void
virDeviceRulesAllowOne(virDeviceRules *rules, const char *owner, const virDeviceRule *rule)
{
    bool found = false;
    size_t index = virDeviceRulesFind(rules, owner, rule, &found);

    if (found) {
        virDeviceRulesAt(rules, index)->rule.access |= rule->access;
    } else if (rule->access) {
        virDevicePair pair = {g_strdup(owner), *rule};

        g_array_insert_val(rules->pairs, index, pair);
    }
}

static void
virDeviceRulesDenyOne(virDeviceRules *rules, const char *owner, const virDeviceRule *rule)
{
    bool found = false;
    size_t index = virDeviceRulesFind(rules, owner, rule, &found);
    virDevicePair *pair;

    if (!found)
        return;
    pair = virDeviceRulesAt(rules, index);
    pair->rule.access &= ~rule->access;
    if (!pair->rule.access)
        g_array_remove_index(rules->pairs, index);
}

/* Calls one for the block and the character half of rule that it names. */
static void
virDeviceRulesEachType(virDeviceRules *rules, const char *owner, const virDeviceRule *rule,
                       void (*one)(virDeviceRules *, const char *, const virDeviceRule *))
{
    static const virDeviceType types[] = {VIR_DEVICE_BLOCK, VIR_DEVICE_CHAR};

    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        virDeviceRule half = *rule;

        if (!(rule->type & types[i]))
            continue;
        half.type = types[i];
        half.access &= VIR_DEVICE_RWM;
        one(rules, owner, &half);
    }
}

void
virDeviceRulesAllow(virDeviceRules *rules, const char *owner, const virDeviceRule *rule)
{
    virDeviceRulesEachType(rules, owner, rule, virDeviceRulesAllowOne);
}

void
virDeviceRulesDeny(virDeviceRules *rules, const char *owner, const virDeviceRule *rule)
{
    virDeviceRulesEachType(rules, owner, rule, virDeviceRulesDenyOne);
}

void
virDeviceRulesDropOwner(virDeviceRules *rules, const char *owner)
{
    for (size_t i = rules->pairs->len; i-- > 0;) {
        if (g_str_equal(virDeviceRulesAt(rules, i)->owner, owner))
            g_array_remove_index(rules->pairs, i);
    }
}

void
virDeviceRulesForeach(const virDeviceRules *rules, virDeviceRulesFunc func, void *opaque)
{
    for (size_t i = 0; i < rules->pairs->len; i++) {
        const virDevicePair *pair = virDeviceRulesAt(rules, i);

        func(pair->owner, &pair->rule, opaque);
    }
}

char *
virDeviceRulesOwners(const virDeviceRules *rules, const virDeviceRule *rule)
{
    GString *owners = NULL;

    for (size_t i = 0; i < rules->pairs->len; i++) {
        const virDevicePair *pair = virDeviceRulesAt(rules, i);

        if (virDeviceRuleCompare(&pair->rule, rule) != 0)
            continue;
        if (!owners)
            owners = g_string_new(pair->owner);
        else
            g_string_append_printf(owners, ",%s", pair->owner);
    }
    return owners ? g_string_free(owners, FALSE) : NULL;
}

/* --- the union --- */

static int
virDeviceRuleCompareVoid(const void *a, const void *b)
{
    return virDeviceRuleCompare(a, b);
}

GArray *
virDeviceRulesUnion(const virDeviceRules *rules)
{
    GArray *all = g_array_sized_new(FALSE, TRUE, sizeof(virDeviceRule), rules->pairs->len);
    size_t kept = 0;

    for (size_t i = 0; i < rules->pairs->len; i++)
        g_array_append_val(all, virDeviceRulesAt(rules, i)->rule);
    g_array_sort(all, virDeviceRuleCompareVoid);
    for (size_t i = 0; i < all->len; i++) {
        const virDeviceRule *rule = &g_array_index(all, virDeviceRule, i);
        virDeviceRule *last = kept ? &g_array_index(all, virDeviceRule, kept - 1) : NULL;

        if (last && virDeviceRuleCompare(last, rule) == 0)
            last->access |= rule->access;
        else
            g_array_index(all, virDeviceRule, kept++) = *rule;
    }
    g_array_set_size(all, kept);
    return all;
}

GArray *
virDeviceRulesChanges(const GArray *from, const GArray *to)
{
    GArray *changes = g_array_new(FALSE, TRUE, sizeof(virDeviceRule));
    size_t i = 0;
    size_t j = 0;

    while (i < from->len || j < to->len) {
        const virDeviceRule *old = i < from->len ? &g_array_index(from, virDeviceRule, i) : NULL;
        const virDeviceRule *new = j < to->len ? &g_array_index(to, virDeviceRule, j) : NULL;
        int order = !old ? 1 : !new ? -1 : virDeviceRuleCompare(old, new);

        if (order < 0) {
            virDeviceRule gone = *old;

            gone.access = 0;
            g_array_append_val(changes, gone);
        } else if (order > 0 || old->access != new->access) {
            g_array_append_val(changes, *new);
        }
        i += order <= 0;
        j += order >= 0;
    }
    return changes;
}
