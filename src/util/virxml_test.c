/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virxml_test.c: what strangers send is read or refused, and what is written. */
#include "util/virxml.h"

#include "util/virerror.h"

static void
testWriterDropsElementsThatStayedEmpty(void)
{
    g_autoptr(virXMLWriter) w = virXMLWriterNew();
    g_autofree char *text = NULL;

    virXMLWriterOpen(w, "a");
    virXMLWriterAttr(w, "x", "it's <b> & \"c\"");
    virXMLWriterOpen(w, "empty");
    virXMLWriterCloseUnlessEmpty(w);
    virXMLWriterClose(w);
    text = virXMLWriterEnd(w);
    g_assert_cmpstr(text, ==, "<a x='it&apos;s &lt;b&gt; &amp; &quot;c&quot;'/>\n");
}

static void
testWriterNestsAndKeepsText(void)
{
    g_autoptr(virXMLWriter) w = virXMLWriterNew();
    g_autofree char *text = NULL;

    virXMLWriterOpen(w, "a");
    virXMLWriterElement(w, "b", "one");
    virXMLWriterOpen(w, "c");
    virXMLWriterCloseUnlessEmpty(w);
    virXMLWriterOpen(w, "d");
    virXMLWriterAttrF(w, "n", "%d", 3);
    virXMLWriterClose(w);
    virXMLWriterClose(w);
    text = virXMLWriterEnd(w);
    g_assert_cmpstr(text, ==, "<a>\n  <b>one</b>\n  <d n='3'/>\n</a>\n");
}

static void
testRefuses(const char *document, const char *because)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(virXMLParse(document, -1, "test", &error));
    g_assert_true(virErrorIs(error, VIR_ERR_XML_ERROR));
    g_assert_nonnull(strstr(error->message, because));
}

static void
testParserRefusesWhatStrangersSend(void)
{
    GString *deep = g_string_new(NULL);

    testRefuses("<a><b></a>", "test");
    testRefuses("<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", "document type");
    for (int i = 0; i < 10000; i++)
        g_string_append(deep, "<a>");
    testRefuses(deep->str, "deeper");
    g_string_free(deep, TRUE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    virXMLInit();
    g_test_add_func("/xml/writer/drops-empty", testWriterDropsElementsThatStayedEmpty);
    g_test_add_func("/xml/writer/nests", testWriterNestsAndKeepsText);
    g_test_add_func("/xml/parser/refuses", testParserRefusesWhatStrangersSend);
    return g_test_run();
}
