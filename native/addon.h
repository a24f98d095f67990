/*
 * What every file of the addon shares: the instance (one an environment, so
 * that worker threads do not meet), how errors are thrown, and who owns which
 * descriptor.
 *
 * A descriptor belongs to the environment that opened it: only that one may
 * close it, and it is closed with it. So no number that a caller makes up can
 * close a descriptor of Node's own, and a worker that dies leaks none.
 */
#ifndef TAPFLOW_ADDON_H
#define TAPFLOW_ADDON_H

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An object that JavaScript holds as an opaque value: a watch or an I/O engine. */
struct held {
  struct held *next;
  struct instance *instance;
  const void *type;
};

struct instance {
  /* The environment is gone; kept while objects are, whose finalizers may come later. */
  bool ended;
  napi_ref error_class;
  /* Live objects behind externals: a value not in this list is not ours. */
  struct held *held;
  /* Descriptors opened here and not yet closed. */
  int *fds;
  size_t fd_count;
  size_t fd_room;
};

struct function {
  const char *name;
  napi_callback call;
};

/* Each registers the functions of one file. */
bool tap_register(napi_env env, napi_value exports);
bool packet_register(napi_env env, napi_value exports);
bool link_register(napi_env env, napi_value exports);
bool link_watch_register(napi_env env, napi_value exports);
bool close_later_register(napi_env env, napi_value exports);
bool ethtool_register(napi_env env, napi_value exports);
bool netns_register(napi_env env, napi_value exports);
bool event_register(napi_env env, napi_value exports);
bool process_register(napi_env env, napi_value exports);
bool io_register(napi_env env, napi_value exports);

bool register_functions(napi_env env, napi_value exports, const struct function *functions,
                        size_t count);

struct instance *instance_of(napi_env env);

/* Both return NULL, so that a function can end with `return throw_...`. */

/* Throws a TapflowError: code is errno's name, the message "CALL OBJECT: what (CODE)". */
napi_value throw_errno(napi_env env, int error, const char *call, const char *object);
/* The same for a call on a descriptor. */
napi_value throw_errno_fd(napi_env env, int error, const char *call, int fd);

/* Makes `fd` the environment's own. Closes it and throws when memory is out. */
bool fd_own(napi_env env, int fd);
/* An own descriptor is forgotten. @returns whether it was one */
bool fd_disown(napi_env env, int fd);

/*
 * Wraps an object as an external. `finalize` frees it, once JavaScript has let
 * go of it or the environment ends. On failure NULL, and the caller frees.
 */
napi_value held_wrap(napi_env env, struct held *object, const void *type, napi_finalize finalize);
/* @returns the object behind a value if it is one of this type here, else NULL */
struct held *held_find(napi_env env, napi_value value, const void *type);
/* For finalizers: takes the object off the list. */
void held_remove(struct held *object);

#endif
