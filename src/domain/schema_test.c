/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * schema_test.c: what is by the schema and what isn't. The golden cases of every device kind are
 * held against it, so a kind whose code reads what its rows don't show fails here. */
#include "domain/schema.h"

#include <string.h>

#include "device/device.h"
#include "util/virerror.h"
#include "util/virxml.h"

enum { CASES_MIN = 90 };

static char *
guestWith(const char *inner)
{
    return g_strconcat("<domain type='qemu'><name>a</name><memory unit='MiB'>1</memory>"
                       "<os><type arch='x86_64' machine='pc'>hvm</type></os>",
                       inner, "</domain>", NULL);
}

static void
assertTaken(const char *inner)
{
    g_autofree char *xml = guestWith(inner);
    g_autoptr(GError) error = NULL;

    (void)virDomainSchemaCheck(xml, &error); /* the error tells, and names the finding */
    g_assert_no_error(error);
}

static void
assertRefused(const char *inner)
{
    g_autofree char *xml = guestWith(inner);
    g_autoptr(GError) error = NULL;

    if (virDomainSchemaCheck(xml, &error))
        g_error("taken: %s", inner);
    g_assert_true(virErrorIs(error, VIR_ERR_XML_INVALID_SCHEMA));
    g_assert_nonnull(strstr(error->message, "/schemas/domain.rng\n"));
}

static void
testTakesAnyOrderAndForeignMetadata(void)
{
    assertTaken("");
    assertTaken("<devices/><title>t</title><vcpu>2</vcpu>");
    assertTaken("<metadata><x:y xmlns:x='urn:x' z='1'><w>text</w></x:y></metadata>");
    assertTaken("<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'>"
                "<q:arg value='-S'/></q:commandline>");
}

static void
testRefusesWhatNoRowNames(void)
{
    assertRefused("<frobnicate/>");
    assertRefused("<features><frobnicate/></features>");
    assertRefused("<devices><frobnicate/></devices>");
    assertRefused("<devices><disk><frobnicate/></disk></devices>");
    assertRefused("<devices><disk frobnicate='1'/></devices>");
    assertRefused("<devices><interface type='user'><model typo='e1000'/></interface></devices>");
    assertRefused("<devices>text</devices>");
}

static void
testRefusesValuesThatNoRowTakes(void)
{
    assertRefused("<on_poweroff>explode</on_poweroff>");
    assertRefused("<vcpu>many</vcpu>");
    assertRefused("<clock offset='never'/>");
    assertRefused("<devices><disk device='tape'/></devices>");
    assertRefused("<devices><vsock><cid address='2'/></vsock></devices>");
    assertRefused("<devices><vsock><cid auto='maybe'/></vsock></devices>");
    assertRefused("<devices><rng><backend model='builtin'/></rng></devices>"); /* no model */
}

static void
testRefusesASecondOfWhatIsOne(void)
{
    assertRefused("<memory>1</memory>");
    assertRefused("<devices/><devices/>");
}

static void
testSaysWhatIsWrongAsLibvirtDoes(void)
{
    g_autofree char *xml = guestWith("<features><frobnicate/></features>");
    g_autoptr(GError) error = NULL;

    g_assert_false(virDomainSchemaCheck(xml, &error));
    g_assert_nonnull(strstr(error->message, "Unable to validate doc against "));
    g_assert_nonnull(strstr(error->message, "Extra element features in interleave\n"
                                            "Element domain failed to validate content\n"));
}

/* The checker's time grows with the square of the children: such a document isn't begun with. */
static void
testRefusesCrowdsAtOnce(void)
{
    g_autoptr(GString) crowd = g_string_new("<vcpus>");
    g_autofree char *xml = NULL;
    g_autoptr(GError) error = NULL;

    for (int i = 0; i < 100000; i++)
        g_string_append(crowd, "<vcpu id='0'/>");
    g_string_append(crowd, "</vcpus>");
    xml = guestWith(crowd->str);
    g_assert_false(virDomainSchemaCheck(xml, &error));
    g_assert_nonnull(strstr(error->message, "element 'vcpus' has more than"));
}

/* --- the golden cases --- */

static unsigned
checkFolder(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    unsigned count = 0;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autofree char *refused = NULL;
        g_autofree char *text = NULL;
        g_autofree char *devices = NULL;
        const char *body;

        if (!g_str_has_suffix(name, ".xml"))
            continue;
        refused = g_strdup_printf("%.*s.err", (int)(strlen(path) - strlen(".xml")), path);
        if (g_file_test(refused, G_FILE_TEST_EXISTS))
            continue;
        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        body = g_str_has_prefix(text, "<!--") ? strstr(text, "-->") + 3 : text;
        devices = strstr(body, "<devices") ? g_strdup(body)
                                           : g_strconcat("<devices>", body, "</devices>", NULL);
        g_test_message("%s", path);
        assertTaken(devices);
        count++;
    }
    return count;
}

static void
testTakesWhatEveryKindReadsAndWrites(void)
{
    unsigned count = 0;

    for (const virDeviceKind *const *kind = virDeviceKinds; *kind; kind++) {
        g_autofree char *folder = g_build_filename(g_getenv("G_TEST_SRCDIR"), "src", "device",
                                                   (*kind)->element, "golden", NULL);

        count += checkFolder(folder);
    }
    g_assert_cmpuint(count, >=, CASES_MIN);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    virXMLInit();
    g_test_add_func("/schema/takes-any-order-and-foreign-metadata",
                    testTakesAnyOrderAndForeignMetadata);
    g_test_add_func("/schema/refuses-what-no-row-names", testRefusesWhatNoRowNames);
    g_test_add_func("/schema/refuses-values-that-no-row-takes", testRefusesValuesThatNoRowTakes);
    g_test_add_func("/schema/refuses-a-second-of-what-is-one", testRefusesASecondOfWhatIsOne);
    g_test_add_func("/schema/says-what-is-wrong-as-libvirt-does", testSaysWhatIsWrongAsLibvirtDoes);
    g_test_add_func("/schema/refuses-crowds-at-once", testRefusesCrowdsAtOnce);
    g_test_add_func("/schema/takes-what-every-kind-reads-and-writes",
                    testTakesWhatEveryKindReadsAndWrites);
    return g_test_run();
}
