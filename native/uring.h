/*
 * One io_uring over raw system calls: as much of it as io-uring.c needs. Used
 * by one thread; entries are consumed within the call that submits them.
 */
#ifndef TAPFLOW_URING_H
#define TAPFLOW_URING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compat.h"

struct uring {
  int fd;
  /* What io_uring_enter takes: fd, or its index when it is registered. */
  int enter_fd;
  unsigned enter_flags;
  unsigned entries;
  /* Entries filled and not yet submitted; always the first ones of `sqes`. */
  unsigned filled;
  struct io_uring_sqe *sqes;
  struct io_uring_cqe *cqes;
  unsigned *sq_tail, *sq_flags, *sq_array;
  unsigned *cq_head, *cq_tail;
  unsigned sq_mask, cq_mask;
  void *ring;
  size_t ring_size, sqes_size;
};

/* @returns 0 or -errno */
int uring_open(struct uring *ring, unsigned entries, unsigned completions);
void uring_close(struct uring *ring);

/* A zeroed entry. The caller submits before `filled` passes `entries`. */
struct io_uring_sqe *uring_entry(struct uring *ring);
/*
 * Submits all filled entries and makes completions visible, in one system call.
 * @param wait_for completions to wait for
 * @param timeout_ms how long at most, or -1
 * @returns 0 or -errno; -EINTR and -ETIME are no failures
 */
int uring_enter(struct uring *ring, unsigned wait_for, int timeout_ms);
/* Whether completions stand ready or can be had by entering. */
bool uring_has_news(const struct uring *ring);
/* The next completion, or false. */
bool uring_next(struct uring *ring, uint64_t *user_data, int *result);

/* A table of `count` empty places for descriptors. @returns 0 or -errno */
int uring_register_files(struct uring *ring, unsigned count);
/* Puts a descriptor into a place; -1 empties it. @returns 0 or -errno */
int uring_set_file(struct uring *ring, unsigned place, int fd);

/* Whether a TAP can be read with RWF_NOWAIT here: tried on a TAP of its own. */
bool uring_probe(void);

#endif
