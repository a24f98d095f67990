/*
 * The little of rtnetlink that links and addresses need: one request on a
 * socket of its own, its answer, no caching. Everything works in the calling
 * thread's network namespace and returns 0 or -errno.
 */
#ifndef TAPFLOW_NETLINK_H
#define TAPFLOW_NETLINK_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NETLINK_REQUEST_SIZE = 512, ADDRESS_TEXT_SIZE = 64 };

/* A request being put together. */
struct netlink_request {
  struct nlmsghdr header;
  char body[NETLINK_REQUEST_SIZE];
};

/* An interface's changes; only those marked are made, all in one request. */
struct link_change {
  bool set_mac, set_mtu, set_up, set_txqlen, set_netns;
  uint8_t mac[6];
  uint32_t mtu;
  bool up;
  uint32_t txqlen;
  int netns_fd;
};

struct link_info {
  int ifindex;
  uint32_t flags;
  uint32_t mtu;
  uint8_t mac[6];
};

struct ip_address {
  int family;
  uint8_t bytes[16];
  uint8_t prefix;
};

/* What an RTM_NEWLINK or RTM_DELLINK message tells; what it leaves out is zero. */
void netlink_read_link(const struct nlmsghdr *message, struct link_info *out, char name[IFNAMSIZ]);
int netlink_get_link(const char *name, struct link_info *out);
int netlink_change_link(const char *name, const struct link_change *change);
/* An address that is there already is no error. */
int netlink_add_address(int ifindex, const struct ip_address *address);
/* Calls back with each address ("10.0.0.1/24") of an interface that is not link-local. */
int netlink_addresses(int ifindex, void (*found)(const char *text, void *context), void *context);

/* "10.0.0.1/24" or "fd00::1/64". */
bool ip_address_parse(const char *text, struct ip_address *out);

#endif
