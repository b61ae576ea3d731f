/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * plan.c: holding steps and turning them into words of a command line or QMP arguments. */
#include "qmp/plan.h"

#include <inttypes.h>
#include <string.h>

#include "qmp/chardev.h"
#include "util/virerror.h"
#include "util/virsecure.h"

struct qmpPlan {
    const qmpCaps *caps;
    GPtrArray *steps; /* qmpStep */
    unsigned hosts;   /* host steps so far */
};

/* How each type of step is said: on the command line and on the monitor. */
typedef struct {
    const char *option;  /* command line */
    const char *implied; /* member whose value stands first, without its key */
    qmpCapsFlag json;    /* the option takes JSON if the binary has this; QMP_CAPS_LAST: never */
    const char *command; /* monitor; NULL: boot only */
    const char *undoCommand;
    const char *idMember;   /* names the thing */
    const char *undoMember; /* the undo's argument for the id */
} qmpStepForm;

static const qmpStepForm forms[] = {
    [QMP_STEP_ARG] = {0},
    [QMP_STEP_ENV] = {0},
    [QMP_STEP_HOST] = {0},
    [QMP_STEP_OBJECT] = {"-object", "qom-type", QMP_CAPS_OBJECT_QAPIFIED, "object-add",
                         "object-del", "id", "id"},
    [QMP_STEP_CHARDEV] = {"-chardev", "backend", QMP_CAPS_LAST, "chardev-add", "chardev-remove",
                          "id", "id"},
    [QMP_STEP_NETDEV] = {"-netdev", "type", QMP_CAPS_LAST, "netdev_add", "netdev_del", "id", "id"},
    [QMP_STEP_BLOCKDEV] = {"-blockdev", NULL, QMP_CAPS_BLOCKDEV, "blockdev-add", "blockdev-del",
                           "node-name", "node-name"},
    [QMP_STEP_DEVICE] = {"-device", "driver", QMP_CAPS_DEVICE_JSON, "device_add", "device_del",
                         "id", "id"},
    [QMP_STEP_AUDIODEV] = {"-audiodev", NULL, QMP_CAPS_LAST, NULL, NULL, "id", NULL},
    [QMP_STEP_COMMAND] = {0},
};

static void
qmpHostStepFree(qmpHostStep *host)
{
    if (!host)
        return;
    g_free(host->path);
    g_free(host->elsePath);
    virSecureFreeString(host->text);
    g_free(host->ifname);
    g_free(host->bridge);
    g_free(host->parent);
    g_free(host->undoBridge);
    g_free(host->script);
    g_free(host->downscript);
    g_free(host->mac);
    g_free(host->alias);
    g_free(host);
}

static void
qmpStepFree(void *opaque)
{
    qmpStep *step = opaque;

    g_free(step->option);
    if (step->secret) {
        virSecureFreeString(step->value);
        virJSONEraseAndUnref(step->props);
    } else {
        g_free(step->value);
        virJSONUnref(step->props);
    }
    g_free(step->command);
    g_free(step->undoCommand);
    virJSONUnref(step->undoProps);
    qmpHostStepFree(step->host);
    g_free(step);
}

qmpPlan *
qmpPlanNew(const qmpCaps *caps)
{
    qmpPlan *plan = g_new0(qmpPlan, 1);

    plan->caps = caps;
    plan->steps = g_ptr_array_new_with_free_func(qmpStepFree);
    return plan;
}

void
qmpPlanFree(qmpPlan *plan)
{
    if (!plan)
        return;
    g_ptr_array_unref(plan->steps);
    g_free(plan);
}

const qmpCaps *
qmpPlanCaps(const qmpPlan *plan)
{
    return plan->caps;
}

size_t
qmpPlanLength(const qmpPlan *plan)
{
    return plan->steps->len;
}

const qmpStep *
qmpPlanStep(const qmpPlan *plan, size_t index)
{
    return g_ptr_array_index(plan->steps, index);
}

static qmpStep *
qmpPlanAdd(qmpPlan *plan, qmpStepType type, virJSON *props)
{
    qmpStep *step = g_new0(qmpStep, 1);

    step->type = type;
    step->props = props;
    g_ptr_array_add(plan->steps, step);
    return step;
}

void
qmpPlanArg(qmpPlan *plan, const char *option, const char *value)
{
    qmpStep *step = qmpPlanAdd(plan, QMP_STEP_ARG, NULL);

    step->option = g_strdup(option);
    step->value = g_strdup(value);
}

void
qmpPlanArgF(qmpPlan *plan, const char *option, const char *fmt, ...)
{
    qmpStep *step = qmpPlanAdd(plan, QMP_STEP_ARG, NULL);
    va_list ap;

    va_start(ap, fmt);
    step->option = g_strdup(option);
    step->value = g_strdup_vprintf(fmt, ap);
    va_end(ap);
}

