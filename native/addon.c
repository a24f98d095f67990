/*
 * The addon's door: registers the functions of the other files, makes and
 * throws TapflowErrors, and keeps the instance that addon.h describes.
 */
#include "addon.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"

static napi_value set_error_class(napi_env env, napi_callback_info info);
static napi_value close_fd(napi_env env, napi_callback_info info);
static void instance_free(napi_env env, void *data, void *hint);

static const struct function functions[] = {
    {"setErrorClass", set_error_class},
    {"closeFd", close_fd},
};

NAPI_MODULE_INIT() {
  struct instance *instance = calloc(1, sizeof *instance);
  if (instance == NULL) return NULL;
  if (napi_set_instance_data(env, instance, instance_free, NULL) != napi_ok) {
    free(instance);
    return NULL;
  }
  const bool ok =
      register_functions(env, exports, functions, sizeof functions / sizeof *functions) &&
      tap_register(env, exports) && packet_register(env, exports) && link_register(env, exports) &&
      netns_register(env, exports) && event_register(env, exports) &&
      process_register(env, exports) && io_register(env, exports) &&
      link_watch_register(env, exports) && ethtool_register(env, exports) &&
      close_later_register(env, exports);
  return ok ? exports : NULL;
}

bool register_functions(napi_env env, napi_value exports, const struct function *list,
                        size_t count) {
  for (size_t i = 0; i < count; i++) {
    napi_value function;
    if (napi_create_function(env, list[i].name, NAPI_AUTO_LENGTH, list[i].call, NULL, &function) !=
            napi_ok ||
        napi_set_named_property(env, exports, list[i].name, function) != napi_ok) {
      return false;
    }
  }
  return true;
}

struct instance *instance_of(napi_env env) {
  void *data = NULL;
  napi_get_instance_data(env, &data);
  return data;
}

/* The descriptors that nobody closed go with the environment. */
static void instance_free(napi_env env, void *data, void *hint) {
  (void)hint;
  struct instance *instance = data;
  if (instance->error_class != NULL) napi_delete_reference(env, instance->error_class);
  for (size_t i = 0; i < instance->fd_count; i++) close(instance->fds[i]);
  free(instance->fds);
  instance->ended = true;
  if (instance->held == NULL) free(instance);
}

static napi_value set_error_class(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  napi_valuetype type;
  if (!args_get(env, info, 1, argv)) return NULL;
  if (napi_typeof(env, argv[0], &type) != napi_ok || type != napi_function) {
    return args_type_error(env, "constructor", "a class that takes (code, message)");
  }
  struct instance *instance = instance_of(env);
  if (instance->error_class != NULL) napi_delete_reference(env, instance->error_class);
  instance->error_class = NULL;
  napi_create_reference(env, argv[0], 1, &instance->error_class);
  return NULL;
}

static napi_value error_new(napi_env env, const char *code, const char *message) {
  napi_value argv[2], error;
  struct instance *instance = instance_of(env);
  if (napi_create_string_utf8(env, code, NAPI_AUTO_LENGTH, &argv[0]) != napi_ok ||
      napi_create_string_utf8(env, message, NAPI_AUTO_LENGTH, &argv[1]) != napi_ok) {
    return NULL;
  }
  napi_value constructor;
  if (instance->error_class != NULL &&
      napi_get_reference_value(env, instance->error_class, &constructor) == napi_ok &&
      napi_new_instance(env, constructor, 2, argv, &error) == napi_ok) {
    return error;
  }
  return napi_create_error(env, argv[0], argv[1], &error) == napi_ok ? error : NULL;
}

napi_value throw_errno(napi_env env, int error, const char *call, const char *object) {
  const char *code = strerrorname_np(error);
  char message[256];
  char text[96];
  if (code == NULL) code = "EUNKNOWN";
  snprintf(message, sizeof message, "%s %s: %s (%s)", call, object,
           strerror_r(error, text, sizeof text), code);
  const napi_value value = error_new(env, code, message);
  if (value != NULL) napi_throw(env, value);
  return NULL;
}

napi_value throw_errno_fd(napi_env env, int error, const char *call, int fd) {
  char object[32];
  snprintf(object, sizeof object, "descriptor %d", fd);
  return throw_errno(env, error, call, object);
}

bool fd_own(napi_env env, int fd) {
  struct instance *instance = instance_of(env);
  if (instance->fd_count == instance->fd_room) {
    const size_t room = instance->fd_room * 2 + 16;
    int *grown = realloc(instance->fds, room * sizeof *grown);
    if (grown == NULL) {
      close(fd);
      throw_errno_fd(env, ENOMEM, "own", fd);
      return false;
    }
    instance->fds = grown;
    instance->fd_room = room;
  }
  instance->fds[instance->fd_count++] = fd;
  return true;
}

bool fd_disown(napi_env env, int fd) {
  struct instance *instance = instance_of(env);
  for (size_t i = 0; i < instance->fd_count; i++) {
    if (instance->fds[i] == fd) {
      instance->fds[i] = instance->fds[--instance->fd_count];
      return true;
    }
  }
  return false;
}

static napi_value close_fd(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  int fd;
  if (!args_get(env, info, 1, argv) || !args_fd(env, argv[0], "fd", &fd)) return NULL;
  if (!fd_disown(env, fd)) return throw_errno_fd(env, EBADF, "close", fd);
  close(fd);
  return NULL;
}

napi_value held_wrap(napi_env env, struct held *object, const void *type, napi_finalize finalize) {
  struct instance *instance = instance_of(env);
  napi_value value;
  if (napi_create_external(env, object, finalize, NULL, &value) != napi_ok) return NULL;
  object->instance = instance;
  object->type = type;
  object->next = instance->held;
  instance->held = object;
  return value;
}

struct held *held_find(napi_env env, napi_value value, const void *type) {
  void *pointer;
  if (napi_get_value_external(env, value, &pointer) != napi_ok) return NULL;
  for (struct held *object = instance_of(env)->held; object != NULL; object = object->next) {
    if (object == pointer) return object->type == type ? object : NULL;
  }
  return NULL;
}

void held_remove(struct held *object) {
  struct instance *instance = object->instance;
  struct held **link = &instance->held;
  while (*link != object) link = &(*link)->next;
  *link = object->next;
  if (instance->ended && instance->held == NULL) free(instance);
}
