/* SPDX-License-Identifier: MIT OR Unlicense
   test_config: the command line, the environment and the defaults; and addresses. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../server/base/address.h"
#include "../server/commands/config.h"

/* ---- a made-up environment ---- */

static const char *variables[8][2];
static size_t variable_count;

static const char *fake_env(const char *name)
{
    for (size_t i = 0; i < variable_count; i++)
        if (strcmp(variables[i][0], name) == 0) return variables[i][1];
    return NULL;
}

static void set(const char *name, const char *value)
{
    variables[variable_count][0] = name;
    variables[variable_count++][1] = value;
}

static int clear(void **state)
{
    (void)state;
    variable_count = 0;
    return 0;
}

static char why_text[512];

/* What follows "mnemic" on a command line; words are separated by single spaces. Valid until the next call. */
static bool read_line(config *c, const char *line)
{
    static char words[512];
    static char program[] = "mnemic", *argv[16] = {program};
    char *rest = NULL;
    int argc = 1;
    strncpy(words, line, sizeof words - 1);
    for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) argv[argc++] = word;
    buf why = {0};
    bool good = config_read(c, argc, argv, fake_env, &why);
    why_text[0] = 0;
    if (why.n) strncpy(why_text, why.p, sizeof why_text - 1);
    assert_int_equal(good, why.n == 0);
    assert_null(strchr(why_text, '\n'));
    buf_free(&why);
    return good;
}

/* ---- tests ---- */

static void defaults(void **state)
{
    (void)state;
    config c;
    assert_true(read_line(&c, ""));
    assert_int_equal(c.command, COMMAND_SERVE);
    assert_string_equal(c.store, "sqlite:mnemic.db");
    assert_string_equal(c.udp, "127.0.0.1:12013");
    assert_string_equal(c.http, "127.0.0.1:12111");
    assert_null(c.web);
    assert_null(c.token_file);
    assert_null(c.tls_cert);
    assert_null(c.tls_key);
    assert_int_equal(c.log, LOG_INFO);
}

static void flags_of_both_forms(void **state)
{
    (void)state;
    config c;
    assert_true(read_line(&c, "serve --store sqlite:/x=y --udp=[::1]:0 --http :80 --web=web --token-file t "
                              "--tls-cert=c --tls-key k --key-file=f --log-level=debug"));
    assert_string_equal(c.key_file, "f");
    assert_string_equal(c.store, "sqlite:/x=y");
    assert_string_equal(c.udp, "[::1]:0");
    assert_string_equal(c.http, ":80");
    assert_string_equal(c.web, "web");
    assert_string_equal(c.token_file, "t");
    assert_string_equal(c.tls_cert, "c");
    assert_string_equal(c.tls_key, "k");
    assert_int_equal(c.log, LOG_DEBUG);
}

static void environment_before_defaults(void **state)
{
    (void)state;
    set("POSTGRES_CONN_STR", "host=db");
    set("BACK_END_PORT", "5000");
    set("FRONT_END_PORT", "0");
    config c;
    assert_true(read_line(&c, ""));
    assert_string_equal(c.store, "host=db");
    assert_string_equal(c.udp, "127.0.0.1:5000");
    assert_string_equal(c.http, "127.0.0.1:0");
    set("MNEMIC_STORE", "sqlite:a.db");
    assert_true(read_line(&c, ""));
    assert_string_equal(c.store, "sqlite:a.db");
}

static void empty_variables_are_unset(void **state)
{
    (void)state;
    set("MNEMIC_STORE", "");
    set("POSTGRES_CONN_STR", "");
    set("BACK_END_PORT", "");
    config c;
    assert_true(read_line(&c, ""));
    assert_string_equal(c.store, "sqlite:mnemic.db");
    assert_string_equal(c.udp, "127.0.0.1:12013");
}

static void flags_before_environment(void **state)
{
    (void)state;
    set("MNEMIC_STORE", "sqlite:a.db");
    set("BACK_END_PORT", "not even a port");
    config c;
    assert_true(read_line(&c, "--store=sqlite:b.db --udp=127.0.0.1:1"));
    assert_string_equal(c.store, "sqlite:b.db");
    assert_string_equal(c.udp, "127.0.0.1:1");
}

static void other_commands(void **state)
{
    (void)state;
    config c;
    assert_true(read_line(&c, "version"));
    assert_int_equal(c.command, COMMAND_VERSION);
    assert_true(read_line(&c, "--version"));
    assert_int_equal(c.command, COMMAND_VERSION);
    assert_true(read_line(&c, "--store x --help"));
    assert_int_equal(c.command, COMMAND_HELP);
    assert_true(read_line(&c, "-h"));
    assert_int_equal(c.command, COMMAND_HELP);
    assert_non_null(strstr(config_usage(COMMAND_SERVE), "--token-file"));
    assert_non_null(strstr(config_usage(COMMAND_SERVE), "--key-file"));
}