void
qmpPlanEnv(qmpPlan *plan, const char *name, const char *value)
{
    qmpStep *step = qmpPlanAdd(plan, QMP_STEP_ENV, NULL);

    step->option = g_strdup(name);
    step->value = g_strdup(value);
}

void
qmpPlanObject(qmpPlan *plan, virJSON *props)
{
    qmpPlanAdd(plan, QMP_STEP_OBJECT, props);
}

void
qmpPlanChardev(qmpPlan *plan, virJSON *props)
{
    qmpPlanAdd(plan, QMP_STEP_CHARDEV, props);
}

void
qmpPlanNetdev(qmpPlan *plan, virJSON *props)
{
    qmpPlanAdd(plan, QMP_STEP_NETDEV, props);
}

void
qmpPlanBlockdev(qmpPlan *plan, virJSON *props)
{
    qmpPlanAdd(plan, QMP_STEP_BLOCKDEV, props);
}

void
qmpPlanDevice(qmpPlan *plan, virJSON *props)
{
    qmpPlanAdd(plan, QMP_STEP_DEVICE, props);
}

void
qmpPlanAudiodev(qmpPlan *plan, virJSON *props)
{
    qmpPlanAdd(plan, QMP_STEP_AUDIODEV, props);
}

void
qmpPlanCommand(qmpPlan *plan, const char *command, virJSON *args, const char *undoCommand,
               virJSON *undoArgs)
{
    qmpStep *step = qmpPlanAdd(plan, QMP_STEP_COMMAND, args);

    step->command = g_strdup(command);
    step->undoCommand = g_strdup(undoCommand);
    step->undoProps = undoArgs;
}

void
qmpPlanMarkSecret(qmpPlan *plan)
{
    qmpStep *step = g_ptr_array_index(plan->steps, plan->steps->len - 1);

    step->secret = true;
}

unsigned
qmpPlanHost(qmpPlan *plan, const qmpHostStep *host)
{
    qmpStep *step = qmpPlanAdd(plan, QMP_STEP_HOST, NULL);

    step->host = g_memdup2(host, sizeof(*host));
    step->host->path = g_strdup(host->path);
    step->host->elsePath = g_strdup(host->elsePath);
    step->host->text = g_strdup(host->text);
    step->host->ifname = g_strdup(host->ifname);
    step->host->bridge = g_strdup(host->bridge);
    step->host->parent = g_strdup(host->parent);
    step->host->undoBridge = g_strdup(host->undoBridge);
    step->host->script = g_strdup(host->script);
    step->host->downscript = g_strdup(host->downscript);
    step->host->mac = g_strdup(host->mac);
    step->host->alias = g_strdup(host->alias);
    return plan->hosts++;
}

/* --- tokens: "\1HOST.N\1" inside a string --- */

static const qmpHostStep *
qmpPlanHostAt(const qmpPlan *plan, unsigned host)
{
    for (guint i = 0; i < plan->steps->len; i++) {
        const qmpStep *step = g_ptr_array_index(plan->steps, i);

        if (step->type == QMP_STEP_HOST && host-- == 0)
            return step->host;
    }
    return NULL;
}

unsigned
qmpPlanHosts(const qmpPlan *plan)
{
    return plan->hosts;
}

char *
qmpPlanFdToken(const qmpPlan *plan, unsigned host, unsigned n)
{
    (void)plan; /* tells whose token it is, at the place of the call */
    return g_strdup_printf("\1%u.%u\1", host, n);
}

char *
qmpPlanFdTokens(const qmpPlan *plan, unsigned host)
{
    GString *all = g_string_new(NULL);

    for (unsigned n = 0; n < qmpPlanHostAt(plan, host)->fds; n++)
        g_string_append_printf(all, "%s\1%u.%u\1", n ? ":" : "", host, n);
    return g_string_free(all, FALSE);
}

/* text with its tokens replaced; caller frees */
static char *
qmpPlanReplaceTokens(const char *text, qmpPlanFdName name, void *opaque)
{
    GString *out = g_string_new(NULL);

    while (*text) {
        const char *mark = strchr(text, '\1');
        char *end;
        unsigned host;
        unsigned n;
        g_autofree char *becomes = NULL;

        if (!mark) {
            g_string_append(out, text);
            break;
        }
        g_string_append_len(out, text, mark - text);
        host = (unsigned)strtoul(mark + 1, &end, 10);
        n = (unsigned)strtoul(end + 1, &end, 10);
        becomes = name(host, n, opaque);
        g_string_append(out, becomes);
        text = end + 1;
    }
    return g_string_free(out, FALSE);
}

