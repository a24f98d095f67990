/*
 * One io_uring over raw system calls; see uring.h.
 *
 * All entries of a submission are consumed before the call returns, so each
 * submission fills the array from its start: the same few cache lines, however
 * large the ring.
 */
#include "uring.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tap.h"

static int enter(const struct uring *ring, unsigned submit, unsigned wait_for, unsigned flags,
                 const void *arg, size_t arg_size) {
  const long result = syscall(__NR_io_uring_enter, ring->enter_fd, submit, wait_for,
                              flags | ring->enter_flags, arg, arg_size);
  return result < 0 ? -errno : (int)result;
}

static int setup(unsigned entries, struct io_uring_params *params) {
  const long fd = syscall(__NR_io_uring_setup, entries, params);
  return fd < 0 ? -errno : (int)fd;
}

/* Completions wait until asked for; older kernels interrupt us for each. */
static int setup_best(unsigned entries, unsigned completions, struct io_uring_params *params) {
  static const unsigned flags[] = {
      IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
          IORING_SETUP_TASKRUN_FLAG,
      IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
      0,
  };
  int fd = -EINVAL;
  for (size_t i = 0; fd == -EINVAL && i < sizeof flags / sizeof *flags; i++) {
    memset(params, 0, sizeof *params);
    params->flags = flags[i] | IORING_SETUP_CQSIZE;
    params->cq_entries = completions;
    fd = setup(entries, params);
  }
  return fd;
}

static int map(struct uring *ring, const struct io_uring_params *params) {
  const size_t sq_size = params->sq_off.array + params->sq_entries * sizeof(unsigned);
  const size_t cq_size = params->cq_off.cqes + params->cq_entries * sizeof(struct io_uring_cqe);
  ring->ring_size = sq_size > cq_size ? sq_size : cq_size;
  ring->sqes_size = params->sq_entries * sizeof(struct io_uring_sqe);
  ring->ring = mmap(NULL, ring->ring_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                    ring->fd, IORING_OFF_SQ_RING);
  if (ring->ring == MAP_FAILED) return -errno;
  ring->sqes = mmap(NULL, ring->sqes_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                    ring->fd, IORING_OFF_SQES);
  if (ring->sqes == MAP_FAILED) {
    const int error = errno;
    munmap(ring->ring, ring->ring_size);
    return -error;
  }
  char *base = ring->ring;
  ring->entries = params->sq_entries;
  ring->sq_tail = (unsigned *)(base + params->sq_off.tail);
  ring->sq_flags = (unsigned *)(base + params->sq_off.flags);
  ring->sq_array = (unsigned *)(base + params->sq_off.array);
  ring->sq_mask = *(unsigned *)(base + params->sq_off.ring_mask);
  ring->cq_head = (unsigned *)(base + params->cq_off.head);
  ring->cq_tail = (unsigned *)(base + params->cq_off.tail);
  ring->cq_mask = *(unsigned *)(base + params->cq_off.ring_mask);
  ring->cqes = (struct io_uring_cqe *)(base + params->cq_off.cqes);
  return 0;
}

/* Spares a look-up of the ring's descriptor in each call; optional. */
static void register_ring(struct uring *ring) {
  struct io_uring_rsrc_update update = {.offset = UINT32_MAX, .data = (uint64_t)ring->fd};
  ring->enter_fd = ring->fd;
  if (syscall(__NR_io_uring_register, ring->fd, IORING_REGISTER_RING_FDS, &update, 1) == 1) {
    ring->enter_fd = (int)update.offset;
    ring->enter_flags = IORING_ENTER_REGISTERED_RING;
  }
}

int uring_open(struct uring *ring, unsigned entries, unsigned completions) {
  const unsigned needed = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG;
  struct io_uring_params params;
  memset(ring, 0, sizeof *ring);
  ring->fd = setup_best(entries, completions, &params);
  if (ring->fd < 0) return ring->fd;
  const int error = (params.features & needed) == needed ? map(ring, &params) : -ENOSYS;
  if (error != 0) {
    close(ring->fd);
    return error;
  }
  register_ring(ring);
  return 0;
}