static void each_command_has_its_options(void **state)
{
    (void)state;
    config c;
    assert_true(read_line(&c, "healthcheck --http [::1]:99 --token-file t"));
    assert_int_equal(c.command, COMMAND_HEALTHCHECK);
    assert_string_equal(c.http, "[::1]:99");
    assert_string_equal(c.token_file, "t");
    assert_true(read_line(&c, "healthcheck --help"));
    assert_int_equal(c.command, COMMAND_HELP);
    assert_int_equal(c.help_on, COMMAND_HEALTHCHECK);
    assert_non_null(strstr(config_usage(c.help_on), "/readyz"));
    assert_true(read_line(&c, "help"));
    assert_int_equal(c.help_on, COMMAND_SERVE);
    assert_true(read_line(&c, "export --store sqlite:a.db x --out=b y"));
    assert_int_equal(c.command, COMMAND_EXPORT);
    assert_string_equal(c.out, "b");
    assert_int_equal(c.word_count, 2);
    assert_string_equal(c.words[0], "x");
    assert_string_equal(c.words[1], "y");
    assert_true(read_line(&c, "export --all"));
    assert_non_null(c.all);
    assert_string_equal(c.out, "-");
    assert_string_equal(c.store, "sqlite:mnemic.db");
    assert_true(read_line(&c, "export --app=-x"));
    assert_string_equal(c.app, "-x");
    assert_true(read_line(&c, "import - -- --odd"));
    assert_int_equal(c.word_count, 2);
    assert_string_equal(c.words[0], "-");
    assert_string_equal(c.words[1], "--odd");
}

static void the_environment_of_a_container(void **state)
{
    (void)state;
    set("MNEMIC_BIND", "0.0.0.0");
    set("FRONT_END_PORT", "80");
    set("MNEMIC_TOKEN_FILE", "/run/secrets/token");
    set("MNEMIC_LOG_LEVEL", "warn");
    config c;
    assert_true(read_line(&c, ""));
    assert_string_equal(c.udp, "0.0.0.0:12013");
    assert_string_equal(c.http, "0.0.0.0:80");
    assert_string_equal(c.token_file, "/run/secrets/token");
    assert_int_equal(c.log, LOG_WARN);
    assert_true(read_line(&c, "healthcheck"));
    assert_string_equal(c.http, "0.0.0.0:80");
    assert_string_equal(c.token_file, "/run/secrets/token");
    assert_true(read_line(&c, "--token-file=t --http=:1 --log-level error"));
    assert_string_equal(c.token_file, "t");
    assert_string_equal(c.http, ":1");
    assert_int_equal(c.log, LOG_ERROR);
    variable_count = 0;
    set("MNEMIC_BIND", "::");
    assert_false(read_line(&c, ""));
    assert_non_null(strstr(why_text, "MNEMIC_BIND"));
}

static void retain(void **state)
{
    (void)state;
    config c;
    static const struct {
        const char *line;
        int64_t seconds;
    } cases[] = {
        {"", 0},
        {"--retain 90s", 90},
        {"--retain=12h", 12 * 3600},
        {"--retain 30d", 30 * 86400},
        {"--retain 52w", 52 * 604800},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_true(read_line(&c, cases[i].line));
        assert_true(c.retain == cases[i].seconds * NS_PER_SECOND);
    }
    variable_count = 0;
    set("MNEMIC_RETAIN", "2h");
    assert_true(read_line(&c, ""));
    assert_true(c.retain == 7200 * NS_PER_SECOND);
    assert_true(read_line(&c, "--retain 1d"));
    assert_true(c.retain == 86400 * NS_PER_SECOND);
    variable_count = 0;
    set("MNEMIC_RETAIN", "soon");
    assert_false(read_line(&c, ""));
    assert_non_null(strstr(why_text, "'soon'"));
}

