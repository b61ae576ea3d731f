/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * interface_test.c: interfaces as documents, also those that cannot be started, and what of them
 * can change while a guest runs. Command lines are golden cases. */
#include "device/interface/interface.h"

#include <glib.h>

#include "device/interface/interface_qemu.h"
#include "util/virerror.h"
#include "util/viruuid.h"

static virDevice *
deviceFrom(const char *xml, unsigned parseFlags)
{
    g_autoptr(GError) error = NULL;
    virDevice *dev = virDeviceParseText(xml, parseFlags, &error);

    g_assert_no_error(error);
    return dev;
}

static void
assertText(const virDevice *dev, unsigned formatFlags, const char *expected)
{
    g_autoptr(virXMLWriter) w = virXMLWriterNew();
    g_autofree char *text = NULL;

    virDeviceFormat(dev, w, formatFlags);
    text = virXMLWriterEnd(w);
    g_assert_cmpstr(text, ==, expected);
}

static void
testOrderIsLibvirts(void)
{
    g_autoptr(virDevice) dev = deviceFrom(
        "<interface type='network' trustGuestRxFilters='yes'>"
        "<address type='pci' domain='0' bus='0' slot='3' function='0'/>"
        "<rom bar='off'/><boot order='1'/><coalesce><rx><frames max='7'/></rx></coalesce>"
        "<mtu size='1500'/><link state='down'/><teaming type='persistent'/>"
        "<tune><sndbuf>1600</sndbuf></tune>"
        "<filterref filter='f'><parameter name='b' value='2'/><parameter name='A' value='1.2.3.4'/>"
        "<parameter name='b' value='1'/><parameter name='c' value='a b'/></filterref>"
        "<backend tap='/dev/tap' vhost='/dev/vh'/>"
        "<driver queues='3' name='qemu' ats='on'><guest ufo='off'/><host gso='off'/></driver>"
        "<model type='VIRTIO'/><guest dev='eth7'/><target dev='tap7'/>"
        "<bandwidth><outbound average='10'/><inbound average='1' floor='9'/></bandwidth>"
        "<virtualport type='openvswitch'><parameters profileid='bob'/></virtualport>"
        "<vlan><tag id='42' nativeMode='untagged'/><tag id='43'/></vlan>"
        "<source portgroup='p' network='default'/>"
        "<mac type='static' check='no' address='52-54-0-AA-bb-cc'/></interface>",
        VIR_PARSE_INACTIVE);

    assertText(dev, VIR_FORMAT_INACTIVE,
               "<interface type='network' trustGuestRxFilters='yes'>\n"
               "  <mac address='52:54:00:aa:bb:cc' type='static' check='no'/>\n"
               "  <source network='default' portgroup='p'/>\n"
               "  <vlan trunk='yes'>\n"
               "    <tag id='42' nativeMode='untagged'/>\n"
               "    <tag id='43'/>\n"
               "  </vlan>\n"
               "  <virtualport type='openvswitch'>\n"
               "    <parameters profileid='bob'/>\n"
               "  </virtualport>\n"
               "  <bandwidth>\n"
               "    <inbound average='1' floor='9'/>\n"
               "    <outbound average='10'/>\n"
               "  </bandwidth>\n"
               "  <target dev='tap7'/>\n"
               "  <guest dev='eth7'/>\n"
               "  <model type='virtio'/>\n"
               "  <driver name='qemu' queues='3' ats='on'>\n"
               "    <host gso='off'/>\n"
               "    <guest ufo='off'/>\n"
               "  </driver>\n"
               "  <backend tap='/dev/tap' vhost='/dev/vh'/>\n"
               "  <filterref filter='f'>\n"
               "    <parameter name='A' value='1.2.3.4'/>\n"
               "    <parameter name='b' value='2'/>\n"
               "    <parameter name='b' value='1'/>\n"
               "  </filterref>\n"
               "  <tune>\n"
               "    <sndbuf>1600</sndbuf>\n"
               "  </tune>\n"
               "  <teaming type='persistent'/>\n"
               "  <link state='down'/>\n"
               "  <mtu size='1500'/>\n"
               "  <coalesce>\n"
               "    <rx>\n"
               "      <frames max='7'/>\n"
               "    </rx>\n"
               "  </coalesce>\n"
               "  <boot order='1'/>\n"
               "  <rom bar='off'/>\n"
               "  <address type='pci' domain='0x0000' bus='0x00' slot='0x03' function='0x0'/>\n"
               "</interface>\n");
}

