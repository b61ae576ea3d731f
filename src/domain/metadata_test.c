/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * metadata_test.c: applications' elements and texts, put in, found, exchanged, taken out. */
#include "domain/metadata.h"

#include "util/virerror.h"

static const char uri[] = "http://app.example/1";

static void
testAnElementIsFoundByItsNamespaceUnderTheKeyItWasGiven(void)
{
    g_autoptr(virDomainDef) def = virDomainDefNew();
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    g_autofree char *xml = NULL;

    g_assert_true(
        virDomainMetadataSet(def, VIR_METADATA_ELEMENT, "<a><b x='1'/></a>", "app", uri, &error));
    g_assert_no_error(error);
    text = virDomainMetadataGet(def, VIR_METADATA_ELEMENT, uri, &error);
    g_assert_cmpstr(text, ==, "<a>\n  <b x=\"1\"/>\n</a>"); /* as it was given */
    xml = virDomainDefFormat(def, 0);
    g_assert_nonnull(strstr(xml, "<app:a xmlns:app=\"http://app.example/1\">"));
    g_assert_nonnull(strstr(xml, "<app:b x=\"1\"/>"));
}

static void
testASecondElementOfANamespaceTakesTheFirstOnesPlace(void)
{
    g_autoptr(virDomainDef) def = virDomainDefNew();
    g_autofree char *text = NULL;

    g_assert_true(virDomainMetadataSet(def, VIR_METADATA_ELEMENT, "<a/>", "app", uri, NULL));
    g_assert_true(virDomainMetadataSet(def, VIR_METADATA_ELEMENT, "<c/>", "app", uri, NULL));
    text = virDomainMetadataGet(def, VIR_METADATA_ELEMENT, uri, NULL);
    g_assert_cmpstr(text, ==, "<c/>");
}

static void
testWhatIsTakenAwayIsMissing(void)
{
    g_autoptr(virDomainDef) def = virDomainDefNew();
    g_autoptr(GError) error = NULL;

    g_assert_true(virDomainMetadataSet(def, VIR_METADATA_ELEMENT, "<a/>", "app", uri, NULL));
    g_assert_true(virDomainMetadataSet(def, VIR_METADATA_ELEMENT, NULL, "app", uri, NULL));
    g_assert_null(virDomainMetadataGet(def, VIR_METADATA_ELEMENT, uri, &error));
    g_assert_error(error, VIR_ERROR, VIR_ERR_NO_DOMAIN_METADATA);
    g_assert_null(def->metadata);
}

static void
testWhiteSpaceInAnElementIsTheApplications(void)
{
    static const char given[] = "<a> <b/>\n\t<c>x  y</c> </a>";
    g_autoptr(virDomainDef) def = virDomainDefNew();
    g_autofree char *text = NULL;

    g_assert_true(virDomainMetadataSet(def, VIR_METADATA_ELEMENT, given, "app", uri, NULL));
    g_assert_true(virDomainMetadataSet(def, VIR_METADATA_ELEMENT, "<o/>", "o", "urn:o", NULL));
    text = virDomainMetadataGet(def, VIR_METADATA_ELEMENT, uri, NULL);
    g_assert_cmpstr(text, ==, given);
}

static void
testANamespaceOfTheDocumentGoesAlong(void)
{
    g_autoptr(virDomainDef) def = NULL;
    g_autofree char *xml = NULL;

    def = virDomainDefParse("<domain type='qemu' xmlns:x='urn:x'><name>n</name>"
                            "<metadata><x:a/></metadata><memory>1024</memory>"
                            "<os><type>hvm</type></os></domain>",
                            VIR_PARSE_INACTIVE, NULL);
    g_assert_nonnull(def);
    xml = virDomainDefFormat(def, 0);
    g_assert_nonnull(strstr(xml, "  <metadata xmlns:x=\"urn:x\">\n    <x:a/>\n  </metadata>\n"));
}

static void
testATitleIsOneLine(void)
{
    g_autoptr(virDomainDef) def = virDomainDefNew();
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;

    g_assert_true(virDomainMetadataSet(def, VIR_METADATA_TITLE, "one", NULL, NULL, NULL));
    g_assert_false(virDomainMetadataSet(def, VIR_METADATA_TITLE, "two\nlines", NULL, NULL, &error));
    g_assert_cmpint(virErrorGetCode(error), ==, VIR_ERR_INVALID_ARG);
    text = virDomainMetadataGet(def, VIR_METADATA_TITLE, NULL, NULL);
    g_assert_cmpstr(text, ==, "one");
}

static void
testABadKeyOrTextChangesNothing(void)
{
    g_autoptr(virDomainDef) def = virDomainDefNew();

    g_assert_false(virDomainMetadataSet(def, VIR_METADATA_ELEMENT, "<a/>", "1 2", uri, NULL));
    g_assert_false(virDomainMetadataSet(def, VIR_METADATA_ELEMENT, "<a", "app", uri, NULL));
    g_assert_false(virDomainMetadataSet(def, VIR_METADATA_ELEMENT, "<a/>", "app", "", NULL));
    g_assert_null(def->metadata);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    virXMLInit();
    g_test_add_func("/metadata/an element is found by its namespace under the key it was given",
                    testAnElementIsFoundByItsNamespaceUnderTheKeyItWasGiven);
    g_test_add_func("/metadata/a second element of a namespace takes the first one's place",
                    testASecondElementOfANamespaceTakesTheFirstOnesPlace);
    g_test_add_func("/metadata/what is taken away is missing", testWhatIsTakenAwayIsMissing);
    g_test_add_func("/metadata/white space in an element is the application's",
                    testWhiteSpaceInAnElementIsTheApplications);
    g_test_add_func("/metadata/a namespace of the document goes along",
                    testANamespaceOfTheDocumentGoesAlong);
    g_test_add_func("/metadata/a title is one line", testATitleIsOneLine);
    g_test_add_func("/metadata/a bad key or text changes nothing", testABadKeyOrTextChangesNothing);
    return g_test_run();
}