static void drift(void **state)
{
    (void)state;
    config c;
    assert_true(read_line(&c, "drift server --columns=a,b --from 3m --to 2026-01-31 --fail-above a=1/h --store x"));
    assert_int_equal(c.command, COMMAND_DRIFT);
    assert_int_equal(c.word_count, 1);
    assert_string_equal(c.words[0], "server");
    assert_string_equal(c.columns, "a,b");
    assert_string_equal(c.from, "3m");
    assert_string_equal(c.to, "2026-01-31");
    assert_string_equal(c.fail_above, "a=1/h");
    assert_string_equal(c.store, "x");
    assert_null(c.udp);
    assert_true(read_line(&c, "drift --last 2h server"));
    assert_string_equal(c.last, "2h");
    assert_true(read_line(&c, "drift --help"));
    assert_non_null(strstr(config_usage(c.help_on), "--fail-above"));
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *line, *says;
    } cases[] = {
        {"--stor x", "'--stor'"},
        {"--storee=x", "'--storee'"},
        {"-x", "'-x'"},
        {"--help=yes", "'--help'"},
        {"--store", "--store needs a value"},
        {"--store=", "--store needs a value"},
        {"--retain 30", "'30' is no length of time"},
        {"--retain 0d", "'0d'"},
        {"--retain -3d", "'-3d'"},
        {"--retain 0.5s", "'0.5s'"},
        {"--retain 30days", "'30days'"},
        {"--retain 300000000000w", "'300000000000w'"},
        {"--retain infd", "'infd'"},
        {"drift --retain 30d a", "--retain is no option of this command"},
        {"start", "'start'"},
        {"serve now", "'now'"},
        {"--log-level loud", "'loud'"},
        {"drift", "which run? Name it, or its application; see mnemic drift --help"},
        {"drift a b", "one run at a time"},
        {"drift a --last 2h --from 3m", "--last and --from"},
        {"drift a --udp :1", "--udp is no option of this command"},
        {"serve --last 2h", "--last is no option of this command"},
        {"healthcheck --udp :1", "--udp is no option of this command; see mnemic healthcheck --help"},
        {"healthcheck now", "unexpected 'now'; see mnemic healthcheck --help"},
        {"healthcheck --http 1", "'1'"},
        {"export", "which runs?"},
        {"export --all x", "one of them; see mnemic export --help"},
        {"export --all=x", "--all takes no value"},
        {"import", "which files?"},
        {"import --drop-original", "--drop-original goes with --original"},
        {"import --original x", "--original takes no files"},
        {"import --out x y", "--out is no option of this command; see mnemic import --help"},
        {"--all", "--all is no option of this command; see mnemic --help"},
        {"--tls-cert c", "--tls-key"},
        {"--tls-key k", "--tls-cert"},
        {"--udp 12013", "'12013'"},
        {"--udp ::1:12013", "'::1:12013'"},
        {"--http localhost:65536", "'localhost:65536'"},
        {"--http localhost:", "'localhost:'"},
        {"--http localhost:1x", "'localhost:1x'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        config c;
        if (read_line(&c, cases[i].line) || !strstr(why_text, cases[i].says))
            fail_msg("%s: said \"%s\"", cases[i].line, why_text);
    }
}

static void bad_ports_in_the_environment(void **state)
{
    (void)state;
    static const char *const ports[] = {"x", "-1", "65536", "1:2",
                                        "123456789012345678901234567890123456789012345678901234567"};
    for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
        variable_count = 0;
        set("FRONT_END_PORT", ports[i]);
        config c;
        assert_false(read_line(&c, ""));
        assert_non_null(strstr(why_text, "FRONT_END_PORT"));
    }
}

/* ---- address ---- */

static void binding(void **state)
{
    (void)state;
    buf bound = {0}, again = {0}, why = {0};
    int fd = address_bind("127.0.0.1:0", SOCK_DGRAM, &bound, &why);
    assert_true(fd >= 0);
    assert_true(address_is_loopback(fd));
    assert_memory_equal(bound.p, "127.0.0.1:", 10);
    assert_string_not_equal(bound.p, "127.0.0.1:0");
    assert_int_equal(address_bind(bound.p, SOCK_DGRAM, &again, &why), -1);
    assert_non_null(strstr(why.p, "in use"));
    assert_non_null(strstr(why.p, bound.p));
    close(fd);

    bound.n = 0;
    fd = address_bind(":0", SOCK_STREAM, &bound, &why);
    assert_true(fd >= 0);
    assert_false(address_is_loopback(fd));
    close(fd);
    why.n = 0;
    assert_int_equal(address_bind("not an address", SOCK_STREAM, &bound, &why), -1);
    assert_non_null(strstr(why.p, "HOST:PORT"));
    why.n = 0;
    assert_int_equal(address_bind("no.such.host.invalid:1", SOCK_STREAM, &bound, &why), -1);
    assert_true(why.n > 0);
    buf_free(&bound);
    buf_free(&again);
    buf_free(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(defaults, clear),
        cmocka_unit_test_setup(flags_of_both_forms, clear),
        cmocka_unit_test_setup(environment_before_defaults, clear),
        cmocka_unit_test_setup(empty_variables_are_unset, clear),
        cmocka_unit_test_setup(flags_before_environment, clear),
        cmocka_unit_test_setup(other_commands, clear),
        cmocka_unit_test_setup(each_command_has_its_options, clear),
        cmocka_unit_test_setup(the_environment_of_a_container, clear),
        cmocka_unit_test_setup(retain, clear),
        cmocka_unit_test_setup(drift, clear),
        cmocka_unit_test_setup(refusals, clear),
        cmocka_unit_test_setup(bad_ports_in_the_environment, clear),
        cmocka_unit_test(binding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
