/*
 * eventfds: how threads wake each other. A worker sleeps on one inside
 * `ioTurn`; the main thread watches one through libuv. It watches route sockets
 * (link-watch.c) in the same way, whose messages the callback reads itself.
 *
 * A watch polls a duplicate of the descriptor, so closing the original under
 * it does no harm. It has two holders, libuv's handle and the JavaScript
 * value, and is freed when both have let go.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "addon.h"
#include "args.h"

struct watch {
  struct held held;
  uv_poll_t poll;
  napi_env env;
  napi_ref callback;
  napi_async_context context;
  napi_async_cleanup_hook_handle hook;
  int fd;
  bool is_counter;
  int holders;
  bool closing;
};

static const char watch_type;

static napi_value open_event(napi_env env, napi_callback_info info);
static napi_value signal_event(napi_env env, napi_callback_info info);
static napi_value watch_event(napi_env env, napi_callback_info info);
static napi_value unwatch_event(napi_env env, napi_callback_info info);

bool event_register(napi_env env, napi_value exports) {
  static const struct function functions[] = {
      {"openEvent", open_event},
      {"signalEvent", signal_event},
      {"watchEvent", watch_event},
      {"unwatchEvent", unwatch_event},
  };
  return register_functions(env, exports, functions, sizeof functions / sizeof *functions);
}

static napi_value open_event(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value result;
  const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) return throw_errno(env, errno, "openEvent", "eventfd");
  if (!fd_own(env, fd)) return NULL;
  return napi_create_int32(env, fd, &result) == napi_ok ? result : NULL;
}

static napi_value signal_event(napi_env env, napi_callback_info info) {
  static const uint64_t one = 1;
  napi_value argv[1];
  int fd;
  if (!args_get(env, info, 1, argv) || !args_fd(env, argv[0], "fd", &fd)) return NULL;
  /* EAGAIN: the counter is full, so it is signalled all the more. */
  if (write(fd, &one, sizeof one) < 0 && errno != EAGAIN) {
    return throw_errno_fd(env, errno, "signalEvent", fd);
  }
  return NULL;
}

static void watch_release(struct watch *watch) {
  if (--watch->holders == 0) free(watch);
}

static void on_closed(uv_handle_t *handle) {
  struct watch *watch = handle->data;
  close(watch->fd);
  if (watch->hook != NULL) napi_remove_async_cleanup_hook(watch->hook);
  watch_release(watch);
}

/* Once: stops polling and lets go of the callback. */
static void watch_close(struct watch *watch) {
  if (watch->closing) return;
  watch->closing = true;
  uv_close((uv_handle_t *)&watch->poll, on_closed);
  napi_delete_reference(watch->env, watch->callback);
  napi_async_destroy(watch->env, watch->context);
}

static void on_cleanup(napi_async_cleanup_hook_handle hook, void *data) {
  (void)hook;
  watch_close(data);
}

static void on_dropped(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  held_remove(data);
  watch_release(data);
}

static void call_back(struct watch *watch) {
  napi_env env = watch->env;
  napi_value callback, global, error;
  if (napi_get_reference_value(env, watch->callback, &callback) != napi_ok ||
      napi_get_global(env, &global) != napi_ok) {
    return;
  }
  if (napi_make_callback(env, watch->context, global, callback, 0, NULL, NULL) ==
          napi_pending_exception &&
      napi_get_and_clear_last_exception(env, &error) == napi_ok) {
    napi_fatal_exception(env, error);
  }
}

static void on_ready(uv_poll_t *poll, int status, int events) {
  (void)status;
  (void)events;
  struct watch *watch = poll->data;
  uint64_t count;
  napi_handle_scope scope;
  if (watch->is_counter && read(watch->fd, &count, sizeof count) < 0) return;
  if (napi_open_handle_scope(watch->env, &scope) != napi_ok) return;
  call_back(watch);
  napi_close_handle_scope(watch->env, scope);
}

/* An eventfd has no name but this one; anything else could be misread as a counter. */
static bool is_eventfd(int fd) {
  char path[32], target[32] = "";
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return readlink(path, target, sizeof target - 1) > 0 &&
         strncmp(target, "anon_inode:[eventfd", 19) == 0;
}

static bool is_route_socket(int fd) {
  int domain = 0, protocol = -1;
  socklen_t size = sizeof domain;
  return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_NETLINK &&
         getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 &&
         protocol == NETLINK_ROUTE;
}

static bool start(napi_env env, struct watch *watch, napi_value callback) {
  uv_loop_t *loop;
  napi_value name;
  watch->env = env;
  watch->poll.data = watch;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return false;
  if (uv_poll_init(loop, &watch->poll, watch->fd) != 0) return false;
  watch->holders = 1;
  napi_create_string_utf8(env, "tapflow:event", NAPI_AUTO_LENGTH, &name);
  napi_async_init(env, NULL, name, &watch->context);
  napi_create_reference(env, callback, 1, &watch->callback);
  napi_add_async_cleanup_hook(env, on_cleanup, watch, &watch->hook);
  return uv_poll_start(&watch->poll, UV_READABLE, on_ready) == 0;
}

static napi_value watch_event(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  napi_valuetype type;
  int fd;
  if (!args_get(env, info, 2, argv) || !args_fd(env, argv[0], "fd", &fd)) return NULL;
  if (napi_typeof(env, argv[1], &type) != napi_ok || type != napi_function) {
    return args_type_error(env, "callback", "a function");
  }
  const bool is_counter = is_eventfd(fd);
  if (!is_counter && !is_route_socket(fd)) return throw_errno_fd(env, EBADF, "watchEvent", fd);
  struct watch *watch = calloc(1, sizeof *watch);
  if (watch == NULL) return throw_errno_fd(env, ENOMEM, "watchEvent", fd);
  watch->is_counter = is_counter;
  watch->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (watch->fd < 0) {
    const int error = errno;
    free(watch);
    return throw_errno_fd(env, error, "watchEvent", fd);
  }
  const bool started = start(env, watch, argv[1]);
  if (watch->holders == 0) {
    close(watch->fd);
    free(watch);
    return throw_errno_fd(env, EINVAL, "watchEvent", fd);
  }
  const napi_value result = started ? held_wrap(env, &watch->held, &watch_type, on_dropped) : NULL;
  if (result == NULL) {
    watch_close(watch);
    return throw_errno_fd(env, EINVAL, "watchEvent", fd);
  }
  watch->holders++;
  return result;
}

static napi_value unwatch_event(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  if (!args_get(env, info, 1, argv)) return NULL;
  struct held *held = held_find(env, argv[0], &watch_type);
  if (held == NULL) return args_type_error(env, "watch", "what watchEvent returned");
  watch_close((struct watch *)held);
  return NULL;
}
