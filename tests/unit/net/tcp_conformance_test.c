/* Runs the table of rfc9293.h, or prints it.
 *
 *      tcp_conformance_test          one CUnit test for each row, and that the table is complete
 *      tcp_conformance_test --doc    docs/tcp-conformance.md on stdout
 */
#include "tests/unit/net/rfc9293.h"

#include <string.h>

#include "dataplane/abi/base.h"
#include "tests/gn_test.h"

#define MUSTS 69u

enum status {
    TESTED = 1,
    OUT_OF_SCOPE = 2,
};

static const struct row {
    uint32_t number;
    enum status status;
    const char *demand, *how, *name;
    void (*test)(void);
} rows[] = {
#define GN_X(number, demand, status, how, test) {number, status, demand, how, #test, test},
    GN_RFC9293(GN_X)
#undef GN_X
};

/* CUnit's own tests are the rows: each runs its test and demands that it asserted something. */
static uint32_t at;

static void run_row(void)
{
    const struct row *r = &rows[at++];
    unsigned asserts = CU_get_number_of_asserts();
    CU_ASSERT_PTR_NOT_NULL_FATAL(r->test);
    r->test();
    CU_ASSERT(CU_get_number_of_asserts() > asserts + 1);
}

static void every_must_has_one_row(void)
{
    uint32_t seen[MUSTS + 1] = {0};
    CU_ASSERT_EQUAL(GN_ARRAY_LEN(rows), MUSTS);
    for (uint32_t i = 0; i < GN_ARRAY_LEN(rows); i++) {
        CU_ASSERT_FATAL(rows[i].number >= 1 && rows[i].number <= MUSTS);
        CU_ASSERT_EQUAL(rows[i].number, i + 1);
        CU_ASSERT_EQUAL(seen[rows[i].number]++, 0);
        CU_ASSERT(rows[i].demand[0] != 0);
        CU_ASSERT(rows[i].status == TESTED || rows[i].how[0] != 0); /* what happens instead */
    }
}

static int print_doc(void)
{
    uint32_t out = 0;
    for (uint32_t i = 0; i < GN_ARRAY_LEN(rows); i++)
        out += rows[i].status == OUT_OF_SCOPE;
    printf(
        "# TCP conformance\n\n"
        "The demands that RFC 9293 numbers MUST-1 to MUST-69 (its Appendix B), in our words, and the test of "
        "`tests/unit/net/conformance_*.c`\nthat proves each. %u are met and tested; %u are out of scope, and the test "
        "shows what happens instead. Printed from\n`tests/unit/net/rfc9293.h` by "
        "`build/tests/unit/net/tcp_conformance_test --doc`; without the option the program runs every row,\nand "
        "fails when one has no passing test.\n\n"
        "| MUST | demand | status | how, or what happens instead | test |\n|---|---|---|---|---|\n",
        (unsigned)GN_ARRAY_LEN(rows) - out, out);
    for (uint32_t i = 0; i < GN_ARRAY_LEN(rows); i++)
        printf("| %u | %s | %s | %s | `%s` |\n", rows[i].number, rows[i].demand,
               rows[i].status == TESTED ? "tested" : "out of scope", rows[i].how, rows[i].name);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static char names[GN_ARRAY_LEN(rows)][160];
    static CU_TestInfo tests[GN_ARRAY_LEN(rows) + 2];
    if (argc == 2 && strcmp(argv[1], "--doc") == 0)
        return print_doc();
    for (uint32_t i = 0; i < GN_ARRAY_LEN(rows); i++) {
        (void)snprintf(names[i], sizeof names[i], "MUST-%u %s", rows[i].number, rows[i].name);
        tests[i] = (CU_TestInfo){.pName = names[i], .pTestFunc = run_row};
    }
    tests[GN_ARRAY_LEN(rows)] = (CU_TestInfo){.pName = "every MUST has one row", .pTestFunc = every_must_has_one_row};
    return gn_test_run("tcp_conformance", tests);
}
