/*
 * The two TAPs that limit.c and limit-uring.c forward between: the same
 * virtio-net header, offloads and queue length as tapflow's own.
 */
#ifndef TAP_H
#define TAP_H

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "program.h"

/* Linux 6.2. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

enum {
  /* Frames taken from one port between polls. */
  BATCH = 64,
  /* A super-frame with its header. */
  FRAME_MAX = 65536 + 512,
  TX_QUEUE_LENGTH = 1000,
};

static inline void set_queue_length(const char *name) {
  struct ifreq request = {.ifr_qlen = TX_QUEUE_LENGTH};
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (fd < 0 || ioctl(fd, SIOCSIFTXQLEN, &request) < 0) fail(name);
  close(fd);
}

static inline int open_tap(const char *name) {
  struct ifreq request = {.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)};
  const unsigned checksum = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
  const int header_size = sizeof(struct virtio_net_hdr);
  const int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0 ||
      ioctl(fd, TUNSETVNETHDRSZ, &header_size) < 0) {
    fail(name);
  }
  if (ioctl(fd, TUNSETOFFLOAD, checksum | TUN_F_USO4 | TUN_F_USO6) < 0 &&
      ioctl(fd, TUNSETOFFLOAD, checksum) < 0) {
    fail(name);
  }
  set_queue_length(name);
  return fd;
}

struct tap_arguments {
  const char *names[2];
  int cpu;
};

/* [-c CPU] TAP TAP */
static inline struct tap_arguments parse_tap_arguments(int argc, char **argv) {
  struct tap_arguments result = {.cpu = -1};
  int option;
  while ((option = getopt(argc, argv, "c:")) == 'c') result.cpu = atoi(optarg);
  if (option != -1 || argc - optind != 2) {
    fprintf(stderr, "usage: %s [-c CPU] TAP TAP\n", argv[0]);
    exit(2);
  }
  result.names[0] = argv[optind];
  result.names[1] = argv[optind + 1];
  return result;
}

static inline void say_ready(void) {
  puts("ready");
  fflush(stdout);
}

#endif
