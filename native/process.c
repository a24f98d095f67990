/*
 * What concerns the process and its threads: CPUs, file locks, and the
 * system's log.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "addon.h"
#include "args.h"

/* No kernel is built for more CPUs than this (CONFIG_NR_CPUS). */
enum { MAX_CPUS = 8192 };

static napi_value lock_file(napi_env env, napi_callback_info info);
static napi_value open_datagram(napi_env env, napi_callback_info info);
static napi_value allowed_cpus(napi_env env, napi_callback_info info);
static napi_value set_affinity(napi_env env, napi_callback_info info);

bool process_register(napi_env env, napi_value exports) {
  static const struct function functions[] = {
      {"lockFile", lock_file},
      {"openDatagram", open_datagram},
      {"allowedCpus", allowed_cpus},
      {"setAffinity", set_affinity},
  };
  return register_functions(env, exports, functions, sizeof functions / sizeof *functions);
}

/* What lockFile returns for a holder that this process has no number for: in another PID namespace.
 */
enum { UNKNOWN_HOLDER = -1 };

/* @returns 0 or errno; *holder is 0: ours now; else who has it */
static int lock(int fd, int *holder) {
  *holder = 0;
  for (;;) {
    struct flock request = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_SETLK, &request) == 0) return 0;
    if (errno != EAGAIN && errno != EACCES) return errno;
    if (fcntl(fd, F_GETLK, &request) < 0) return errno;
    /* Else its holder let go between the two calls. */
    if (request.l_type == F_UNLCK) continue;
    *holder = request.l_pid > 0 ? request.l_pid : UNKNOWN_HOLDER;
    return 0;
  }
}

static napi_value lock_file(napi_env env, napi_callback_info info) {
  napi_value argv[1], result;
  int fd, holder;
  if (!args_get(env, info, 1, argv) || !args_fd(env, argv[0], "fd", &fd)) return NULL;
  const int error = lock(fd, &holder);
  if (error != 0) return throw_errno_fd(env, error, "lockFile", fd);
  return napi_create_int32(env, holder, &result) == napi_ok ? result : NULL;
}

static napi_value open_datagram(napi_env env, napi_callback_info info) {
  napi_value argv[1], result;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (!args_get(env, info, 1, argv) ||
      !args_string(env, argv[0], "path", sizeof address.sun_path, address.sun_path)) {
    return NULL;
  }
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return throw_errno(env, errno, "openDatagram", address.sun_path);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
    const int error = errno;
    close(fd);
    return throw_errno(env, error, "openDatagram", address.sun_path);
  }
  if (!fd_own(env, fd)) return NULL;
  return napi_create_int32(env, fd, &result) == napi_ok ? result : NULL;
}

static napi_value allowed_cpus(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value result = NULL, value;
  uint32_t count = 0;
  const size_t size = CPU_ALLOC_SIZE(MAX_CPUS);
  cpu_set_t *set = CPU_ALLOC(MAX_CPUS);
  if (set == NULL) return throw_errno(env, ENOMEM, "allowedCpus", "set");
  /* By process id: the main thread's, whichever thread asks. */
  if (sched_getaffinity(getpid(), size, set) < 0) {
    throw_errno(env, errno, "allowedCpus", "process");
  } else if (napi_create_array(env, &result) == napi_ok) {
    for (int cpu = 0; cpu < MAX_CPUS; cpu++) {
      if (!CPU_ISSET_S(cpu, size, set)) continue;
      napi_create_int32(env, cpu, &value);
      napi_set_element(env, result, count++, value);
    }
  }
  CPU_FREE(set);
  return result;
}

static bool fill_set(napi_env env, napi_value list, size_t size, cpu_set_t *set) {
  uint32_t length;
  if (napi_get_array_length(env, list, &length) != napi_ok) {
    args_type_error(env, "cpus", "an array of CPU numbers");
    return false;
  }
  for (uint32_t i = 0; i < length; i++) {
    napi_value value;
    int64_t cpu;
    if (napi_get_element(env, list, i, &value) != napi_ok ||
        !args_int(env, value, "cpu", 0, MAX_CPUS - 1, &cpu)) {
      return false;
    }
    CPU_SET_S((size_t)cpu, size, set);
  }
  return true;
}

static napi_value set_affinity(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  if (!args_get(env, info, 1, argv)) return NULL;
  const size_t size = CPU_ALLOC_SIZE(MAX_CPUS);
  cpu_set_t *set = CPU_ALLOC(MAX_CPUS);
  if (set == NULL) return throw_errno(env, ENOMEM, "setAffinity", "set");
  CPU_ZERO_S(size, set);
  if (fill_set(env, argv[0], size, set) && sched_setaffinity(0, size, set) < 0) {
    throw_errno(env, errno, "setAffinity", "thread");
  }
  CPU_FREE(set);
  return NULL;
}
