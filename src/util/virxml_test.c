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
testRefuses(const char *document, virErrorCode code, const char *because)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(virXMLParse(document, -1, "test", &error));
    g_assert_true(virErrorIs(error, code));
    g_assert_nonnull(strstr(error->message, because));
}

static void
testParserRefusesWhatStrangersSend(void)
{
    GString *deep = g_string_new(NULL);

    testRefuses("<a><b></a>", VIR_ERR_XML_DETAIL, "test");
    testRefuses("<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", VIR_ERR_XML_ERROR, "document type");
    for (int i = 0; i < 10000; i++)
        g_string_append(deep, "<a>");
    testRefuses(deep->str, VIR_ERR_XML_ERROR, "deeper");
    g_string_free(deep, TRUE);
}

/* Each with each is what libxml2 compares them with: half a million take it minutes. */
static void
testParserRefusesFloodsOfAttributes(void)
{
    g_autoptr(GString) flood = g_string_new("<a");

    for (int i = 0; i < 100000; i++)
        g_string_append_printf(flood, " a%d=''", i);
    testRefuses(flood->str, VIR_ERR_XML_ERROR, "attributes");
    g_string_append(flood, "/>");
    testRefuses(flood->str, VIR_ERR_XML_ERROR, "attributes");
}

static void
testParserRefusesHyphensInComments(void)
{
    g_autofree char *hyphens = g_strnfill(4000000, '-');
    g_autofree char *open = g_strdup_printf("<a>\n<!--%s", hyphens);
    g_autofree char *closed = g_strdup_printf("<a>\n<!--%s--></a>", hyphens);
    g_autoptr(GError) error = NULL;
    xmlDoc *doc;

    testRefuses(open, VIR_ERR_XML_DETAIL, "(test):2: Double hyphen");
    testRefuses(closed, VIR_ERR_XML_DETAIL, "(test):2: Double hyphen");
    testRefuses("<a><!-- a -- b --></a>", VIR_ERR_XML_DETAIL, "Double hyphen");
    testRefuses("<a><!-- a --", VIR_ERR_XML_DETAIL, "(test):1:");
    doc = virXMLParse("<a><!----><!-- - a-b - --></a>", -1, "test", &error);
    g_assert_no_error(error);
    xmlFreeDoc(doc);
}

static void
testParserTakesWhatOnlyLooksLikeAFlood(void)
{
    g_autoptr(GString) text = g_string_new("<!-- <!DOCTYPE a> <b ");
    g_autoptr(GError) error = NULL;
    xmlDoc *doc;

    for (int i = 0; i < 1000; i++)
        g_string_append(text, "=");
    g_string_append_printf(text, "--><a b='%s'><![CDATA[<c %s]]></a>", "=====", text->str + 21);
    doc = virXMLParse(text->str, -1, "test", &error);
    g_assert_no_error(error);
    xmlFreeDoc(doc);
}

static void
testParserRefusesEncodingsThatHideMarkup(void)
{
    static const char *const refused[] = {"UTF-7", "utf-16", "UCS-4", "EBCDIC-US", "Shift_JIS"};
    static const char *const taken[] = {"UTF-8", "utf-8", "ISO-8859-15", "US-ASCII"};

    for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autofree char *text =
            g_strdup_printf("<?xml version='1.0' encoding=\"%s\"?><a/>", refused[i]);

        testRefuses(text, VIR_ERR_XML_ERROR, "encoding");
    }
    for (size_t i = 0; i < G_N_ELEMENTS(taken); i++) {
        g_autofree char *text =
            g_strdup_printf("<?xml version='1.0' encoding = '%s'?><a/>", taken[i]);
        g_autoptr(GError) error = NULL;
        xmlDoc *doc = virXMLParse(text, -1, "test", &error);

        g_assert_no_error(error);
        xmlFreeDoc(doc);
    }
    g_assert_null(virXMLParse("\xff\xfe<\0a\0/\0>\0", 10, "test", NULL));
    g_assert_null(virXMLParse("<\0a\0/\0>\0", 8, "test", NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    virXMLInit();
    g_test_add_func("/xml/writer/drops-empty", testWriterDropsElementsThatStayedEmpty);
    g_test_add_func("/xml/writer/nests", testWriterNestsAndKeepsText);
    g_test_add_func("/xml/parser/refuses", testParserRefusesWhatStrangersSend);
    g_test_add_func("/xml/parser/floods-of-attributes", testParserRefusesFloodsOfAttributes);
    g_test_add_func("/xml/parser/hyphens-in-comments", testParserRefusesHyphensInComments);
    g_test_add_func("/xml/parser/looks-like-a-flood", testParserTakesWhatOnlyLooksLikeAFlood);
    g_test_add_func("/xml/parser/encodings", testParserRefusesEncodingsThatHideMarkup);
    return g_test_run();
}
