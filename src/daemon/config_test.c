/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * config_test.c: what virtwardd.conf may say. */
#include "daemon/config.h"

#include <string.h>

#include "util/virerror.h"

static virDaemonConfig *
testParse(const char *text, GError **error)
{
    g_autoptr(virDaemonConfig) config = virDaemonConfigNew();

    if (!virDaemonConfigParse(config, text, "test.conf", error))
        return NULL;
    return g_steal_pointer(&config);
}

static void
testRefused(const char *text, int code, const char *part)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(testParse(text, &error));
    g_assert_true(virErrorIs(error, (virErrorCode)code));
    if (!strstr(error->message, part))
        g_error("'%s' does not say '%s'", error->message, part);
}

static void
testEveryKindOfValueIsRead(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virDaemonConfig) config = testParse("# a comment\n"
                                                  "\n"
                                                  "unix_sock_group = \"kvm\" # another\n"
                                                  "  unix_sock_rw_perms=\"0770\"\n"
                                                  "libvirt_sockets = true\n"
                                                  "keepalive_interval = -1\n"
                                                  "gate_mode = \"permissive\"\n"
                                                  "user = 'a \\'quoted\\' # name'\n",
                                                  &error);

    g_assert_no_error(error);
    g_assert_cmpstr(config->unix_sock_group, ==, "kvm");
    g_assert_cmpint(config->unix_sock_rw_perms, ==, 0770);
    g_assert_true(config->libvirt_sockets);
    g_assert_cmpint(config->keepalive_interval, ==, -1);
    g_assert_cmpstr(config->gate_mode, ==, "permissive");
    g_assert_cmpstr(config->gate_lock, ==, "both");
    g_assert_cmpstr(config->user, ==, "a 'quoted' # name");
}

static void
testErrorsNameTheLine(void)
{
    testRefused("max_clients = 5\n\nmax_cleints = 6\n", VIR_ERR_CONF_SYNTAX,
                "test.conf:3: unknown key 'max_cleints'");
    testRefused("max_clients\n", VIR_ERR_CONF_SYNTAX, "test.conf:1: ");
}

static void
testBadValuesAreRefused(void)
{
    testRefused("max_clients = 0", VIR_ERR_CONF_SYNTAX, "max_clients");
    testRefused("max_clients = many", VIR_ERR_CONF_SYNTAX, "max_clients");
    testRefused("max_clients = 99999999999", VIR_ERR_CONF_SYNTAX, "max_clients");
    testRefused("libvirt_sockets = perhaps", VIR_ERR_CONF_SYNTAX, "libvirt_sockets");
    testRefused("unix_sock_rw_perms = 0770", VIR_ERR_CONF_SYNTAX, "unix_sock_rw_perms");
    testRefused("unix_sock_rw_perms = \"0999\"", VIR_ERR_CONF_SYNTAX, "unix_sock_rw_perms");
    testRefused("unix_sock_rw_perms = \"\"", VIR_ERR_CONF_SYNTAX, "unix_sock_rw_perms");
    testRefused("user = \"open", VIR_ERR_CONF_SYNTAX, "user");
    testRefused("cgroup_manager = \"elogind\"", VIR_ERR_CONF_SYNTAX, "cgroup_manager");
    testRefused("cgroup_controllers = [ \"cpu\", \"rdma\" ]", VIR_ERR_CONF_SYNTAX,
                "cgroup_controllers");
    testRefused("gate_mode = \"lenient\"", VIR_ERR_CONF_SYNTAX, "gate_mode");
    testRefused("gate_mode = permissive", VIR_ERR_CONF_SYNTAX, "gate_mode");
    testRefused("gate_lock = \"none\"", VIR_ERR_CONF_SYNTAX, "gate_lock");
    testRefused("namespaces = [ \"pid\" ]", VIR_ERR_CONF_SYNTAX, "namespaces");
    testRefused("gate_rules = 0", VIR_ERR_CONF_SYNTAX, "gate_rules");
}

static void
testAuthenticationWeLackIsRefused(void)
{
    testRefused("auth_unix_rw = \"polkit\"", VIR_ERR_CONFIG_UNSUPPORTED, "polkit");
}

static void
testMissingFileChangesNothing(void)
{
    g_autoptr(virDaemonConfig) config = virDaemonConfigNew();
    g_autoptr(GError) error = NULL;

    g_assert_true(virDaemonConfigLoad(config, "/nonexistent/virtwardd.conf", &error));
    g_assert_no_error(error);
}

/* virtwardd.conf shows every key; without its comment signs it is a valid file. */
static void
testSampleShowsEveryKey(void)
{
    g_autofree char *path =
        g_build_filename(g_getenv("G_TEST_SRCDIR"), "src", "daemon", "virtwardd.conf", NULL);
    g_autoptr(GRegex) comment = g_regex_new("^#([a-z_]+ = )", G_REGEX_MULTILINE, 0, NULL);
    g_autoptr(virDaemonConfig) config = virDaemonConfigNew();
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL, *bare = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    for (size_t i = 0; virDaemonConfigKey(i); i++) {
        g_autofree char *line = g_strdup_printf("\n#%s = ", virDaemonConfigKey(i));

        if (!strstr(text, line))
            g_error("virtwardd.conf does not show '%s'", virDaemonConfigKey(i));
    }
    bare = g_regex_replace(comment, text, -1, 0, "\\1", 0, NULL);
    virDaemonConfigParse(config, bare, "virtwardd.conf", &error);
    g_assert_no_error(error);
    g_assert_cmpstr(config->group, ==, "virtward-qemu");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/config/every-kind-of-value-is-read", testEveryKindOfValueIsRead);
    g_test_add_func("/config/errors-name-the-line", testErrorsNameTheLine);
    g_test_add_func("/config/bad-values-are-refused", testBadValuesAreRefused);
    g_test_add_func("/config/authentication-we-lack-is-refused", testAuthenticationWeLackIsRefused);
    g_test_add_func("/config/missing-file-changes-nothing", testMissingFileChangesNothing);
    g_test_add_func("/config/sample-shows-every-key", testSampleShowsEveryKey);
    return g_test_run();
}