static void
testSourcesAreReadBack(void)
{
    static const char *const texts[] = {
        "<interface type='direct'>\n"
        "  <mac address='52:54:00:00:00:01'/>\n"
        "  <source dev='eth0' mode='private'/>\n"
        "  <virtualport type='802.1Qbh'>\n"
        "    <parameters profileid='x'/>\n"
        "  </virtualport>\n"
        "</interface>\n",
        "<interface type='ethernet'>\n"
        "  <mac address='52:54:00:00:00:02'/>\n"
        "  <source>\n"
        "    <ip address='10.0.0.1' family='ipv4' prefix='8' peer='10.0.0.2'/>\n"
        "    <route family='ipv4' address='192.168.2.0' prefix='24' gateway='192.168.1.1' "
        "metric='3'/>\n"
        "  </source>\n"
        "  <ip address='fd00::1' family='ipv6'/>\n"
        "  <route family='ipv4' address='192.168.5.0' netmask='255.255.255.0' "
        "gateway='192.168.1.1'/>\n"
        "  <script path='/etc/up'/>\n"
        "  <downscript path='/etc/down'/>\n"
        "  <target dev='vnet5' managed='no'/>\n"
        "</interface>\n",
        "<interface type='vds'>\n"
        "  <mac address='52:54:00:00:00:03'/>\n"
        "  <source switchid='12345678-1234-1234-1234-123456789abc' portid='6' portgroupid='pg' "
        "connectionid='-5'/>\n"
        "</interface>\n",
        "<interface type='internal'>\n"
        "  <mac address='52:54:00:00:00:04'/>\n"
        "  <source name='i'/>\n"
        "  <model type='whatever'/>\n"
        "</interface>\n",
        "<interface type='null'>\n"
        "  <mac address='52:54:00:00:00:05'/>\n"
        "</interface>\n",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(virDevice) dev = deviceFrom(texts[i], VIR_PARSE_INACTIVE);

        assertText(dev, VIR_FORMAT_INACTIVE, texts[i]);
    }
}

static void
testMacIsMadeUpIfAbsent(void)
{
    g_autoptr(virDevice) dev = NULL;
    char text[VIR_MAC_TEXT_SIZE];

    virRandomMakePredictable();
    dev = deviceFrom("<interface type='user'/>", 0);
    g_assert_true(VIR_INTERFACE(dev)->macGenerated);
    g_assert_cmpstr(virInterfaceMAC(VIR_INTERFACE(dev), text), ==, "52:54:00:00:00:00");
}

static void
testDriverOptionsNeedVirtio(void)
{
    g_autoptr(virDevice) dev =
        deviceFrom("<interface type='user'><mac address='52:54:00:00:00:01'/>"
                   "<model type='e1000'/><driver name='vhost' queues='5'/></interface>",
                   0);
    g_autoptr(virDevice) one =
        deviceFrom("<interface type='user'><mac address='52:54:00:00:00:01'/>"
                   "<model type='virtio'/><driver queues='1'/><mtu size='0'/></interface>",
                   0);

    assertText(dev, 0,
               "<interface type='user'>\n"
               "  <mac address='52:54:00:00:00:01'/>\n"
               "  <model type='e1000'/>\n"
               "</interface>\n");
    assertText(one, 0,
               "<interface type='user'>\n"
               "  <mac address='52:54:00:00:00:01'/>\n"
               "  <model type='virtio'/>\n"
               "</interface>\n");
}

