/*
 * Network namespaces: opening one, and settings made inside it.
 *
 * A thread that enters a namespace would take Node's thread with it, so that
 * happens on a short-lived thread that does nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "addon.h"
#include "args.h"
#include "compat.h"
#include "link.h"
#include "netlink.h"

enum { MAX_ADDRESSES = 64 };

/* What the thread is to do, and what came of it. */
struct settings {
  int netns_fd;
  char name[IFNAMSIZ];
  struct link_info link;
  struct link_change change;
  uint32_t address_count;
  struct ip_address addresses[MAX_ADDRESSES];
  int error;
};

static napi_value open_netns(napi_env env, napi_callback_info info);
static napi_value configure_in_netns(napi_env env, napi_callback_info info);
static napi_value link_info_in_netns(napi_env env, napi_callback_info info);
static napi_value tap_netns(napi_env env, napi_callback_info info);
static napi_value tap_info(napi_env env, napi_callback_info info);

bool netns_register(napi_env env, napi_value exports) {
  static const struct function functions[] = {
      {"openNetns", open_netns},
      {"configureInNetns", configure_in_netns},
      {"linkInfoInNetns", link_info_in_netns},
      {"tapNetns", tap_netns},
      {"tapInfo", tap_info},
  };
  return register_functions(env, exports, functions, sizeof functions / sizeof *functions);
}

static napi_value open_netns(napi_env env, napi_callback_info info) {
  napi_value argv[1], result;
  char path[PATH_MAX];
  if (!args_get(env, info, 1, argv) || !args_string(env, argv[0], "path", sizeof path, path)) {
    return NULL;
  }
  const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return throw_errno(env, errno, "openNetns", path);
  if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET) {
    close(fd);
    return throw_errno(env, EINVAL, "openNetns", path);
  }
  if (!fd_own(env, fd)) return NULL;
  return napi_create_int32(env, fd, &result) == napi_ok ? result : NULL;
}

static int configure(struct settings *settings) {
  const struct link_change *change = &settings->change;
  int error = netlink_get_link(settings->name, &settings->link);
  if (error == 0 && (change->set_mac || change->set_mtu || change->set_up)) {
    error = netlink_change_link(settings->name, change);
  }
  for (uint32_t i = 0; error == 0 && i < settings->address_count; i++) {
    error = netlink_add_address(settings->link.ifindex, &settings->addresses[i]);
  }
  return error;
}

static void *run(void *context) {
  struct settings *settings = context;
  const bool is_there = setns(settings->netns_fd, CLONE_NEWNET) == 0;
  settings->error = is_there ? configure(settings) : -errno;
  return NULL;
}

static bool is_own_netns(int netns_fd) {
  struct stat own, other;
  return stat("/proc/thread-self/ns/net", &own) == 0 && fstat(netns_fd, &other) == 0 &&
         own.st_ino == other.st_ino && own.st_dev == other.st_dev;
}

static bool get_addresses(napi_env env, napi_value list, struct settings *out) {
  napi_value value;
  char text[ADDRESS_TEXT_SIZE];
  if (napi_get_array_length(env, list, &out->address_count) != napi_ok) {
    args_type_error(env, "addresses", "an array of strings such as \"10.0.0.1/24\"");
    return false;
  }
  if (out->address_count > MAX_ADDRESSES) {
    args_range_error(env, "addresses", "at most 64 addresses");
    return false;
  }
  for (uint32_t i = 0; i < out->address_count; i++) {
    if (napi_get_element(env, list, i, &value) != napi_ok ||
        !args_string(env, value, "address", sizeof text, text)) {
      return false;
    }
    if (!ip_address_parse(text, &out->addresses[i])) {
      args_range_error(env, "address", "an address with its prefix, such as \"10.0.0.1/24\"");
      return false;
    }
  }
  return true;
}

