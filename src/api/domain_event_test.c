/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_event_test.c: every kind of event becomes a message that goes on the wire, however little
 * is known. */
#include "api/domain_event.h"

#include <string.h>

#include "api/handlers.gen.h"

static const unsigned char uuid[16] = "0123456789abcde";

static const virNetEvent *
testEvent(int type)
{
    for (size_t i = 0; i < virNetEventsCount; i++) {
        if (virNetEvents[i].id == type && g_str_equal(virNetEvents[i].object, "domain"))
            return &virNetEvents[i];
    }
    return NULL;
}

static void
testEncodes(int32_t procedure, const void *message)
{
    const virNetProcedure *row = virNetProgramProcedure(&virRemoteProgram, procedure);
    g_auto(virNetBuffer) out = {0};
    g_autoptr(GError) error = NULL;

    virNetBufferInit(&out, SIZE_MAX);
    virXdrEncode(row->args, message, &out, &error);
    g_assert_no_error(error);
    g_assert_nonnull(memmem(out.data, out.len, uuid, sizeof(uuid)));
}

static void
testEveryKindEncodesWithNothingButItsDomain(void)
{
    for (int type = 0; type < VIR_DOMAIN_EVENT_LAST; type++) {
        const virDomainEvent event = {
            .type = (virDomainEventType)type, .name = "web1", .uuid = uuid, .id = 7};
        const virApiDomainEventRow *row = virApiDomainEventRowOf(type);
        const virNetEvent *names = testEvent(type);
        g_autofree uint8_t *message = NULL;

        if (!row)
            continue;
        message =
            g_malloc0(virNetProgramProcedure(&virRemoteProgram, names->procedure)->args->size);
        row->fill(&event, message);
        testEncodes(names->procedure, message);
        g_assert_cmpint(row->legacyOffset != 0, ==, names->legacyProcedure != 0);
        if (row->legacyOffset)
            testEncodes(names->legacyProcedure, message + row->legacyOffset);
    }
}

static void
testLifecycleSaysWhatAndWhy(void)
{
    const virDomainEvent event = {.type = VIR_DOMAIN_EVENT_LIFECYCLE,
                                  .name = "web1",
                                  .uuid = uuid,
                                  .id = -1,
                                  .event = VIR_EVENT_STOPPED,
                                  .detail = VIR_STOPPED_CRASHED};
    remote_domain_event_callback_lifecycle_msg message = {0};

    virApiDomainEventRowOf(VIR_DOMAIN_EVENT_LIFECYCLE)->fill(&event, &message);
    g_assert_cmpstr(message.msg.dom.name, ==, "web1");
    g_assert_cmpint(message.msg.dom.id, ==, -1);
    g_assert_cmpint(message.msg.event, ==, VIR_EVENT_STOPPED);
    g_assert_cmpint(message.msg.detail, ==, VIR_STOPPED_CRASHED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/domain-event/every-kind-encodes-with-nothing-but-its-domain",
                    testEveryKindEncodesWithNothingButItsDomain);
    g_test_add_func("/domain-event/lifecycle-says-what-and-why", testLifecycleSaysWhatAndWhy);
    return g_test_run();
}
