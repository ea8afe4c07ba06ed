/* The bytes of a YAML file become libyaml's tree of nodes, or a refusal.
 *
 * libyaml and not libcyaml above it: every node keeps its line, so that a value out of range, an unknown key or a
 * cross-check is reported with its line, and all of them at once; libcyaml stops at the first and has no place for
 * rules between keys.
 *
 * Refused, because an operator's file needs none of it and each is a way to hide or to multiply content: aliases,
 * anchors, tags, several documents, nesting deeper than GN_YAML_DEPTH_MAX, more than GN_YAML_NODES_MAX values.
 */
#ifndef GN_CONFIG_YAML_TREE_H
#define GN_CONFIG_YAML_TREE_H

#include <yaml.h>

#include "config/errors.h"

#define GN_YAML_DEPTH_MAX 8u
#define GN_YAML_NODES_MAX 1000000u

/* gn_yaml_tree: true: *doc has a root node and belongs to the caller (yaml_document_delete). false: *errs says why,
 * `name` being the file in its messages.
 */
GN_MUST_CHECK bool gn_yaml_tree(const char *name, const uint8_t *bytes, size_t len, yaml_document_t *doc,
                                struct gn_conf_errors *errs);

/* gn_yaml_line: line of the node, from 1. */
static inline uint32_t gn_yaml_line(const yaml_node_t *node)
{
    return (uint32_t)node->start_mark.line + 1;
}

/* gn_yaml_is: the node is a plain value with this text. */
static inline bool gn_yaml_is(const yaml_node_t *node, const char *text)
{
    return node->type == YAML_SCALAR_NODE && node->data.scalar.length == strlen(text) &&
           memcmp(node->data.scalar.value, text, node->data.scalar.length) == 0;
}

/* gn_yaml_show: the node as it goes into a message: its text in quotes with unprintable characters as '?', cut to about
 * 40 characters, or "a list" or "a map". Returns buf.
 */
#define GN_YAML_SHOW_MAX 48u
const char *gn_yaml_show(const yaml_node_t *node, char buf[GN_YAML_SHOW_MAX]);

#endif
