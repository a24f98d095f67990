/*
 * L, the limit of plain system calls: forwards every frame of one TAP to the
 * other and back with one read and one write, up to 64 per port between
 * polls, and looks at nothing.
 *
 * Usage: limit [-c CPU] TAP TAP. Opens (or makes) the TAPs, prints "ready",
 * ends on SIGTERM with a line of JSON.
 */
#include <poll.h>

#include "tap.h"

static char frame[FRAME_MAX];
static uint64_t forwarded, failed;

static void forward(int from, int to) {
  for (int i = 0; i < BATCH; i++) {
    const ssize_t size = read(from, frame, sizeof frame);
    if (size < 0) return;
    if (write(to, frame, (size_t)size) < 0) {
      failed++;
    } else {
      forwarded++;
    }
  }
}

int main(int argc, char **argv) {
  const struct tap_arguments arguments = parse_tap_arguments(argc, argv);
  struct pollfd taps[2];
  for (int i = 0; i < 2; i++) {
    taps[i] = (struct pollfd){.fd = open_tap(arguments.names[i]), .events = POLLIN};
  }
  pin(arguments.cpu);
  stop_on_signals();
  say_ready();
  while (!stopping) {
    if (poll(taps, 2, 1000) <= 0) continue;
    for (int i = 0; i < 2; i++) {
      if (taps[i].revents & POLLIN) forward(taps[i].fd, taps[1 - i].fd);
      if (taps[i].revents & POLLERR) stopping = 1;
    }
  }
  printf("{\"forwarded\": %lu, \"failed\": %lu}\n", forwarded, failed);
  return 0;
}
