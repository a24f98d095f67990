/*
 * LU, the limit of io_uring: L with its reads and writes batched. One system
 * call a turn writes what the last turn read and reads up to 64 frames per
 * port; it sleeps in poll only when neither port had any.
 *
 * Usage: limit-uring [-c CPU] TAP TAP. Opens (or makes) the TAPs, prints
 * "ready", ends on SIGTERM with a line of JSON.
 */
#include <linux/io_uring.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "tap.h"

enum {
  ENTRIES = 256,
  /* Frames of 64 KiB at multiples of 64 KiB would share their cache sets. */
  STRIDE = FRAME_MAX + 192,
};

struct ring {
  int fd;
  unsigned *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
  struct io_uring_sqe *sqes;
  struct io_uring_cqe *cqes;
  unsigned filled;
};

/* Per port: its frames in memory, and what the last turn read. */
struct port {
  int fd;
  char *frames;
  int sizes[BATCH];
  int count;
  int want;
};

static struct ring ring;
static struct port ports[2];
static uint64_t forwarded, failed;

static void open_ring(void) {
  struct io_uring_params params = {.flags =
                                       IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN};
  ring.fd = (int)syscall(__NR_io_uring_setup, ENTRIES, &params);
  if (ring.fd < 0) fail("io_uring_setup");
  const size_t size = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe) +
                      params.sq_entries * sizeof(unsigned);
  char *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring.fd,
                    IORING_OFF_SQ_RING);
  ring.sqes = mmap(NULL, params.sq_entries * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_POPULATE, ring.fd, IORING_OFF_SQES);
  if (base == MAP_FAILED || ring.sqes == MAP_FAILED) fail("mmap");
  ring.sq_tail = (unsigned *)(base + params.sq_off.tail);
  ring.sq_mask = (unsigned *)(base + params.sq_off.ring_mask);
  ring.sq_array = (unsigned *)(base + params.sq_off.array);
  ring.cq_head = (unsigned *)(base + params.cq_off.head);
  ring.cq_tail = (unsigned *)(base + params.cq_off.tail);
  ring.cq_mask = (unsigned *)(base + params.cq_off.ring_mask);
  ring.cqes = (struct io_uring_cqe *)(base + params.cq_off.cqes);
}

static void add(int opcode, int port, int index, int fd, unsigned size) {
  struct io_uring_sqe *sqe = &ring.sqes[ring.filled++];
  memset(sqe, 0, sizeof *sqe);
  sqe->opcode = (uint8_t)opcode;
  sqe->fd = fd;
  sqe->addr = (uint64_t)(uintptr_t)(ports[port].frames + (size_t)index * STRIDE);
  sqe->len = size;
  sqe->rw_flags = RWF_NOWAIT;
  sqe->user_data = (uint64_t)opcode << 32 | (uint64_t)port << 16 | (uint64_t)index;
}

static void submit(void) {
  const unsigned tail = *ring.sq_tail;
  for (unsigned i = 0; i < ring.filled; i++) ring.sq_array[(tail + i) & *ring.sq_mask] = i;
  __atomic_store_n(ring.sq_tail, tail + ring.filled, __ATOMIC_RELEASE);
  const unsigned wait_for = ring.filled;
  if (syscall(__NR_io_uring_enter, ring.fd, ring.filled, wait_for, IORING_ENTER_GETEVENTS, NULL,
              0) < 0 &&
      errno != EINTR) {
    fail("io_uring_enter");
  }
  ring.filled = 0;
}

/* Completions come in the order of submission: frames stand in order, gaps at the end. */
static void reap(void) {
  unsigned head = *ring.cq_head;
  const unsigned tail = __atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE);
  ports[0].count = ports[1].count = 0;
  for (; head != tail; head++) {
    const struct io_uring_cqe *cqe = &ring.cqes[head & *ring.cq_mask];
    struct port *port = &ports[cqe->user_data >> 16 & 1];
    if (cqe->user_data >> 32 == IORING_OP_WRITE) {
      if (cqe->res < 0) {
        failed++;
      } else {
        forwarded++;
      }
      continue;
    }
    const int index = (int)(cqe->user_data & 0xffff);
    port->sizes[index] = cqe->res;
    if (cqe->res > 0) port->count++;
  }
  __atomic_store_n(ring.cq_head, head, __ATOMIC_RELEASE);
}

static void add_writes(int from) {
  const struct port *port = &ports[from];
  for (int i = 0, left = port->count; left > 0; i++) {
    if (port->sizes[i] <= 0) continue;
    add(IORING_OP_WRITE, from, i, ports[1 - from].fd, (unsigned)port->sizes[i]);
    left--;
  }
}

static void add_reads(int from) {
  struct port *port = &ports[from];
  const int doubled = port->count == port->want ? 2 * port->count : port->count + port->count / 4;
  port->want = doubled + 1 < BATCH ? doubled + 1 : BATCH;
  memset(port->sizes, 0, sizeof port->sizes);
  for (int i = 0; i < port->want; i++) add(IORING_OP_READ, from, i, port->fd, FRAME_MAX);
}

int main(int argc, char **argv) {
  const struct tap_arguments arguments = parse_tap_arguments(argc, argv);
  struct pollfd polls[2];
  for (int i = 0; i < 2; i++) {
    ports[i].fd = open_tap(arguments.names[i]);
    ports[i].frames = malloc((size_t)BATCH * STRIDE);
    if (ports[i].frames == NULL) fail("malloc");
    polls[i] = (struct pollfd){.fd = ports[i].fd, .events = POLLIN};
  }
  pin(arguments.cpu);
  open_ring();
  stop_on_signals();
  say_ready();
  while (!stopping) {
    /* A frame's memory is read into again only after the kernel has taken the write: in order. */
    for (int i = 0; i < 2; i++) add_writes(i);
    for (int i = 0; i < 2; i++) add_reads(i);
    submit();
    reap();
    if (ports[0].count + ports[1].count > 0) continue;
    if (poll(polls, 2, 1000) > 0 && ((polls[0].revents | polls[1].revents) & POLLERR)) break;
  }
  printf("{\"forwarded\": %lu, \"failed\": %lu}\n", forwarded, failed);
  return 0;
}
