/* Any bytes are a configuration file: it is refused with at least one error, or loaded and freed. The first byte splits
 * off the instruments file.
 */
#include <errno.h>
#include <stdlib.h>

#include "config/load.h"

struct input {
    const uint8_t *symbols;
    size_t symbols_len;
};

static const char *any_variable(void *user, const char *name)
{
    (void)user;
    return name[0] == 'X' ? NULL : "secret";
}

static int any_file(void *user, const char *path, bool secret, size_t max, uint8_t **bytes, size_t *len)
{
    const struct input *in = user;
    (void)secret;
    if (path[0] == 'x' || in->symbols_len > max)
        return -ENOENT;
    *bytes = malloc(in->symbols_len + 1);
    if (*bytes == NULL)
        return -ENOMEM;
    if (in->symbols_len != 0)
        memcpy(*bytes, in->symbols, in->symbols_len);
    *len = in->symbols_len;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct gn_conf_errors errs;
    struct gn_conf_loaded c;
    struct input in = {0};
    struct gn_conf_host host = {.user = &in, .cpus = 4, .getenv = any_variable, .read_file = any_file};

    if (size == 0)
        return 0;
    in.symbols = data + 1;
    in.symbols_len = data[0] < size - 1 ? data[0] : size - 1;
    data += 1 + in.symbols_len;
    size -= 1 + in.symbols_len;
    if (gn_conf_parse("fuzz.yaml", data, size, &host, &c, &errs) == GN_CONF_OK) {
        if (errs.n_errors != 0 || c.instruments == NULL)
            abort();
        gn_conf_free(&c);
    } else if (errs.n_errors == 0 || c.instruments != NULL) {
        abort();
    }
    return 0;
}