static virJSON *
qmpPlanReplaceIn(virJSON *value, qmpPlanFdName name, void *opaque)
{
    virJSON *copy;

    switch (json_object_get_type(value)) {
    case json_type_string: {
        g_autofree char *text = qmpPlanReplaceTokens(json_object_get_string(value), name, opaque);

        copy = json_object_new_string(text);
        virSecureEraseString(text);
        return copy;
    }
    case json_type_object: {
        copy = json_object_new_object();
        json_object_object_foreach(value, key, member)
        {
            (void)json_object_object_add(copy, key, qmpPlanReplaceIn(member, name, opaque));
        }
        return copy;
    }
    case json_type_array:
        copy = json_object_new_array();
        for (size_t i = 0; i < json_object_array_length(value); i++)
            (void)json_object_array_add(
                copy, qmpPlanReplaceIn(json_object_array_get_idx(value, i), name, opaque));
        return copy;
    default:
        return virJSONCopy(value);
    }
}

/* --- the command line --- */

static void
qmpPlanKeyvalText(GString *out, const char *text)
{
    for (; *text; text++) {
        if (*text == ',') /* a comma in a value is written twice */
            g_string_append_c(out, ',');
        g_string_append_c(out, *text);
    }
}

static void qmpPlanKeyvalMember(GString *out, const char *key, virJSON *value);

/* QEMU's older options repeat the key for a list of strings, which QAPI wraps as {"str":…}. */
static void
qmpPlanKeyvalElement(GString *out, const char *key, size_t index, virJSON *element)
{
    bool wrapped = json_object_is_type(element, json_type_object) &&
                   json_object_object_length(element) == 1 && virJSONGetString(element, "str");
    g_autofree char *below = g_strdup_printf("%s.%zu", key, index);

    qmpPlanKeyvalMember(out, wrapped ? key : below, wrapped ? virJSONGet(element, "str") : element);
}

/* Numbers (host-nodes) are given as ranges, the key again for each. False if it is no such list. */
static bool
qmpPlanKeyvalRanges(GString *out, const char *key, virJSON *list)
{
    size_t count = json_object_array_length(list);

    for (size_t i = 0; i < count; i++) {
        if (!json_object_is_type(json_object_array_get_idx(list, i), json_type_int))
            return false;
    }
    for (size_t i = 0; i < count;) {
        int64_t first = json_object_get_int64(json_object_array_get_idx(list, i));
        int64_t last = first;

        for (i++;
             i < count && json_object_get_int64(json_object_array_get_idx(list, i)) == last + 1;
             i++)
            last++;
        g_string_append_printf(out, "%s%s=%" PRId64, out->len ? "," : "", key, first);
        if (last > first)
            g_string_append_printf(out, "-%" PRId64, last);
    }
    return count > 0;
}

static void
qmpPlanKeyvalMember(GString *out, const char *key, virJSON *value)
{
    g_autofree char *number = NULL;

    switch (json_object_get_type(value)) {
    case json_type_object: {
        json_object_object_foreach(value, name, member)
        {
            g_autofree char *below = g_strdup_printf("%s.%s", key, name);

            qmpPlanKeyvalMember(out, below, member);
        }
        return;
    }
    case json_type_array:
        if (qmpPlanKeyvalRanges(out, key, value))
            return;
        for (size_t i = 0; i < json_object_array_length(value); i++)
            qmpPlanKeyvalElement(out, key, i, json_object_array_get_idx(value, i));
        return;
    default:
        break;
    }
    g_string_append_printf(out, "%s%s=", out->len ? "," : "", key);
    switch (json_object_get_type(value)) {
    case json_type_string:
        qmpPlanKeyvalText(out, json_object_get_string(value));
        break;
    case json_type_boolean:
        g_string_append(out, json_object_get_boolean(value) ? "on" : "off");
        break;
    default:
        number = virJSONPrint(value);
        g_string_append(out, number);
    }
}

static char *
qmpPlanKeyval(virJSON *props, const char *implied)
{
    GString *out = g_string_new(NULL);

    if (implied)
        qmpPlanKeyvalText(out, virJSONGetString(props, implied));
    json_object_object_foreach(props, key, value)
    {
        if (!implied || !g_str_equal(key, implied))
            qmpPlanKeyvalMember(out, key, value);
    }
    return g_string_free(out, FALSE);
}

static char *
qmpPlanStepValue(const qmpPlan *plan, const qmpStep *step, qmpPlanFdName name, void *opaque)
{
    const qmpStepForm *form = &forms[step->type];
    virJSON *props = qmpPlanReplaceIn(step->props, name, opaque);
    char *value;

    if (form->json != QMP_CAPS_LAST && qmpCapsHas(plan->caps, form->json))
        value = virJSONPrint(props);
    else
        value = qmpPlanKeyval(props, form->implied);
    if (step->secret)
        virJSONEraseAndUnref(props);
    else
        virJSONUnref(props);
    return value;
}

