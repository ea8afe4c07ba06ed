/* Seeded edits of a valid file: it is refused with a reason or loaded, never a crash, under the sanitizers. */
#include "tests/gn_test.h"
#include "tests/unit/config/fixture.h"

static struct gn_conf_errors errs;

/* consistent: a refusal has a reason, an acceptance has none, and lines are within the file. */
static bool consistent(const char *yaml, size_t len, struct fixture *f)
{
    struct gn_conf_host host = fixture_host(f);
    struct gn_conf_loaded c;
    int status = gn_conf_parse("etc/gannet.yaml", (const uint8_t *)yaml, len, &host, &c, &errs);
    bool ok = (status == GN_CONF_OK) == (errs.n_errors == 0) && (status == GN_CONF_OK) == (c.instruments != NULL);
    uint32_t lines = 2;

    for (size_t i = 0; i < len; i++)
        lines += yaml[i] == '\n' || yaml[i] == '\r' || (unsigned char)yaml[i] >= 0x80;
    for (uint32_t i = 0; i < errs.n_errors - errs.lost_errors; i++)
        ok &= errs.error[i].text[0] != '\0' && (errs.error[i].file != 0 || errs.error[i].line <= lines);
    for (uint32_t i = 0; status == GN_CONF_OK && i < c.conf.n_instruments; i++)
        ok &= c.instruments[i].strategy < c.conf.n_strategies || c.instruments[i].strategy == 0xffffffffu;
    if (status == GN_CONF_OK)
        gn_conf_free(&c);
    return ok;
}

static void edit(char *yaml, size_t *len, uint64_t *rng)
{
    static const char spice[] = "{}[]:,-#&*!|>'\"%@`\n\t 0129afxyz\\?~=\xc3\xff";
    uint64_t r = gn_test_rand(rng);
    size_t at = (size_t)(r % *len), n = 1 + (size_t)(r >> 40) % 20;

    switch (r >> 60 & 3) {
    case 0:
        yaml[at] = spice[(r >> 32) % (sizeof spice - 1)];
        break;
    case 1:
        yaml[at] = (char)(r >> 32);
        break;
    case 2: /* cut a piece out */
        if (at + n < *len) {
            memmove(yaml + at, yaml + at + n, *len - at - n);
            *len -= n;
        }
        break;
    default: /* a piece from elsewhere */
        if (at + n < *len)
            memmove(yaml + at, yaml + (r >> 20) % (*len - n), n);
    }
}

static void edits_of_bytes(void)
{
    struct fixture f = {.password = "secret", .more = "DD\nEE\n"};
    uint64_t rng = gn_test_seed(7);
    static char yaml[sizeof fixture_yaml];
    uint32_t accepted = 0, walked = 0;

    for (int round = 0; round < 4000; round++) {
        uint64_t state = rng;
        size_t len = sizeof fixture_yaml - 1;
        memcpy(yaml, fixture_yaml, sizeof yaml);
        for (uint64_t n = 1 + gn_test_rand(&rng) % 3; n > 0; n--)
            edit(yaml, &len, &rng);
        if (!consistent(yaml, len, &f)) {
            printf("round state %llu\n%.*s\n", (unsigned long long)state, (int)len, yaml);
            CU_FAIL_FATAL("a refusal without reason, or a reason without refusal");
        }
        accepted += errs.n_errors == 0;
        walked += errs.n_errors == 0 || strstr(errs.error[0].text, ": found") != NULL ||
                  strstr(errs.error[0].text, ": missing") != NULL || strstr(errs.error[0].text, ": unknown") != NULL;
    }
    printf("%u of 4000 were walked, %u accepted\n", walked, accepted);
    CU_ASSERT(walked > 500); /* else the edits hide everything behind syntax errors */
    CU_ASSERT(accepted > 10);
}

static void every_prefix(void)
{
    struct fixture f = {.password = "secret", .more = "DD\nEE\n"};

    for (size_t len = 0; len < sizeof fixture_yaml - 1; len += 3)
        CU_ASSERT(consistent(fixture_yaml, len, &f));
}

static void edits_of_the_instruments_file(void)
{
    uint64_t rng = gn_test_seed(11);
    char more[64];
    struct fixture f = {.password = "secret", .more = more};

    for (int round = 0; round < 1000; round++) {
        for (size_t i = 0; i < sizeof more - 1; i++)
            more[i] = "AB#\n \t\r.\x01z"[gn_test_rand(&rng) % 10];
        more[sizeof more - 1] = '\0';
        CU_ASSERT(consistent(fixture_yaml, sizeof fixture_yaml - 1, &f));
    }
}

GN_TEST_MAIN("config mutations", {"edits of bytes", edits_of_bytes}, {"every prefix", every_prefix},
             {"edits of the instruments file", edits_of_the_instruments_file})
