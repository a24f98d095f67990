/*
 * The little of rtnetlink that links and addresses need; see netlink.h.
 */
#include "netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A part of a message; returns 0 to go on. */
typedef int (*message_handler)(const struct nlmsghdr *message, void *context);

static int transact(struct netlink_request *request, message_handler handle, void *context);
static void *request_begin(struct netlink_request *request, uint16_t type, uint16_t flags,
                           size_t size);
static void add_attribute(struct netlink_request *request, uint16_t type, const void *data,
                          size_t size);

void netlink_read_link(const struct nlmsghdr *message, struct link_info *out, char name[IFNAMSIZ]) {
  const struct ifinfomsg *link = NLMSG_DATA(message);
  int left = (int)IFLA_PAYLOAD(message);
  memset(out, 0, sizeof *out);
  memset(name, 0, IFNAMSIZ);
  out->ifindex = link->ifi_index;
  out->flags = link->ifi_flags;
  for (const struct rtattr *a = IFLA_RTA(link); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
    if (a->rta_type == IFLA_MTU) memcpy(&out->mtu, RTA_DATA(a), sizeof out->mtu);
    if (a->rta_type == IFLA_ADDRESS && RTA_PAYLOAD(a) == sizeof out->mac) {
      memcpy(out->mac, RTA_DATA(a), sizeof out->mac);
    }
    if (a->rta_type == IFLA_IFNAME && RTA_PAYLOAD(a) <= IFNAMSIZ) {
      memcpy(name, RTA_DATA(a), RTA_PAYLOAD(a));
    }
  }
  name[IFNAMSIZ - 1] = '\0';
}

static int read_link(const struct nlmsghdr *message, void *context) {
  char name[IFNAMSIZ];
  if (message->nlmsg_type == RTM_NEWLINK) netlink_read_link(message, context, name);
  return 0;
}

int netlink_get_link(const char *name, struct link_info *out) {
  struct netlink_request request;
  memset(out, 0, sizeof *out);
  request_begin(&request, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
  add_attribute(&request, IFLA_IFNAME, name, strlen(name) + 1);
  const int error = transact(&request, read_link, out);
  return error != 0 ? error : out->ifindex == 0 ? -ENODEV : 0;
}

int netlink_change_link(const char *name, const struct link_change *change) {
  struct netlink_request request;
  struct ifinfomsg *link =
      request_begin(&request, RTM_NEWLINK, NLM_F_ACK, sizeof(struct ifinfomsg));
  add_attribute(&request, IFLA_IFNAME, name, strlen(name) + 1);
  if (change->set_mac) add_attribute(&request, IFLA_ADDRESS, change->mac, sizeof change->mac);
  if (change->set_mtu) add_attribute(&request, IFLA_MTU, &change->mtu, sizeof change->mtu);
  if (change->set_txqlen) {
    add_attribute(&request, IFLA_TXQLEN, &change->txqlen, sizeof change->txqlen);
  }
  if (change->set_netns) {
    add_attribute(&request, IFLA_NET_NS_FD, &change->netns_fd, sizeof change->netns_fd);
  }
  if (change->set_up) {
    link->ifi_change = IFF_UP;
    link->ifi_flags = change->up ? IFF_UP : 0;
  }
  return transact(&request, NULL, NULL);
}

int netlink_add_address(int ifindex, const struct ip_address *address) {
  struct netlink_request request;
  const size_t size = address->family == AF_INET ? 4 : 16;
  /* Duplicate detection would keep a v6 address unusable for its first second. */
  const uint32_t flags = IFA_F_NODAD;
  struct ifaddrmsg *body = request_begin(
      &request, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifaddrmsg));
  body->ifa_family = (uint8_t)address->family;
  body->ifa_prefixlen = address->prefix;
  body->ifa_index = (uint32_t)ifindex;
  add_attribute(&request, IFA_LOCAL, address->bytes, size);
  add_attribute(&request, IFA_ADDRESS, address->bytes, size);
  if (address->family == AF_INET6) add_attribute(&request, IFA_FLAGS, &flags, sizeof flags);
  const int error = transact(&request, NULL, NULL);
  return error == -EEXIST ? 0 : error;
}

struct address_walk {
  int ifindex;
  void (*found)(const char *text, void *context);
  void *context;
};

static bool is_link_local(const struct ifaddrmsg *address, const uint8_t *bytes) {
  if (address->ifa_scope == RT_SCOPE_LINK) return true;
  return address->ifa_family == AF_INET && bytes[0] == 169 && bytes[1] == 254;
}