static bool get_settings(napi_env env, napi_value object, struct settings *out) {
  struct link_change *change = &out->change;
  napi_value value;
  bool has_addresses;
  int64_t mtu = 0;
  if (!args_property(env, object, "up", &value, &change->set_up) ||
      (change->set_up && !args_bool(env, value, "up", &change->up)) ||
      !args_property(env, object, "mtu", &value, &change->set_mtu) ||
      (change->set_mtu && !args_int(env, value, "mtu", 68, 65535, &mtu)) ||
      !args_property(env, object, "mac", &value, &change->set_mac) ||
      (change->set_mac && !args_mac(env, value, change->mac)) ||
      !args_property(env, object, "addresses", &value, &has_addresses)) {
    return false;
  }
  change->mtu = (uint32_t)mtu;
  return !has_addresses || get_addresses(env, value, out);
}

/* Only elsewhere does it take a thread. */
static int run_in_netns(struct settings *settings) {
  pthread_t thread;
  if (is_own_netns(settings->netns_fd)) return configure(settings);
  const int error = -pthread_create(&thread, NULL, run, settings);
  if (error != 0) return error;
  pthread_join(thread, NULL);
  return settings->error;
}

/* Throws what went wrong there under the name of `call`. */
static bool run_there(napi_env env, struct settings *settings, const char *call) {
  const int error = run_in_netns(settings);
  if (error != 0) throw_errno(env, -error, call, settings->name);
  return error == 0;
}

static napi_value configure_in_netns(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  struct settings settings;
  memset(&settings, 0, sizeof settings);
  if (args_get(env, info, 3, argv) && args_fd(env, argv[0], "netnsFd", &settings.netns_fd) &&
      args_ifname(env, argv[1], false, settings.name) && get_settings(env, argv[2], &settings)) {
    run_there(env, &settings, "configureInNetns");
  }
  return NULL;
}

static napi_value link_info_in_netns(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  struct settings settings;
  memset(&settings, 0, sizeof settings);
  if (!args_get(env, info, 2, argv) || !args_fd(env, argv[0], "netnsFd", &settings.netns_fd) ||
      !args_ifname(env, argv[1], false, settings.name) ||
      !run_there(env, &settings, "linkInfoInNetns")) {
    return NULL;
  }
  return link_info_value(env, &settings.link);
}

static napi_value tap_netns(napi_env env, napi_callback_info info) {
  napi_value argv[1], result;
  int fd;
  if (!args_get(env, info, 1, argv) || !args_fd(env, argv[0], "fd", &fd)) return NULL;
  const int netns_fd = ioctl(fd, TUNGETDEVNETNS);
  if (netns_fd < 0) return throw_errno_fd(env, errno, "tapNetns", fd);
  if (!fd_own(env, netns_fd)) return NULL;
  return napi_create_int32(env, netns_fd, &result) == napi_ok ? result : NULL;
}

static napi_value tap_info(napi_env env, napi_callback_info info) {
  napi_value argv[1], name;
  int fd;
  struct ifreq request = {0};
  struct settings settings;
  memset(&settings, 0, sizeof settings);
  if (!args_get(env, info, 1, argv) || !args_fd(env, argv[0], "fd", &fd)) return NULL;
  if (ioctl(fd, TUNGETIFF, &request) < 0) return throw_errno_fd(env, errno, "tapInfo", fd);
  memcpy(settings.name, request.ifr_name, IFNAMSIZ);
  settings.netns_fd = ioctl(fd, TUNGETDEVNETNS);
  if (settings.netns_fd < 0) return throw_errno_fd(env, errno, "tapInfo", fd);
  const bool found = run_there(env, &settings, "tapInfo");
  close(settings.netns_fd);
  if (!found) return NULL;
  const napi_value result = link_info_value(env, &settings.link);
  napi_create_string_utf8(env, settings.name, strnlen(settings.name, IFNAMSIZ), &name);
  napi_set_named_property(env, result, "name", name);
  return result;
}