void uring_close(struct uring *ring) {
  if (ring->enter_flags & IORING_ENTER_REGISTERED_RING) {
    struct io_uring_rsrc_update update = {.offset = (unsigned)ring->enter_fd};
    syscall(__NR_io_uring_register, ring->fd, IORING_UNREGISTER_RING_FDS, &update, 1);
  }
  munmap(ring->sqes, ring->sqes_size);
  munmap(ring->ring, ring->ring_size);
  close(ring->fd);
}

struct io_uring_sqe *uring_entry(struct uring *ring) {
  struct io_uring_sqe *sqe = &ring->sqes[ring->filled++];
  memset(sqe, 0, sizeof *sqe);
  return sqe;
}

static void publish(struct uring *ring) {
  const unsigned tail = *ring->sq_tail;
  for (unsigned i = 0; i < ring->filled; i++) ring->sq_array[(tail + i) & ring->sq_mask] = i;
  __atomic_store_n(ring->sq_tail, tail + ring->filled, __ATOMIC_RELEASE);
}

int uring_enter(struct uring *ring, unsigned wait_for, int timeout_ms) {
  struct __kernel_timespec time = {.tv_sec = timeout_ms / 1000,
                                   .tv_nsec = (long long)(timeout_ms % 1000) * 1000000};
  const struct io_uring_getevents_arg arg = {.ts = (uint64_t)(uintptr_t)&time};
  unsigned left = ring->filled;
  publish(ring);
  ring->filled = 0;
  for (;;) {
    const int result = timeout_ms >= 0
                           ? enter(ring, left, wait_for,
                                   IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &arg, sizeof arg)
                           : enter(ring, left, wait_for, IORING_ENTER_GETEVENTS, NULL, 0);
    if (result < 0 && left > 0 && (result == -EAGAIN || result == -EBUSY || result == -EINTR)) {
      continue;
    }
    if (result < 0) return result;
    left -= (unsigned)result;
    if (left == 0) return 0;
  }
}

bool uring_has_news(const struct uring *ring) {
  const unsigned flags = __atomic_load_n(ring->sq_flags, __ATOMIC_RELAXED);
  return (flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0 ||
         __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE) != *ring->cq_head;
}

bool uring_next(struct uring *ring, uint64_t *user_data, int *result) {
  const unsigned head = *ring->cq_head;
  if (head == __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE)) return false;
  const struct io_uring_cqe *cqe = &ring->cqes[head & ring->cq_mask];
  *user_data = cqe->user_data;
  *result = cqe->res;
  __atomic_store_n(ring->cq_head, head + 1, __ATOMIC_RELEASE);
  return true;
}

int uring_register_files(struct uring *ring, unsigned count) {
  const struct io_uring_rsrc_register table = {.nr = count, .flags = IORING_RSRC_REGISTER_SPARSE};
  const long result =
      syscall(__NR_io_uring_register, ring->fd, IORING_REGISTER_FILES2, &table, sizeof table);
  return result < 0 ? -errno : 0;
}

int uring_set_file(struct uring *ring, unsigned place, int fd) {
  const int32_t fds[1] = {fd};
  const struct io_uring_files_update update = {.offset = place, .fds = (uint64_t)(uintptr_t)fds};
  const long result =
      syscall(__NR_io_uring_register, ring->fd, IORING_REGISTER_FILES_UPDATE, &update, 1);
  return result < 0 ? -errno : 0;
}

static bool can_read_tap(struct uring *ring, int tap) {
  char frame[64];
  uint64_t user_data;
  int result;
  struct io_uring_sqe *sqe = uring_entry(ring);
  sqe->opcode = IORING_OP_READ;
  sqe->fd = tap;
  sqe->addr = (uint64_t)(uintptr_t)frame;
  sqe->len = sizeof frame;
  sqe->rw_flags = RWF_NOWAIT;
  /* A ring that parks the read instead completes nothing: hence no waiting. */
  return uring_enter(ring, 0, -1) == 0 && uring_next(ring, &user_data, &result) &&
         result == -EAGAIN;
}

bool uring_probe(void) {
  struct uring ring;
  char name[IFNAMSIZ] = "tapflow%d";
  if (uring_open(&ring, 4, 8) < 0) return false;
  const int tap = tap_open(name, false, false);
  const bool ok = tap >= 0 && can_read_tap(&ring, tap);
  uring_close(&ring);
  if (tap >= 0) close(tap);
  return ok;
}
