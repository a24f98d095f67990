/*
 * Argument checks; see args.h.
 */
#include "args.h"

#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool args_get(napi_env env, napi_callback_info info, size_t count, napi_value *argv) {
  size_t given = count;
  return napi_get_cb_info(env, info, &given, argv, NULL, NULL) == napi_ok;
}

bool args_int(napi_env env, napi_value value, const char *name, int64_t min, int64_t max,
              int64_t *out) {
  double number;
  char expected[80];
  snprintf(expected, sizeof expected, "an integer from %" PRId64 " to %" PRId64, min, max);
  if (napi_get_value_double(env, value, &number) != napi_ok) {
    args_type_error(env, name, expected);
    return false;
  }
  /* Written so that NaN fails as well. */
  if (!(number >= (double)min && number <= (double)max) || number != (double)(int64_t)number) {
    args_range_error(env, name, expected);
    return false;
  }
  *out = (int64_t)number;
  return true;
}

bool args_bool(napi_env env, napi_value value, const char *name, bool *out) {
  if (napi_get_value_bool(env, value, out) == napi_ok) return true;
  args_type_error(env, name, "true or false");
  return false;
}

bool args_string(napi_env env, napi_value value, const char *name, size_t size, char *out) {
  size_t length = 0;
  char expected[64];
  snprintf(expected, sizeof expected, "a string of 1 to %zu bytes", size - 1);
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) {
    args_type_error(env, name, expected);
    return false;
  }
  if (length == 0 || length >= size) {
    args_range_error(env, name, expected);
    return false;
  }
  if (napi_get_value_string_utf8(env, value, out, size, &length) != napi_ok ||
      strlen(out) != length) {
    args_range_error(env, name, "a string without NUL bytes");
    return false;
  }
  return true;
}

bool args_fd(napi_env env, napi_value value, const char *name, int *out) {
  int64_t fd;
  if (!args_int(env, value, name, 0, INT_MAX, &fd)) return false;
  *out = (int)fd;
  return true;
}

static bool is_ifname(const char *name, bool pattern) {
  int percents = 0;
  if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) return false;
  for (const char *c = name; *c != '\0'; c++) {
    if (*c == '/' || *c == ':' || isspace((unsigned char)*c)) return false;
    if (*c == '%' && (!pattern || c[1] != 'd' || ++percents > 1)) return false;
  }
  return true;
}

bool args_ifname(napi_env env, napi_value value, bool pattern, char out[IFNAMSIZ]) {
  if (!args_string(env, value, "name", IFNAMSIZ, out)) return false;
  if (is_ifname(out, pattern)) return true;
  args_range_error(env, "name", "an interface name without '/', ':', '%' and white space");
  return false;
}

bool args_mac(napi_env env, napi_value value, uint8_t out[6]) {
  char text[18];
  if (!args_string(env, value, "mac", sizeof text, text)) return false;
  bool ok = strlen(text) == 17;
  for (int i = 0; ok && i < 6; i++) {
    const char *digits = text + i * 3;
    ok = isxdigit((unsigned char)digits[0]) && isxdigit((unsigned char)digits[1]) &&
         digits[2] == (i < 5 ? ':' : '\0');
    if (ok) out[i] = (uint8_t)strtoul(digits, NULL, 16);
  }
  static const uint8_t zero[6];
  if (ok && (out[0] & 1) == 0 && memcmp(out, zero, 6) != 0) return true;
  args_range_error(env, "mac", "a unicast address such as 02:00:00:00:00:01");
  return false;
}

bool args_property(napi_env env, napi_value object, const char *name, napi_value *out,
                   bool *present) {
  napi_valuetype type;
  if (napi_typeof(env, object, &type) != napi_ok || type != napi_object) {
    args_type_error(env, "options", "an object");
    return false;
  }
  if (napi_get_named_property(env, object, name, out) != napi_ok ||
      napi_typeof(env, *out, &type) != napi_ok) {
    return false;
  }
  *present = type != napi_undefined;
  return true;
}

napi_value args_type_error(napi_env env, const char *name, const char *expected) {
  char message[160];
  snprintf(message, sizeof message, "%s must be %s", name, expected);
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message);
  return NULL;
}

napi_value args_range_error(napi_env env, const char *name, const char *expected) {
  char message[160];
  snprintf(message, sizeof message, "%s must be %s", name, expected);
  napi_throw_range_error(env, "ERR_OUT_OF_RANGE", message);
  return NULL;
}