static int read_address(const struct nlmsghdr *message, void *context) {
  const struct address_walk *walk = context;
  if (message->nlmsg_type != RTM_NEWADDR) return 0;
  const struct ifaddrmsg *address = NLMSG_DATA(message);
  int left = (int)IFA_PAYLOAD(message);
  const uint8_t *bytes = NULL;
  char text[INET6_ADDRSTRLEN], full[ADDRESS_TEXT_SIZE];
  if ((int)address->ifa_index != walk->ifindex) return 0;
  for (const struct rtattr *a = IFA_RTA(address); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
    /* On point-to-point links IFA_ADDRESS is the peer's, IFA_LOCAL ours. */
    if (a->rta_type == IFA_LOCAL || (a->rta_type == IFA_ADDRESS && bytes == NULL)) {
      bytes = RTA_DATA(a);
    }
  }
  if (bytes == NULL || is_link_local(address, bytes) ||
      inet_ntop(address->ifa_family, bytes, text, sizeof text) == NULL) {
    return 0;
  }
  snprintf(full, sizeof full, "%s/%u", text, address->ifa_prefixlen);
  walk->found(full, walk->context);
  return 0;
}

int netlink_addresses(int ifindex, void (*found)(const char *text, void *context), void *context) {
  struct netlink_request request;
  struct address_walk walk = {ifindex, found, context};
  request_begin(&request, RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg));
  return transact(&request, read_address, &walk);
}

bool ip_address_parse(const char *text, struct ip_address *out) {
  char host[ADDRESS_TEXT_SIZE];
  const char *slash = strchr(text, '/');
  if (slash == NULL || (size_t)(slash - text) >= sizeof host) return false;
  memcpy(host, text, (size_t)(slash - text));
  host[slash - text] = '\0';
  out->family = strchr(host, ':') != NULL ? AF_INET6 : AF_INET;
  const size_t digits = strspn(slash + 1, "0123456789");
  if (digits == 0 || digits > 3 || slash[1 + digits] != '\0') return false;
  const int prefix = atoi(slash + 1);
  out->prefix = (uint8_t)prefix;
  return prefix <= (out->family == AF_INET ? 32 : 128) &&
         inet_pton(out->family, host, out->bytes) == 1;
}

/* @returns the zeroed family header of `size` bytes */
static void *request_begin(struct netlink_request *request, uint16_t type, uint16_t flags,
                           size_t size) {
  memset(request, 0, sizeof *request);
  request->header.nlmsg_len = (uint32_t)NLMSG_LENGTH(size);
  request->header.nlmsg_type = type;
  request->header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
  request->header.nlmsg_seq = 1;
  return NLMSG_DATA(&request->header);
}

/* Our attributes are few and short: they always fit NETLINK_REQUEST_SIZE. */
static void add_attribute(struct netlink_request *request, uint16_t type, const void *data,
                          size_t size) {
  struct rtattr *attribute =
      (struct rtattr *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));
  attribute->rta_type = type;
  attribute->rta_len = (unsigned short)RTA_LENGTH(size);
  memcpy(RTA_DATA(attribute), data, size);
  request->header.nlmsg_len =
      NLMSG_ALIGN(request->header.nlmsg_len) + (uint32_t)RTA_ALIGN(attribute->rta_len);
}

/* @returns 1 when the answer is complete, 0 when more comes, or -errno */
static int handle_part(const struct nlmsghdr *message, message_handler handle, void *context,
                       bool dump) {
  if (message->nlmsg_type == NLMSG_DONE) return 1;
  if (message->nlmsg_type == NLMSG_ERROR) {
    const struct nlmsgerr *answer = NLMSG_DATA(message);
    return answer->error != 0 ? answer->error : 1;
  }
  const int error = handle == NULL ? 0 : handle(message, context);
  /* A plain get is answered by one message without an acknowledgement. */
  return error != 0 ? error : dump ? 0 : 1;
}

static int receive(int fd, message_handler handle, void *context, bool dump) {
  /* The kernel fills at most 32 KiB of a dump at a time. */
  const size_t size = 32768;
  char *buffer = malloc(size);
  if (buffer == NULL) return -ENOMEM;
  int state = 0;
  while (state == 0) {
    const ssize_t got = recv(fd, buffer, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      state = got < 0 ? -errno : -EIO;
      break;
    }
    unsigned left = (unsigned)got;
    for (struct nlmsghdr *m = (struct nlmsghdr *)buffer; state == 0 && NLMSG_OK(m, left);
         m = NLMSG_NEXT(m, left)) {
      state = handle_part(m, handle, context, dump);
    }
  }
  free(buffer);
  return state < 0 ? state : 0;
}

static int transact(struct netlink_request *request, message_handler handle, void *context) {
  const bool dump = (request->header.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return -errno;
  int error;
  if (send(fd, request, request->header.nlmsg_len, 0) < 0) {
    error = -errno;
  } else {
    error = receive(fd, handle, context, dump);
  }
  close(fd);
  return error;
}
