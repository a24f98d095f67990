/*
 * Packet sockets on interfaces that exist already.
 *
 * Frames carry a virtio-net header here as on a TAP (PACKET_VNET_HDR). The
 * socket is made for no protocol and hears nothing until it is bound, so no
 * frame of another interface gets in.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "addon.h"
#include "args.h"
#include "compat.h"

static napi_value open_packet(napi_env env, napi_callback_info info);

bool packet_register(napi_env env, napi_value exports) {
  static const struct function functions[] = {{"openPacket", open_packet}};
  return register_functions(env, exports, functions, sizeof functions / sizeof *functions);
}

/*
 * The default of 208 KiB holds three super-frames or some 270 small frames,
 * less than one burst. Above net.core.?mem_max only with CAP_NET_ADMIN, which a
 * packet socket's owner usually has; if not, what the limit allows will do.
 */
static const int BUFFER_SIZE = 4 << 20;

static void set_buffer(int fd, int forced, int plain) {
  if (setsockopt(fd, SOL_SOCKET, forced, &BUFFER_SIZE, sizeof BUFFER_SIZE) < 0) {
    setsockopt(fd, SOL_SOCKET, plain, &BUFFER_SIZE, sizeof BUFFER_SIZE);
  }
}

static int configure(int fd, int ifindex) {
  const int on = 1;
  const struct packet_mreq promiscuous = {.mr_ifindex = ifindex, .mr_type = PACKET_MR_PROMISC};
  const struct sockaddr_ll address = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = ifindex};
  if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) < 0 ||
      setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on) < 0 ||
      setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0 ||
      setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof promiscuous) < 0) {
    return -errno;
  }
  set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
  set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF);
  return bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ? -errno : 0;
}

static napi_value open_packet(napi_env env, napi_callback_info info) {
  napi_value argv[1], result, value;
  char name[IFNAMSIZ];
  if (!args_get(env, info, 1, argv) || !args_ifname(env, argv[0], false, name)) return NULL;
  const unsigned ifindex = if_nametoindex(name);
  if (ifindex == 0) return throw_errno(env, errno, "openPacket", name);
  const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return throw_errno(env, errno, "openPacket", name);
  const int error = -configure(fd, (int)ifindex);
  if (error != 0) {
    close(fd);
    return throw_errno(env, error, "openPacket", name);
  }
  if (!fd_own(env, fd)) return NULL;
  napi_create_object(env, &result);
  napi_create_int32(env, fd, &value);
  napi_set_named_property(env, result, "fd", value);
  napi_create_uint32(env, ifindex, &value);
  napi_set_named_property(env, result, "ifindex", value);
  return result;
}
