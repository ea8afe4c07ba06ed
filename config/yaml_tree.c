#include "config/yaml_tree.h"

#include <stdio.h>

static void complain(struct gn_conf_errors *errs, const char *name, const yaml_mark_t *at, const char *text)
{
    gn_conf_errors_add(errs, false, 0, name, (uint32_t)at->line + 1, NULL, "%s", text);
}

/* syntax: libyaml's own words for what is wrong, with the place it stopped at. */
static void syntax(struct gn_conf_errors *errs, const char *name, const yaml_parser_t *p)
{
    const char *problem = p->problem != NULL ? p->problem : "not enough memory";
    if (p->error == YAML_READER_ERROR)
        gn_conf_errors_add(errs, false, 0, name, 0, NULL, "byte %zu: %s; the file must be UTF-8 text",
                           p->problem_offset, problem);
    else
        gn_conf_errors_add(errs, false, 0, name, (uint32_t)p->problem_mark.line + 1, NULL,
                           "not YAML, column %zu: %s%s%s; check indentation, quotes and brackets here",
                           p->problem_mark.column + 1, problem, p->context != NULL ? ", " : "",
                           p->context != NULL ? p->context : "");
}

/* refusal: why an event is not let in, NULL when it is. */
static const char *refusal(const yaml_event_t *ev, uint32_t depth, uint32_t nodes, uint32_t documents)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;

    if (ev->type == YAML_ALIAS_EVENT)
        return "aliases (*name) are not allowed; write the value out";
    if (ev->type == YAML_SCALAR_EVENT) {
        anchor = ev->data.scalar.anchor;
        tag = ev->data.scalar.tag;
    } else if (ev->type == YAML_SEQUENCE_START_EVENT) {
        anchor = ev->data.sequence_start.anchor;
        tag = ev->data.sequence_start.tag;
    } else if (ev->type == YAML_MAPPING_START_EVENT) {
        anchor = ev->data.mapping_start.anchor;
        tag = ev->data.mapping_start.tag;
    }
    if (anchor != NULL)
        return "anchors (&name) are not allowed; remove it";
    if (tag != NULL)
        return "tags (!name) are not allowed; remove it";
    if (depth > GN_YAML_DEPTH_MAX)
        return "nested too deeply; 8 levels are allowed";
    if (nodes > GN_YAML_NODES_MAX)
        return "too many values; 1000000 are allowed";
    if (documents > 1)
        return "a second document starts here; one is allowed: remove the line with ---";
    return NULL;
}

/* screen: reads all events without keeping them, so that nothing is built of a file that is refused. */
static bool screen(const char *name, yaml_parser_t *p, struct gn_conf_errors *errs)
{
    uint32_t depth = 0, nodes = 0, documents = 0;

    for (bool more = true; more;) {
        yaml_event_t ev;
        const char *why;

        if (!yaml_parser_parse(p, &ev)) {
            syntax(errs, name, p);
            return false;
        }
        documents += ev.type == YAML_DOCUMENT_START_EVENT;
        nodes +=
            ev.type == YAML_SCALAR_EVENT || ev.type == YAML_SEQUENCE_START_EVENT || ev.type == YAML_MAPPING_START_EVENT;
        if (ev.type == YAML_SEQUENCE_START_EVENT || ev.type == YAML_MAPPING_START_EVENT)
            depth++;
        else if (ev.type == YAML_SEQUENCE_END_EVENT || ev.type == YAML_MAPPING_END_EVENT)
            depth--;
        why = refusal(&ev, depth, nodes, documents);
        if (why != NULL)
            complain(errs, name, &ev.start_mark, why);
        more = documents < 2 && ev.type != YAML_STREAM_END_EVENT && depth <= GN_YAML_DEPTH_MAX &&
               nodes <= GN_YAML_NODES_MAX;
        yaml_event_delete(&ev);
    }
    if (documents == 0)
        gn_conf_errors_add(errs, false, 0, name, 0, NULL, "the file is empty; start from a sample in config/samples");
    return errs->n_errors == 0;
}

bool gn_yaml_tree(const char *name, const uint8_t *bytes, size_t len, yaml_document_t *doc, struct gn_conf_errors *errs)
{
    yaml_parser_t p;
    bool ok;

    if (!yaml_parser_initialize(&p))
        return false;
    yaml_parser_set_input_string(&p, bytes, len);
    yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
    ok = screen(name, &p, errs);
    yaml_parser_delete(&p);
    if (!ok || !yaml_parser_initialize(&p))
        return false;

    yaml_parser_set_input_string(&p, bytes, len);
    yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
    ok = yaml_parser_load(&p, doc);
    if (!ok)
        syntax(errs, name, &p);
    yaml_parser_delete(&p);
    if (ok && yaml_document_get_root_node(doc) == NULL) {
        yaml_document_delete(doc);
        gn_conf_errors_add(errs, false, 0, name, 0, NULL, "the file is empty; start from a sample in config/samples");
        return false;
    }
    return ok;
}

const char *gn_yaml_show(const yaml_node_t *node, char buf[GN_YAML_SHOW_MAX])
{
    size_t len, n = 0;

    if (node->type != YAML_SCALAR_NODE) {
        (void)snprintf(buf, GN_YAML_SHOW_MAX, "%s", node->type == YAML_SEQUENCE_NODE ? "a list" : "a map");
        return buf;
    }
    len = node->data.scalar.length;
    buf[n++] = '"';
    for (size_t i = 0; i < len && i < 40; i++) {
        yaml_char_t c = node->data.scalar.value[i];
        buf[n++] = c >= ' ' && c <= '~' ? (char)c : '?';
    }
    (void)snprintf(buf + n, GN_YAML_SHOW_MAX - n, "%s\"", len > 40 ? "..." : "");
    return buf;
}