/* The set a passed descriptor is in: each has one of its own, numbered in the order of the steps.
 */
static unsigned
qmpPlanFdSet(const qmpPlan *plan, unsigned host, unsigned n)
{
    unsigned set = n;

    for (unsigned before = 0; before < host; before++) {
        const qmpHostStep *step = qmpPlanHostAt(plan, before);

        if (step->pass)
            set += step->fds;
    }
    return set;
}

typedef struct {
    const qmpPlan *plan;
    qmpPlanFdName name;
    void *opaque;
} qmpPlanArgvNames;

static char *
qmpPlanArgvName(unsigned host, unsigned n, void *opaque)
{
    const qmpPlanArgvNames *names = opaque;
    const qmpHostStep *step = qmpPlanHostAt(names->plan, host);

    if (step && step->pass)
        return g_strdup_printf("/dev/fdset/%u", qmpPlanFdSet(names->plan, host, n));
    return names->name(host, n, names->opaque);
}

static void
qmpPlanArgvPass(GPtrArray *argv, const qmpPlan *plan, unsigned host, const qmpHostStep *step,
                qmpPlanFdName name, void *opaque)
{
    for (unsigned n = 0; n < step->fds; n++) {
        g_autofree char *fd = name(host, n, opaque);
        GString *value = g_string_new(NULL);

        g_string_append_printf(value, "set=%u,fd=%s", qmpPlanFdSet(plan, host, n), fd);
        if (step->tellPath) {
            g_string_append(value, ",opaque=");
            qmpPlanKeyvalText(value, step->path);
        }
        g_ptr_array_add(argv, g_strdup("-add-fd"));
        g_ptr_array_add(argv, g_string_free(value, FALSE));
    }
}

GPtrArray *
qmpPlanArgv(const qmpPlan *plan, qmpPlanFdName name, void *opaque)
{
    GPtrArray *argv = g_ptr_array_new_with_free_func((GDestroyNotify)virSecureFreeString);
    qmpPlanArgvNames names = {plan, name, opaque};
    unsigned host = 0;

    for (guint i = 0; i < plan->steps->len; i++) {
        const qmpStep *step = g_ptr_array_index(plan->steps, i);

        switch (step->type) {
        case QMP_STEP_ARG:
            g_ptr_array_add(argv, g_strdup(step->option));
            if (step->value)
                g_ptr_array_add(argv, qmpPlanReplaceTokens(step->value, qmpPlanArgvName, &names));
            break;
        case QMP_STEP_HOST:
            if (step->host->pass)
                qmpPlanArgvPass(argv, plan, host, step->host, name, opaque);
            host++;
            break;
        case QMP_STEP_COMMAND:
        case QMP_STEP_ENV:
            break;
        default:
            g_ptr_array_add(argv, g_strdup(forms[step->type].option));
            g_ptr_array_add(argv, qmpPlanStepValue(plan, step, qmpPlanArgvName, &names));
        }
    }
    return argv;
}

GPtrArray *
qmpPlanEnvironment(const qmpPlan *plan)
{
    GPtrArray *env = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < plan->steps->len; i++) {
        const qmpStep *step = g_ptr_array_index(plan->steps, i);

        if (step->type == QMP_STEP_ENV)
            g_ptr_array_add(env, g_strdup_printf("%s=%s", step->option, step->value));
    }
    return env;
}

/* --- the monitor --- */

virJSON *
qmpPlanStepArguments(const qmpStep *step, qmpPlanFdName name, void *opaque)
{
    g_autoptr(virJSON) props = NULL;

    if (!step->props)
        return NULL;
    props = qmpPlanReplaceIn(step->props, name, opaque);
    if (step->type == QMP_STEP_CHARDEV)
        return qmpChardevAddArguments(props);
    return g_steal_pointer(&props);
}

const char *
qmpPlanStepCommand(const qmpStep *step)
{
    return step->type == QMP_STEP_COMMAND ? step->command : forms[step->type].command;
}

const char *
qmpPlanStepId(const qmpStep *step)
{
    const char *member = forms[step->type].idMember;

    return member ? virJSONGetString(step->props, member) : NULL;
}

const char *
qmpPlanStepUndo(const qmpStep *step, virJSON **retArguments)
{
    const qmpStepForm *form = &forms[step->type];

    *retArguments = NULL;
    if (step->type == QMP_STEP_COMMAND) {
        if (step->undoProps)
            *retArguments = virJSONCopy(step->undoProps);
        return step->undoCommand;
    }
    if (!form->undoCommand)
        return NULL;
    *retArguments = virJSONObject();
    virJSONAddString(*retArguments, form->undoMember, qmpPlanStepId(step));
    return form->undoCommand;
}
