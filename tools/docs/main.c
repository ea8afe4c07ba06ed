/* gannet-docs PAGE             prints a reference page
 * gannet-docs PAGE --check F   compares file F with it: exit 1, and the first line that differs, when F is out of date
 */
#include <stdlib.h>
#include <string.h>

#include "dataplane/abi/base.h"
#include "tools/docs/docs.h"

static const struct page {
    const char *name;
    void (*print)(FILE *to);
    const char *help;
} pages[] = {
    {"config", gn_doc_config, "docs/config.md: the keys of the configuration"},
    {"limits", gn_doc_limits, "docs/limits.md: the risk limits"},
    {"abi", gn_doc_abi, "docs/abi.md: the shared files, byte by byte"},
    {"metrics", gn_doc_metrics, "docs/metrics.md: every counter"},
    {"verdicts", gn_doc_verdicts, "docs/risk-controls.md: the gate's checks"},
    {"cli", gn_doc_cli, "docs/cli.md: the commands of gannetctl"},
    {"orders", gn_doc_orders, "docs/order-states.md: states, events and transitions of orders, and breaks"},
    {"strategies", gn_doc_strategies, "docs/strategies.md: the strategies and their parameters"},
};

static int usage(void)
{
    (void)fprintf(stderr, "usage: gannet-docs PAGE [--check FILE]\n");
    for (size_t i = 0; i < GN_ARRAY_LEN(pages); i++)
        (void)fprintf(stderr, "  %-10s %s\n", pages[i].name, pages[i].help);
    return 2;
}

/* compare: line by line, so that the first difference can be named. */
static int compare(const char *made, const char *path, const char *page)
{
    FILE *f = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    unsigned n = 0;
    int differs = 0;

    if (f == NULL) {
        (void)fprintf(stderr, "gannet-docs: %s: cannot be opened\n", path);
        return 1;
    }
    for (;;) {
        ssize_t len = getline(&line, &room, f);
        size_t want = strcspn(made, "\n") + (strchr(made, '\n') != NULL);
        n++;
        if (len < 0)
            len = 0;
        if ((size_t)len != want || memcmp(line, made, want) != 0) {
            (void)fprintf(stderr, "gannet-docs: %s:%u: out of date; run: gannet-docs %s > %s\n  made: %.*s\n", path, n,
                          page, path, (int)strcspn(made, "\n"), made);
            differs = 1;
            break;
        }
        if (want == 0)
            break;
        made += want;
    }
    free(line);
    (void)fclose(f);
    return differs;
}

static int check(const struct page *page, const char *path)
{
    char *made = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&made, &len);
    int result;

    if (to == NULL)
        return 1;
    page->print(to);
    if (fclose(to) != 0)
        return 1;
    result = compare(made, path, page->name);
    free(made);
    return result;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc >= 2 && i < GN_ARRAY_LEN(pages); i++) {
        if (strcmp(argv[1], pages[i].name) != 0)
            continue;
        if (argc == 4 && strcmp(argv[2], "--check") == 0)
            return check(&pages[i], argv[3]);
        if (argc != 2)
            return usage();
        pages[i].print(stdout);
        return fflush(stdout) == 0 ? 0 : 1;
    }
    return usage();
}
