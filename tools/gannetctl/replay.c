/* Replay links the engine, which gannetctl does not: it is a program of its own beside this one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/gannetctl/ctl.h"

#define ARGS_MAX 32

int gn_ctl_replay(struct gn_ctl *c)
{
    static const char *const places[] = {"", "../replay/"}; /* installed, and in the build tree */
    char self[4096], path[sizeof self + 32], journal[sizeof self];
    char *args[ARGS_MAX + 4] = {path, (char *)"--journal", journal};
    const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0 || c->argc > ARGS_MAX) {
        fprintf(stderr, "gannetctl: replay: %s\n", n <= 0 ? strerror(errno) : "too many arguments");
        return EXIT_FAILURE;
    }
    self[n] = 0;
    char *slash = strrchr(self, '/');
    if (slash != NULL)
        slash[1] = 0;
    if (c->journal_dir != NULL)
        snprintf(journal, sizeof journal, "%s", c->journal_dir);
    else
        snprintf(journal, sizeof journal, "%s/journal", c->run_dir);
    for (int i = 0; i < c->argc; i++)
        args[3 + i] = c->argv[i];
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        snprintf(path, sizeof path, "%s%sgannet-replay", self, places[i]);
        execv(path, args);
    }
    fprintf(stderr, "gannetctl: %s: %s\n", path, strerror(errno));
    return EXIT_FAILURE;
}
