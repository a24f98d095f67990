/*
 * What happens to interfaces: a route socket that hears of every link of the
 * calling thread's network namespace, and of those namespaces that this one
 * has a number for, which a namespace gets when a link is moved to it.
 * `watchEvent` tells when there is something to read.
 */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "addon.h"
#include "args.h"
#include "link.h"
#include "netlink.h"

/* The kernel's parts of one message; more than any link takes. */
enum { RECEIVE_SIZE = 32768, RECEIVE_BUFFER = 1 << 20 };

static napi_value open_link_events(napi_env env, napi_callback_info info);
static napi_value read_link_events(napi_env env, napi_callback_info info);

bool link_watch_register(napi_env env, napi_value exports) {
  static const struct function functions[] = {
      {"openLinkEvents", open_link_events},
      {"readLinkEvents", read_link_events},
  };
  return register_functions(env, exports, functions, sizeof functions / sizeof *functions);
}

static int open_socket(void) {
  const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
  const int size = RECEIVE_BUFFER, yes = 1;
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
  if (fd < 0) return -errno;
  /* Best effort: what does not fit is told as an overflow, and other namespaces need a capability.
   */
  (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  (void)setsockopt(fd, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, &yes, sizeof yes);
  if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
    const int error = errno;
    close(fd);
    return -error;
  }
  return fd;
}

static napi_value open_link_events(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value result;
  const int fd = open_socket();
  if (fd < 0) return throw_errno(env, -fd, "openLinkEvents", "route socket");
  if (!fd_own(env, fd)) return NULL;
  return napi_create_int32(env, fd, &result) == napi_ok ? result : NULL;
}

static void set_property(napi_env env, napi_value object, const char *name, napi_value value) {
  napi_set_named_property(env, object, name, value);
}

/* @returns NULL for a message about something else, such as a bridge's port */
static napi_value event_of(napi_env env, const struct nlmsghdr *message) {
  const struct ifinfomsg *header = NLMSG_DATA(message);
  struct link_info link;
  char name[IFNAMSIZ];
  napi_value value;
  if (message->nlmsg_type != RTM_NEWLINK && message->nlmsg_type != RTM_DELLINK) return NULL;
  if (message->nlmsg_len < NLMSG_LENGTH(sizeof *header) || header->ifi_family != AF_UNSPEC) {
    return NULL;
  }
  netlink_read_link(message, &link, name);
  const napi_value event = link_info_value(env, &link);
  napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &value);
  set_property(env, event, "name", value);
  napi_get_boolean(env, message->nlmsg_type == RTM_DELLINK, &value);
  set_property(env, event, "gone", value);
  return event;
}

static napi_value events_of(napi_env env, const char *buffer, size_t size) {
  napi_value events;
  uint32_t count = 0;
  unsigned left = (unsigned)size;
  if (napi_create_array(env, &events) != napi_ok) return NULL;
  for (const struct nlmsghdr *m = (const struct nlmsghdr *)buffer; NLMSG_OK(m, left);
       m = NLMSG_NEXT(m, left)) {
    const napi_value event = event_of(env, m);
    if (event != NULL) napi_set_element(env, events, count++, event);
  }
  return events;
}

static napi_value null_value(napi_env env) {
  napi_value value;
  return napi_get_null(env, &value) == napi_ok ? value : NULL;
}

static napi_value read_link_events(napi_env env, napi_callback_info info) {
  napi_value argv[1], result;
  int fd;
  if (!args_get(env, info, 1, argv) || !args_fd(env, argv[0], "fd", &fd)) return NULL;
  char *buffer = malloc(RECEIVE_SIZE);
  if (buffer == NULL) return throw_errno_fd(env, ENOMEM, "readLinkEvents", fd);
  struct sockaddr_nl from = {0};
  socklen_t from_size = sizeof from;
  const ssize_t got =
      recvfrom(fd, buffer, RECEIVE_SIZE, MSG_DONTWAIT, (struct sockaddr *)&from, &from_size);
  if (got < 0 && errno == ENOBUFS) {
    /* Messages were lost. */
    result = null_value(env);
  } else if (got < 0 && errno == EAGAIN) {
    napi_get_undefined(env, &result);
  } else if (got < 0) {
    result = throw_errno_fd(env, errno, "readLinkEvents", fd);
  } else {
    /* Only the kernel is believed. */
    const bool is_kernel = from.nl_family == AF_NETLINK && from.nl_pid == 0;
    result = events_of(env, buffer, is_kernel ? (size_t)got : 0);
  }
  free(buffer);
  return result;
}
