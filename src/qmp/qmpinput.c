/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpinput.c: one buffer; a message ends with its line. The buffer is moved by hand when it grows,
 * since realloc(3) may leave a copy behind. */
#include "qmp/qmpinput.h"

#include <string.h>

#include "util/virerror.h"
#include "util/virsecure.h"
#include "util/virutil.h"

enum { QMP_INPUT_KEEP = 32 * 1024 }; /* an empty buffer larger than this is given back */

void
qmpInputClear(qmpInput *input)
{
    virSecureErase(input->data, input->size);
    g_free(input->data);
    *input = (qmpInput){NULL};
}

char *
qmpInputReserve(qmpInput *input, size_t len)
{
    if (input->size - input->len < len) {
        size_t size = MAX(input->size * 2, input->len + len);
        char *data = g_malloc(size);

        if (input->len > 0)
            memcpy(data, input->data, input->len);
        virSecureErase(input->data, input->size);
        g_free(input->data);
        input->data = data;
        input->size = size;
    }
    return input->data + input->len;
}

/* Every value but the first of a list follows one of these. */
static bool
qmpInputHasFewValues(const char *text, size_t len)
{
    size_t count = 0;

    for (size_t i = 0; i < len; i++)
        count += text[i] == ',' || text[i] == '[' || text[i] == '{';
    return count <= QMP_MESSAGE_VALUES_MAX;
}

static virJSON *
qmpInputParse(const char *text, size_t len, GError **error)
{
    g_autoptr(virJSON) message = NULL;

    if (!qmpInputHasFewValues(text, len)) {
        virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("QEMU monitor reply has more than %d values"),
                    QMP_MESSAGE_VALUES_MAX);
        return NULL;
    }
    if (!(message = virJSONParse(text, (gssize)len, error)) ||
        !json_object_is_type(message, json_type_object)) {
        if (error && *error)
            g_prefix_error(error, _("QEMU monitor reply: "));
        else
            virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("QEMU monitor reply is no object"));
        return NULL;
    }
    return g_steal_pointer(&message);
}

/* Takes len bytes and their newline away from the front. */
static void
qmpInputConsume(qmpInput *input, size_t len)
{
    size_t rest = input->len - len;

    memmove(input->data, input->data + len, rest);
    virSecureErase(input->data + rest, len);
    input->len = rest;
    input->seen = 0;
    if (rest == 0 && input->size > QMP_INPUT_KEEP)
        qmpInputClear(input);
}

virJSON *
qmpInputNext(qmpInput *input, GError **error)
{
    while (input->len > 0) {
        const char *end = memchr(input->data + input->seen, '\n', input->len - input->seen);
        size_t len = end ? (size_t)(end - input->data) : input->len;
        virJSON *message;

        if (len > QMP_MESSAGE_MAX) {
            virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                        _("QEMU monitor reply is longer than %d bytes"), QMP_MESSAGE_MAX);
            return NULL;
        }
        if (!end) {
            input->seen = len;
            return NULL;
        }
        while (len > 0 && g_ascii_isspace(input->data[len - 1]))
            len--;
        if (len == 0) {
            qmpInputConsume(input, (size_t)(end - input->data) + 1);
            continue;
        }
        message = qmpInputParse(input->data, len, error);
        if (message)
            qmpInputConsume(input, (size_t)(end - input->data) + 1);
        return message;
    }
    return NULL;
}
