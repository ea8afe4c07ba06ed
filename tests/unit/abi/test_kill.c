/* Kill words: raised by anybody at any time, lowered only by a release that saw the last raise. */
#include <pthread.h>

#include "dataplane/abi/control.h"
#include "tests/gn_test.h"

static void raise_never_lowers(void)
{
    for (uint32_t a = 0; a <= GN_LADDER_KILLED; a++)
        for (uint32_t b = 0; b <= GN_LADDER_KILLED; b++) {
            _Atomic uint64_t word = 0;
            uint64_t first = gn_kill_raise(&word, a, GN_KILL_BY_CONTROLPLANE);
            CU_ASSERT_EQUAL(gn_kill_level(first), a);
            uint64_t second = gn_kill_raise(&word, b, GN_KILL_BY_OPERATOR);
            CU_ASSERT_EQUAL(gn_kill_level(second), a > b ? a : b);
            CU_ASSERT_EQUAL(second, atomic_load(&word));
            CU_ASSERT_EQUAL((second >> 8) & 0xff, GN_KILL_BY_OPERATOR);
            CU_ASSERT_EQUAL(second >> 16, 2); /* every raise is seen, even one that changes no level */
        }
}

static void release_needs_the_word_it_saw(void)
{
    _Atomic uint64_t word = 0;
    uint64_t seen = gn_kill_raise(&word, GN_LADDER_KILLED, GN_KILL_BY_OPERATOR);
    uint64_t moved = gn_kill_raise(&word, GN_LADDER_HALTED, GN_KILL_BY_CONTROLPLANE);
    CU_ASSERT_FALSE(gn_kill_release(&word, seen));
    CU_ASSERT_EQUAL(atomic_load(&word), moved);
    CU_ASSERT_EQUAL(gn_kill_level(moved), GN_LADDER_KILLED);
    CU_ASSERT_TRUE(gn_kill_release(&word, moved));
    CU_ASSERT_EQUAL(gn_kill_level(atomic_load(&word)), GN_LADDER_ACTIVE);
    CU_ASSERT_FALSE(gn_kill_release(&word, moved)); /* nothing can be released twice */
    CU_ASSERT_NOT_EQUAL(atomic_load(&word), seen);
}

/* The words of instruments are behind the block, on lines of their own. */
static void words_are_where_they_should_be(void)
{
    struct gn_control c;
    CU_ASSERT_PTR_EQUAL((uint8_t *)gn_kill_instrument(&c), (uint8_t *)&c + sizeof c);
    CU_ASSERT_EQUAL(sizeof c % GN_GUARD, 0);
    CU_ASSERT_EQUAL(offsetof(struct gn_control, kill_session) % GN_GUARD, 0);
    CU_ASSERT_EQUAL(offsetof(struct gn_control, records) % GN_GUARD, 0);
    CU_ASSERT_EQUAL(offsetof(struct gn_control, controlplane) % GN_GUARD, 0);
    CU_ASSERT_EQUAL(offsetof(struct gn_control, journal_failed) % GN_GUARD, 0);
}

/* The newest record of a scope is found, also behind sixteen of other scopes; not one that was overwritten. */
static void records_are_kept(void)
{
    static struct gn_control c;
    struct gn_kill_record r = {.set_ns = 7, .scope = GN_SCOPE_SESSION, .index = 1, .who = "anna", .why = "first"},
                          found;
    CU_ASSERT_FALSE(gn_kill_noted(&c, 0, GN_SCOPE_SESSION, 1, &found));
    gn_kill_note(&c, 0, &r);
    memcpy(r.why, "second", sizeof "second");
    gn_kill_note(&c, 0, &r);
    CU_ASSERT_TRUE(gn_kill_noted(&c, 0, GN_SCOPE_SESSION, 1, &found));
    CU_ASSERT_STRING_EQUAL(found.why, "second");
    CU_ASSERT_EQUAL(atomic_load(&found.number), 2);
    CU_ASSERT_FALSE(gn_kill_noted(&c, 0, GN_SCOPE_SESSION, 2, &found));
    CU_ASSERT_FALSE(gn_kill_noted(&c, 1, GN_SCOPE_SESSION, 1, &found));
    r.scope = GN_SCOPE_ALL;
    r.index = 0;
    for (uint32_t i = 0; i < GN_KILL_RECORDS - 1; i++)
        gn_kill_note(&c, 0, &r);
    CU_ASSERT_TRUE(gn_kill_noted(&c, 0, GN_SCOPE_SESSION, 1, &found));
    gn_kill_note(&c, 0, &r);
    CU_ASSERT_FALSE(gn_kill_noted(&c, 0, GN_SCOPE_SESSION, 1, &found));
    memset(c.records[0].ring[3].who, 'x', sizeof c.records[0].ring[3].who); /* hostile: no end */
    for (uint32_t i = 0; i < GN_KILL_RECORDS; i++)
        memset(c.records[0].ring[i].why, 'y', sizeof c.records[0].ring[i].why);
    CU_ASSERT_TRUE(gn_kill_noted(&c, 0, GN_SCOPE_ALL, 0, &found));
    CU_ASSERT_EQUAL(strlen(found.why), sizeof found.why - 1);
}

#define RAISES 50000u

struct raiser {
    _Atomic uint64_t *word;
    _Atomic uint32_t *left;
    uint64_t lost;
};

/* After its own raise a raiser may find the word lower only when somebody released it, which moves the count on. */
static void *raise_many(void *arg)
{
    struct raiser *r = arg;
    for (uint32_t i = 0; i < RAISES; i++) {
        uint64_t mine = gn_kill_raise(r->word, GN_LADDER_KILLED, GN_KILL_BY_DATAPLANE);
        uint64_t now = atomic_load(r->word);
        r->lost += gn_kill_level(mine) != GN_LADDER_KILLED;
        r->lost += gn_kill_level(now) < GN_LADDER_KILLED && now >> 16 <= mine >> 16;
    }
    atomic_fetch_sub(r->left, 1);
    return NULL;
}

static void no_raise_is_lost_to_a_release(void)
{
    _Atomic uint64_t word = 0;
    _Atomic uint32_t left = 2;
    struct raiser r[2] = {{&word, &left, 0}, {&word, &left, 0}};
    pthread_t thread[2];
    uint64_t released = 0;
    for (int i = 0; i < 2; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&thread[i], NULL, raise_many, &r[i]), 0);
    while (atomic_load(&left) != 0)
        released += gn_kill_release(&word, atomic_load(&word));
    for (int i = 0; i < 2; i++) {
        pthread_join(thread[i], NULL);
        CU_ASSERT_EQUAL(r[i].lost, 0);
    }
    /* every change is counted once: none was overwritten */
    CU_ASSERT_EQUAL(atomic_load(&word) >> 16, 2 * RAISES + released);
}

GN_TEST_MAIN("kill", {"raise never lowers", raise_never_lowers},
             {"release needs the word it saw", release_needs_the_word_it_saw},
             {"words are where they should be", words_are_where_they_should_be}, {"records are kept", records_are_kept},
             {"no raise is lost to a release", no_raise_is_lost_to_a_release})
