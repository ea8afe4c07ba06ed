/* Printers of the reference pages: each makes one page of docs/ from a table of the program. */
#ifndef GN_TOOLS_DOCS_H
#define GN_TOOLS_DOCS_H

#include <stdio.h>

/* gn_doc_cell: text in a table: a bar, which would end the cell, is escaped. */
void gn_doc_cell(FILE *to, const char *text);

/* gn_doc_config: docs/config.md from gn_schema and the strategies' parameters. */
void gn_doc_config(FILE *to);

/* gn_doc_limits: the limits of dataplane/abi/limits.h. */
void gn_doc_limits(FILE *to);

/* gn_doc_abi: the shared files byte by byte, from the structures of dataplane/abi (rows: abi_rows.h). */
void gn_doc_abi(FILE *to);

/* gn_doc_metrics, gn_doc_verdicts, gn_doc_cli, gn_doc_strategies: from the tables of the same names. */
void gn_doc_metrics(FILE *to);
void gn_doc_verdicts(FILE *to);
void gn_doc_cli(FILE *to);
void gn_doc_strategies(FILE *to);

/* gn_doc_orders: docs/order-states.md: states, events, transitions, breaks. */
void gn_doc_orders(FILE *to);

#endif
