/* What gannet-instructions counts; the names are rows of bench/instructions.py. Each function counts some of them. */
#ifndef GN_BENCH_STAGES_H
#define GN_BENCH_STAGES_H

void stages_empty(void);
void stages_tcp(void);  /* tcp.c */
void stages_udp(void);  /* tcp.c */
void stages_feed(void); /* feed.c */
void stages_path(void); /* path.c */

#endif
