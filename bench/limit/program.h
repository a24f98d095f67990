/*
 * What the programs of this folder share: ending on SIGTERM, pinning to a
 * CPU, time, and failing with a reason. Header-only: each is one small file.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static volatile sig_atomic_t stopping;

static inline void on_stop(int signal) {
  (void)signal;
  stopping = 1;
}

/* Without SA_RESTART: a sleeping call returns. */
static inline void stop_on_signals(void) {
  struct sigaction action = {.sa_handler = on_stop};
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
}

static inline void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

/* cpu < 0: wherever the scheduler likes. */
static inline void pin(int cpu) {
  cpu_set_t set;
  if (cpu < 0) return;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set) < 0) fail("pin to CPU");
}

static inline int64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

#endif
