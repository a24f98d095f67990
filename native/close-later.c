/*
 * Closing a descriptor in libuv's thread pool. The last one of a TAP takes the
 * device with it, and the kernel lets the caller wait until nobody can be using
 * that any more: some 20 ms, for each.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "addon.h"
#include "args.h"

struct closing {
  napi_async_work work;
  napi_deferred deferred;
  int fd;
};

static napi_value close_fd_later(napi_env env, napi_callback_info info);

bool close_later_register(napi_env env, napi_value exports) {
  static const struct function functions[] = {{"closeFdLater", close_fd_later}};
  return register_functions(env, exports, functions, sizeof functions / sizeof *functions);
}

static void execute(napi_env env, void *data) {
  (void)env;
  const struct closing *closing = data;
  close(closing->fd);
}

static void complete(napi_env env, napi_status status, void *data) {
  struct closing *closing = data;
  napi_value undefined;
  /* Cancelled as the environment ends: it has not been closed. */
  if (status != napi_ok) close(closing->fd);
  if (napi_get_undefined(env, &undefined) == napi_ok) {
    napi_resolve_deferred(env, closing->deferred, undefined);
  }
  napi_delete_async_work(env, closing->work);
  free(closing);
}

static bool start(napi_env env, struct closing *closing, napi_value *promise) {
  napi_value name;
  if (napi_create_string_utf8(env, "tapflow:close", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_async_work(env, NULL, name, execute, complete, closing, &closing->work) !=
          napi_ok) {
    return false;
  }
  if (napi_create_promise(env, &closing->deferred, promise) == napi_ok &&
      napi_queue_async_work(env, closing->work) == napi_ok) {
    return true;
  }
  napi_delete_async_work(env, closing->work);
  return false;
}

static napi_value close_fd_later(napi_env env, napi_callback_info info) {
  napi_value argv[1], promise;
  int fd;
  if (!args_get(env, info, 1, argv) || !args_fd(env, argv[0], "fd", &fd)) return NULL;
  if (!fd_disown(env, fd)) return throw_errno_fd(env, EBADF, "close", fd);
  struct closing *closing = malloc(sizeof *closing);
  if (closing != NULL) {
    closing->fd = fd;
    if (start(env, closing, &promise)) return promise;
    free(closing);
  }
  close(fd);
  return throw_errno_fd(env, ENOMEM, "close", fd);
}
