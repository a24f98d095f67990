/*
 * TAP devices: open by name, adopt from a descriptor, offloads, queues.
 *
 * Every TAP carries a virtio-net header before each frame. A device made here
 * vanishes with its last descriptor, unless it is told to persist.
 */
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "addon.h"
#include "args.h"
#include "compat.h"

static napi_value open_tap(napi_env env, napi_callback_info info);
static napi_value adopt_tap(napi_env env, napi_callback_info info);
static napi_value set_tap_queue(napi_env env, napi_callback_info info);

bool tap_register(napi_env env, napi_value exports) {
  static const struct function functions[] = {
      {"openTap", open_tap},
      {"adoptTap", adopt_tap},
      {"setTapQueue", set_tap_queue},
  };
  return register_functions(env, exports, functions, sizeof functions / sizeof *functions);
}

int tap_open(char name[IFNAMSIZ], bool multi_queue, bool persist) {
  struct ifreq request = {.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)};
  const int header_size = sizeof(struct virtio_net_hdr);
  const int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return -errno;
  memcpy(request.ifr_name, name, IFNAMSIZ);
  if (multi_queue) request.ifr_flags |= IFF_MULTI_QUEUE;
  if (ioctl(fd, TUNSETIFF, &request) < 0 || ioctl(fd, TUNSETVNETHDRSZ, &header_size) < 0 ||
      (persist && ioctl(fd, TUNSETPERSIST, 1) < 0)) {
    const int error = errno;
    close(fd);
    return -error;
  }
  memcpy(name, request.ifr_name, IFNAMSIZ);
  return fd;
}

static unsigned tun_features(int offloads) {
  unsigned features = 0;
  if (offloads & OFFLOAD_CSUM) features |= TUN_F_CSUM;
  if (offloads & OFFLOAD_TSO4) features |= TUN_F_TSO4;
  if (offloads & OFFLOAD_TSO6) features |= TUN_F_TSO6;
  if (offloads & OFFLOAD_USO) features |= TUN_F_USO4 | TUN_F_USO6;
  return features;
}

/* Drops the youngest offload until the kernel agrees. The others rest on checksum offload. */
static int set_offloads(int fd, int wanted) {
  static const int youngest_first[] = {OFFLOAD_USO, OFFLOAD_TSO6, OFFLOAD_TSO4, OFFLOAD_CSUM};
  if (!(wanted & OFFLOAD_CSUM)) wanted = 0;
  for (size_t i = 0; ioctl(fd, TUNSETOFFLOAD, tun_features(wanted)) < 0; i++) {
    if (wanted == 0 || i == sizeof youngest_first / sizeof *youngest_first) return 0;
    wanted &= ~youngest_first[i];
  }
  return wanted;
}

struct tap_options {
  char name[IFNAMSIZ];
  bool multi_queue;
  bool persist;
  int64_t offloads;
};

static bool get_options(napi_env env, napi_value object, struct tap_options *out) {
  napi_value value;
  bool present;
  memset(out, 0, sizeof *out);
  return args_property(env, object, "name", &value, &present) &&
         args_ifname(env, value, true, out->name) &&
         args_property(env, object, "multiQueue", &value, &present) &&
         (!present || args_bool(env, value, "multiQueue", &out->multi_queue)) &&
         args_property(env, object, "persist", &value, &present) &&
         (!present || args_bool(env, value, "persist", &out->persist)) &&
         args_property(env, object, "offloads", &value, &present) &&
         (!present || args_int(env, value, "offloads", 0, 15, &out->offloads));
}

static napi_value open_tap(napi_env env, napi_callback_info info) {
  napi_value argv[1], result, value;
  struct tap_options options;
  if (!args_get(env, info, 1, argv) || !get_options(env, argv[0], &options)) return NULL;
  const int fd = tap_open(options.name, options.multi_queue, options.persist);
  if (fd < 0) return throw_errno(env, -fd, "openTap", options.name);
  if (!fd_own(env, fd)) return NULL;
  const int offloads = set_offloads(fd, (int)options.offloads);
  napi_create_object(env, &result);
  napi_create_int32(env, fd, &value);
  napi_set_named_property(env, result, "fd", value);
  napi_create_string_utf8(env, options.name, NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, result, "name", value);
  napi_create_int32(env, offloads, &value);
  napi_set_named_property(env, result, "offloads", value);
  return result;
}

static napi_value adopt_tap(napi_env env, napi_callback_info info) {
  napi_value argv[1], result, value;
  struct ifreq request = {0};
  int given;
  if (!args_get(env, info, 1, argv) || !args_fd(env, argv[0], "fd", &given)) return NULL;
  const int fd = fcntl(given, F_DUPFD_CLOEXEC, 3);
  if (fd < 0) return throw_errno_fd(env, errno, "adoptTap", given);
  if (ioctl(fd, TUNGETIFF, &request) < 0 || !(request.ifr_flags & IFF_TAP)) {
    close(fd);
    return throw_errno_fd(env, ENOTTY, "adoptTap", given);
  }
  /* The flag belongs to the open file, hence to the original as well. */
  if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
    const int error = errno;
    close(fd);
    return throw_errno_fd(env, error, "adoptTap", given);
  }
  if (!fd_own(env, fd)) return NULL;
  napi_create_object(env, &result);
  napi_create_int32(env, fd, &value);
  napi_set_named_property(env, result, "fd", value);
  napi_create_string_utf8(env, request.ifr_name, strnlen(request.ifr_name, IFNAMSIZ), &value);
  napi_set_named_property(env, result, "name", value);
  napi_get_boolean(env, request.ifr_flags & IFF_MULTI_QUEUE, &value);
  napi_set_named_property(env, result, "multiQueue", value);
  napi_get_boolean(env, request.ifr_flags & IFF_VNET_HDR, &value);
  napi_set_named_property(env, result, "vnetHeader", value);
  return result;
}

static napi_value set_tap_queue(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  int fd;
  bool attached;
  if (!args_get(env, info, 2, argv) || !args_fd(env, argv[0], "fd", &fd) ||
      !args_bool(env, argv[1], "attached", &attached)) {
    return NULL;
  }
  struct ifreq request = {.ifr_flags = attached ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE};
  if (ioctl(fd, TUNSETQUEUE, &request) < 0) return throw_errno_fd(env, errno, "setTapQueue", fd);
  return NULL;
}