static void
testChosenNamesAreNotStored(void)
{
    static const char xml[] = "<interface type='bridge'><mac address='52:54:00:00:00:01'/>"
                              "<source bridge='br0'/><target dev='vnet3'/></interface>";
    g_autoptr(virDevice) live = deviceFrom(xml, 0);
    g_autoptr(virDevice) stored = deviceFrom(xml, VIR_PARSE_INACTIVE);

    g_assert_cmpstr(VIR_INTERFACE(live)->ifname, ==, "vnet3");
    g_assert_null(VIR_INTERFACE(stored)->ifname);
    assertText(live, VIR_FORMAT_INACTIVE,
               "<interface type='bridge'>\n"
               "  <mac address='52:54:00:00:00:01'/>\n"
               "  <source bridge='br0'/>\n"
               "</interface>\n");
}

static const char actual[] = "<interface type='network'>\n"
                             "  <mac address='52:54:00:36:bd:3b'/>\n"
                             "  <source network='default' portid='p'/>\n"
                             "  <actual type='network'>\n"
                             "    <source bridge='virbr0'/>\n"
                             "  </actual>\n"
                             "  <target dev='vnet0'/>\n"
                             "</interface>\n";

static void
testNetworksOfRunningGuestsAreKnown(void)
{
    g_autoptr(virDevice) dev = deviceFrom(actual, VIR_PARSE_STATUS);

    assertText(dev, VIR_FORMAT_STATUS, actual);
    assertText(dev, 0,
               "<interface type='network'>\n"
               "  <mac address='52:54:00:36:bd:3b'/>\n"
               "  <source network='default' portid='p' bridge='virbr0'/>\n"
               "  <target dev='vnet0'/>\n"
               "</interface>\n");
    assertText(dev, VIR_FORMAT_INACTIVE,
               "<interface type='network'>\n"
               "  <mac address='52:54:00:36:bd:3b'/>\n"
               "  <source network='default'/>\n"
               "</interface>\n");
}

/* --- updates --- */

#define LIVE(source, rest)                                                                         \
    "<interface type='bridge'><mac address='52:54:00:00:00:01'/>"                                  \
    "<source bridge='" source "'/><target dev='vnet3'/><model type='virtio'/>" rest                \
    "<alias name='net0'/></interface>"

static qmpPlan *
updatePlan(const char *from, const char *to, GError **error)
{
    g_autoptr(virDevice) was = deviceFrom(from, 0);
    g_autoptr(virDevice) is = deviceFrom(to, 0);
    g_autoptr(qmpPlan) plan = qmpPlanNew(NULL);
    qemuBuildContext ctx = {0};

    return virInterfaceQemu.update(was, is, &ctx, plan, error) ? g_steal_pointer(&plan) : NULL;
}

static void
testLinkGoesDownAndUndoBringsItUp(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(qmpPlan) plan =
        updatePlan(LIVE("br0", ""), LIVE("br0", "<link state='down'/>"), &error);
    g_autoptr(virJSON) undo = NULL;
    const qmpStep *step;
    g_autofree char *text = NULL;

    g_assert_no_error(error);
    g_assert_cmpuint(qmpPlanLength(plan), ==, 1);
    step = qmpPlanStep(plan, 0);
    text = virJSONPrint(step->props);
    g_assert_cmpstr(qmpPlanStepCommand(step), ==, "set_link");
    g_assert_cmpstr(text, ==, "{\"name\":\"net0\",\"up\":false}");
    g_assert_cmpstr(qmpPlanStepUndo(step, &undo), ==, "set_link");
    g_assert_true(virJSONGetBool(undo, "up", false));
}

