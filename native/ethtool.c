/*
 * What a device's driver tells about itself and its link, in the calling
 * thread's network namespace.
 */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "addon.h"
#include "args.h"

static napi_value link_driver(napi_env env, napi_callback_info info);

bool ethtool_register(napi_env env, napi_value exports) {
  static const struct function functions[] = {{"linkDriver", link_driver}};
  return register_functions(env, exports, functions, sizeof functions / sizeof *functions);
}

/* @returns whether the driver has an answer */
static bool ask(int fd, const char *name, void *command) {
  struct ifreq request = {.ifr_data = command};
  memcpy(request.ifr_name, name, IFNAMSIZ);
  return ioctl(fd, SIOCETHTOOL, &request) == 0;
}

static void set_text(napi_env env, napi_value object, const char *name, const char *text,
                     size_t room) {
  napi_value value;
  napi_create_string_utf8(env, text, strnlen(text, room), &value);
  napi_set_named_property(env, object, name, value);
}

static void set_number(napi_env env, napi_value object, const char *name, uint32_t number) {
  napi_value value;
  napi_create_uint32(env, number, &value);
  napi_set_named_property(env, object, name, value);
}

static napi_value link_driver(napi_env env, napi_callback_info info) {
  napi_value argv[1], result;
  char name[IFNAMSIZ];
  struct ethtool_drvinfo driver = {.cmd = ETHTOOL_GDRVINFO};
  struct ethtool_cmd link = {.cmd = ETHTOOL_GSET};
  if (!args_get(env, info, 1, argv) || !args_ifname(env, argv[0], false, name)) return NULL;
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return throw_errno(env, errno, "linkDriver", name);
  const bool has_driver = ask(fd, name, &driver);
  const int error = errno;
  const bool has_link = ask(fd, name, &link);
  close(fd);
  if (!has_driver) return throw_errno(env, error, "linkDriver", name);
  if (napi_create_object(env, &result) != napi_ok) return NULL;
  set_text(env, result, "driver", driver.driver, sizeof driver.driver);
  set_text(env, result, "version", driver.version, sizeof driver.version);
  set_text(env, result, "firmware", driver.fw_version, sizeof driver.fw_version);
  set_number(env, result, "speed", has_link ? ethtool_cmd_speed(&link) : 0);
  set_number(env, result, "duplex", has_link ? link.duplex : DUPLEX_UNKNOWN);
  return result;
}
