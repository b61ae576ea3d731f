/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virxmlschema.c: libxml2's RELAX NG, its findings as an error of ours. */
#include "util/virxmlschema.h"

#include <libxml/relaxng.h>
#include <string.h>

#include "util/virerror.h"
#include "util/virutil.h"

/* The findings may quote the document: no more of them than a reader can use. */
enum { VIR_XML_SCHEMA_FINDINGS_MAX = 4096 };

/* libxml2 takes minutes over fifty thousand children of one element, and milliseconds over these.
 */
enum { VIR_XML_SCHEMA_CHILDREN_MAX = 8192 };

struct virXMLSchema {
    GMutex lock; /* libxml2 compiles parts of the grammar while it checks */
    xmlRelaxNG *grammar;
    char *name;
};

static void
virXMLSchemaCollect(void *opaque, xmlErrorPtr err)
{
    GString *findings = opaque;

    if (err->message && findings->len + strlen(err->message) < VIR_XML_SCHEMA_FINDINGS_MAX)
        g_string_append(findings, err->message);
}

virXMLSchema *
virXMLSchemaNew(const char *grammar, const char *name, GError **error)
{
    g_autoptr(GString) findings = g_string_new(NULL);
    xmlRelaxNGParserCtxt *parser = xmlRelaxNGNewMemParserCtxt(grammar, (int)strlen(grammar));
    xmlRelaxNG *compiled;
    virXMLSchema *schema;

    xmlRelaxNGSetParserStructuredErrors(parser, virXMLSchemaCollect, findings);
    compiled = xmlRelaxNGParse(parser);
    xmlRelaxNGFreeParserCtxt(parser);
    if (!compiled) {
        virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("Unable to parse RNG %s: %s"), name,
                    findings->str);
        return NULL;
    }
    schema = g_new0(virXMLSchema, 1);
    g_mutex_init(&schema->lock);
    schema->grammar = compiled;
    schema->name = g_strdup(name);
    return schema;
}

void
virXMLSchemaFree(virXMLSchema *schema)
{
    if (!schema)
        return;
    xmlRelaxNGFree(schema->grammar);
    g_mutex_clear(&schema->lock);
    g_free(schema->name);
    g_free(schema);
}

/* The first element of doc with more children than are checked, or NULL. */
static const xmlNode *
virXMLSchemaCrowded(const xmlDoc *doc)
{
    const xmlNode *node = xmlDocGetRootElement((xmlDoc *)doc);

    while (node) {
        unsigned count = 0;

        for (const xmlNode *child = node->children; child; child = child->next)
            count += child->type == XML_ELEMENT_NODE;
        if (count > VIR_XML_SCHEMA_CHILDREN_MAX)
            return node;
        if (node->children && node->type == XML_ELEMENT_NODE) {
            node = node->children;
            continue;
        }
        while (node && !node->next)
            node = node->parent && node->parent->type == XML_ELEMENT_NODE ? node->parent : NULL;
        node = node ? node->next : NULL;
    }
    return NULL;
}

bool
virXMLSchemaCheck(virXMLSchema *schema, xmlDoc *doc, GError **error)
{
    g_autoptr(GString) findings = g_string_new(NULL);
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&schema->lock);
    const xmlNode *crowded = virXMLSchemaCrowded(doc);
    xmlRelaxNGValidCtxt *checker;
    int result;

    if (crowded)
        return virErrorSet(error, VIR_ERR_XML_INVALID_SCHEMA,
                           _("element '%s' has more than %d children"), (const char *)crowded->name,
                           VIR_XML_SCHEMA_CHILDREN_MAX);
    checker = xmlRelaxNGNewValidCtxt(schema->grammar);
    xmlRelaxNGSetValidStructuredErrors(checker, virXMLSchemaCollect, findings);
    result = xmlRelaxNGValidateDoc(checker, doc);
    xmlRelaxNGFreeValidCtxt(checker);
    return result == 0 ||
           virErrorSet(error, VIR_ERR_XML_INVALID_SCHEMA,
                       _("Unable to validate doc against %s\n%s"), schema->name, findings->str);
}