static void
testBridgeChanges(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(qmpPlan) plan = updatePlan(LIVE("br0", ""), LIVE("br1", ""), &error);
    const qmpHostStep *host;

    g_assert_no_error(error);
    g_assert_cmpuint(qmpPlanLength(plan), ==, 1);
    host = qmpPlanStep(plan, 0)->host;
    g_assert_cmpint(host->type, ==, QMP_HOST_BRIDGE);
    g_assert_cmpstr(host->ifname, ==, "vnet3");
    g_assert_cmpstr(host->bridge, ==, "br1");
    g_assert_cmpstr(host->undoBridge, ==, "br0");
}

static void
testCardStaysAsItIs(void)
{
    static const struct {
        const char *to;
        const char *message;
    } cases[] = {
        {LIVE("br0", "<driver queues='4'/>"),
         "cannot modify virtio network device driver attributes"},
        {LIVE("br0", "<driver packed='on'/>"),
         "cannot modify virtio network device driver options"},
        {LIVE("br0", "<mtu size='1400'/>"), "cannot modify MTU"},
        {LIVE("br0", "<boot order='3'/>"), "cannot modify network device boot index setting"},
        {LIVE("br0", "<rom bar='off'/>"), "cannot modify network device rom bar setting"},
        {LIVE("br0", "<filterref filter='x'/>"),
         "unable to change config on 'bridge' network type"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(updatePlan(LIVE("br0", ""), cases[i].to, &error));
        g_assert_cmpstr(error->message, ==, cases[i].message);
    }
}

static void
testRequestsNameACardByItsAddress(void)
{
    g_autoptr(virDevice) dev = deviceFrom(LIVE("br0", ""), 0);
    g_autoptr(virDevice) same =
        deviceFrom("<interface type='network'><mac address='52:54:00:00:00:01'/>"
                   "<source network='other'/></interface>",
                   0);
    g_autoptr(virDevice) other =
        deviceFrom("<interface type='user'><mac address='52:54:00:00:00:02'/></interface>", 0);

    g_assert_true(virInterfaceKind.matches(dev, same));
    g_assert_false(virInterfaceKind.matches(dev, other));
}

static void
testCardMustStayForTheGuest(void)
{
    g_autoptr(virDevice) a = deviceFrom(LIVE("br0", ""), 0);
    g_autoptr(virDevice) b = deviceFrom(LIVE("br9", "<link state='down'/>"), 0);
    g_autoptr(virDevice) c =
        deviceFrom("<interface type='user'><mac address='52:54:00:00:00:02'/></interface>", 0);
    g_autoptr(GError) error = NULL;

    g_assert_true(virDeviceSameABI(a, b, NULL));
    g_assert_false(virDeviceSameABI(a, c, &error));
    g_assert_true(virErrorIs(error, VIR_ERR_CONFIG_UNSUPPORTED));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    virXMLInit();
    g_test_add_func("/interface/the order is libvirt's", testOrderIsLibvirts);
    g_test_add_func("/interface/sources are read back", testSourcesAreReadBack);
    g_test_add_func("/interface/a MAC address is made up if absent", testMacIsMadeUpIfAbsent);
    g_test_add_func("/interface/driver options need virtio", testDriverOptionsNeedVirtio);
    g_test_add_func("/interface/chosen names are not stored", testChosenNamesAreNotStored);
    g_test_add_func("/interface/networks of running guests are known",
                    testNetworksOfRunningGuestsAreKnown);
    g_test_add_func("/interface/the link goes down and undo brings it up",
                    testLinkGoesDownAndUndoBringsItUp);
    g_test_add_func("/interface/the bridge changes", testBridgeChanges);
    g_test_add_func("/interface/the card stays as it is", testCardStaysAsItIs);
    g_test_add_func("/interface/requests name a card by its address",
                    testRequestsNameACardByItsAddress);
    g_test_add_func("/interface/the card must stay for the guest", testCardMustStayForTheGuest);
    return g_test_run();
}
