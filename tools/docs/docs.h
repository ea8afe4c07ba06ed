/* Printers of the reference pages: each makes one page of docs/ from a table of the program. */
#ifndef GN_TOOLS_DOCS_H
#define GN_TOOLS_DOCS_H

#include <stdio.h>

/* gn_doc_config: docs/config.md from gn_schema and the strategies' parameters. */
void gn_doc_config(FILE *to);

/* gn_doc_limits: the limits of dataplane/abi/limits.h. */
void gn_doc_limits(FILE *to);

#endif
