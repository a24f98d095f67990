/*
 * Argument checks. Each reads one JavaScript value into C, or throws a
 * TypeError (wrong type) or RangeError (wrong value) that names the argument
 * and what was expected, and returns false.
 */
#ifndef TAPFLOW_ARGS_H
#define TAPFLOW_ARGS_H

#include <net/if.h>
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fills argv with the first `count` arguments; missing ones are undefined. */
bool args_get(napi_env env, napi_callback_info info, size_t count, napi_value *argv);

bool args_int(napi_env env, napi_value value, const char *name, int64_t min, int64_t max,
              int64_t *out);
bool args_bool(napi_env env, napi_value value, const char *name, bool *out);
/* A string of at most size - 1 bytes, without NUL inside. */
bool args_string(napi_env env, napi_value value, const char *name, size_t size, char *out);
/* A number that can be a descriptor; whether it is open, the system call tells. */
bool args_fd(napi_env env, napi_value value, const char *name, int *out);
/* An interface name: 1 to 15 bytes, no slash or white space; "%d" at most once, if `pattern`. */
bool args_ifname(napi_env env, napi_value value, bool pattern, char out[IFNAMSIZ]);
/* "xx:xx:xx:xx:xx:xx", not a multicast address and not zero. */
bool args_mac(napi_env env, napi_value value, uint8_t out[6]);

/*
 * Property `name` of an object. *present is false when it is undefined.
 * False only if the value is not an object or its getter threw.
 */
bool args_property(napi_env env, napi_value object, const char *name, napi_value *out,
                   bool *present);

/* Both return NULL. */
napi_value args_type_error(napi_env env, const char *name, const char *expected);
napi_value args_range_error(napi_env env, const char *name, const char *expected);

#endif
