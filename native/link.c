/*
 * Interfaces by name, in the calling thread's network namespace: what they
 * are, and the settings a switch makes.
 */
#include "link.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>

#include "addon.h"
#include "args.h"
#include "netlink.h"

/* Linux's bounds: IPv4's minimum, and what an Ethernet TAP takes at most less its header. */
enum { MIN_MTU = 68, MAX_MTU = 65535, MAX_TXQLEN = 1000000 };

static napi_value link_info(napi_env env, napi_callback_info info);
static napi_value set_mac(napi_env env, napi_callback_info info);
static napi_value set_mtu(napi_env env, napi_callback_info info);
static napi_value set_up(napi_env env, napi_callback_info info);
static napi_value set_txqlen(napi_env env, napi_callback_info info);
static napi_value move_link(napi_env env, napi_callback_info info);
static napi_value link_addresses(napi_env env, napi_callback_info info);

bool link_register(napi_env env, napi_value exports) {
  static const struct function functions[] = {
      {"linkInfo", link_info},           {"setLinkMac", set_mac},
      {"setLinkMtu", set_mtu},           {"setLinkUp", set_up},
      {"setLinkTxQueueLen", set_txqlen}, {"moveLink", move_link},
      {"linkAddresses", link_addresses},
  };
  return register_functions(env, exports, functions, sizeof functions / sizeof *functions);
}

static void set_number(napi_env env, napi_value object, const char *name, uint32_t number) {
  napi_value value;
  napi_create_uint32(env, number, &value);
  napi_set_named_property(env, object, name, value);
}

static void set_flag(napi_env env, napi_value object, const char *name, bool flag) {
  napi_value value;
  napi_get_boolean(env, flag, &value);
  napi_set_named_property(env, object, name, value);
}

napi_value link_info_value(napi_env env, const struct link_info *link) {
  napi_value result, value;
  char mac[18];
  const uint8_t *m = link->mac;
  snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
  napi_create_object(env, &result);
  set_number(env, result, "ifindex", (uint32_t)link->ifindex);
  napi_create_string_utf8(env, mac, NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, result, "mac", value);
  set_number(env, result, "mtu", link->mtu);
  set_flag(env, result, "up", link->flags & IFF_UP);
  set_flag(env, result, "running", link->flags & IFF_RUNNING);
  return result;
}

static napi_value link_info(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  char name[IFNAMSIZ];
  struct link_info link;
  if (!args_get(env, info, 1, argv) || !args_ifname(env, argv[0], false, name)) return NULL;
  const int error = netlink_get_link(name, &link);
  if (error != 0) return throw_errno(env, -error, "linkInfo", name);
  return link_info_value(env, &link);
}

static napi_value change(napi_env env, const char *call, const char *name,
                         const struct link_change *wanted) {
  const int error = netlink_change_link(name, wanted);
  return error != 0 ? throw_errno(env, -error, call, name) : NULL;
}

static napi_value set_mac(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  char name[IFNAMSIZ];
  struct link_change wanted = {.set_mac = true};
  if (!args_get(env, info, 2, argv) || !args_ifname(env, argv[0], false, name) ||
      !args_mac(env, argv[1], wanted.mac)) {
    return NULL;
  }
  return change(env, "setLinkMac", name, &wanted);
}

static napi_value set_mtu(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  char name[IFNAMSIZ];
  int64_t mtu;
  if (!args_get(env, info, 2, argv) || !args_ifname(env, argv[0], false, name) ||
      !args_int(env, argv[1], "mtu", MIN_MTU, MAX_MTU, &mtu)) {
    return NULL;
  }
  const struct link_change wanted = {.set_mtu = true, .mtu = (uint32_t)mtu};
  return change(env, "setLinkMtu", name, &wanted);
}

static napi_value set_up(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  char name[IFNAMSIZ];
  struct link_change wanted = {.set_up = true};
  if (!args_get(env, info, 2, argv) || !args_ifname(env, argv[0], false, name) ||
      !args_bool(env, argv[1], "up", &wanted.up)) {
    return NULL;
  }
  return change(env, "setLinkUp", name, &wanted);
}

static napi_value set_txqlen(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  char name[IFNAMSIZ];
  int64_t length;
  if (!args_get(env, info, 2, argv) || !args_ifname(env, argv[0], false, name) ||
      !args_int(env, argv[1], "length", 1, MAX_TXQLEN, &length)) {
    return NULL;
  }
  const struct link_change wanted = {.set_txqlen = true, .txqlen = (uint32_t)length};
  return change(env, "setLinkTxQueueLen", name, &wanted);
}

static napi_value move_link(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  char name[IFNAMSIZ];
  struct link_change wanted = {.set_netns = true};
  if (!args_get(env, info, 2, argv) || !args_ifname(env, argv[0], false, name) ||
      !args_fd(env, argv[1], "netnsFd", &wanted.netns_fd)) {
    return NULL;
  }
  return change(env, "moveLink", name, &wanted);
}

struct address_list {
  napi_env env;
  napi_value array;
  uint32_t count;
};

static void append(const char *text, void *context) {
  struct address_list *list = context;
  napi_value value;
  napi_create_string_utf8(list->env, text, NAPI_AUTO_LENGTH, &value);
  napi_set_element(list->env, list->array, list->count++, value);
}

static napi_value link_addresses(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  char name[IFNAMSIZ];
  struct address_list list = {.env = env};
  if (!args_get(env, info, 1, argv) || !args_ifname(env, argv[0], false, name)) return NULL;
  const unsigned ifindex = if_nametoindex(name);
  if (ifindex == 0) return throw_errno(env, errno, "linkAddresses", name);
  if (napi_create_array(env, &list.array) != napi_ok) return NULL;
  const int error = netlink_addresses((int)ifindex, append, &list);
  return error != 0 ? throw_errno(env, -error, "linkAddresses", name) : list.array;
}
