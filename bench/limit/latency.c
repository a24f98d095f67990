/*
 * Measures how long frames take from one interface to another: sends small
 * UDP frames with a time stamp at a steady rate out of one and receives them
 * on the other, which can be in another namespace, in the same process, so
 * that one clock serves. Prints p50, p99, p99.9 and maximum in microseconds,
 * as JSON.
 *
 * With -m a second process on the far side sends them back (reflect), and the
 * figure is the round trip, as an echo would see it.
 */
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <sys/wait.h>

#include "frame.h"

enum {
  FRAME_SIZE = 60,
  /* Marks our frames among others: in the payload, before number and time. */
  MAGIC = 0x7a9f10c5,
  MAX_SAMPLES = 10000000,
  /* How long to wait for late frames. */
  GRACE_NS = 200000000,
};

struct options {
  const char *interfaces[2];
  const char *netns[2];
  double rate;
  double seconds;
  uint8_t destination[6];
  bool has_destination;
  int cpu;
  bool reflect;
};

struct stamp {
  uint32_t magic;
  uint32_t number;
  int64_t time;
} __attribute__((packed));

static const char usage[] =
    "usage: latency [options] FROM TO\n"
    "  -n PATH      namespace of FROM (/run/netns/...) [the own one]\n"
    "  -N PATH      namespace of TO\n"
    "  -r PPS       rate [1000]\n"
    "  -t SECONDS   [1]\n"
    "  -d MAC       destination [that of TO]\n"
    "  -c CPU       pin to this CPU\n"
    "  -m           reflect: TO sends frames back, the figure is the round trip\n";

static struct options parse(int argc, char **argv) {
  struct options o = {.rate = 1000, .seconds = 1, .cpu = -1};
  for (int option; (option = getopt(argc, argv, "n:N:r:t:d:c:m")) != -1;) {
    switch (option) {
      case 'n':
        o.netns[0] = optarg;
        break;
      case 'N':
        o.netns[1] = optarg;
        break;
      case 'r':
        o.rate = atof(optarg);
        break;
      case 't':
        o.seconds = atof(optarg);
        break;
      case 'd':
        o.has_destination = parse_mac(optarg, o.destination);
        break;
      case 'c':
        o.cpu = atoi(optarg);
        break;
      case 'm':
        o.reflect = true;
        break;
      default:
        fputs(usage, stderr);
        exit(2);
    }
  }
  if (argc - optind != 2 || !(o.rate > 0 && o.rate * o.seconds <= MAX_SAMPLES)) {
    fputs(usage, stderr);
    exit(2);
  }
  o.interfaces[0] = argv[optind];
  o.interfaces[1] = argv[optind + 1];
  return o;
}

/* A socket stays in the namespace it was made in. */
static int open_side(const struct options *o, int side, uint8_t mac[6]) {
  if (o->netns[side] != NULL) {
    const int netns = open(o->netns[side], O_RDONLY | O_CLOEXEC);
    if (netns < 0 || setns(netns, CLONE_NEWNET) < 0) fail(o->netns[side]);
    close(netns);
  }
  const int fd = open_packet_socket(o->interfaces[side], ETH_P_IP);
  interface_mac(fd, o->interfaces[side], mac);
  return fd;
}

static bool read_stamp(const uint8_t *frame, ssize_t size, struct stamp *out) {
  if (size < UDP_PAYLOAD + (ssize_t)sizeof *out) return false;
  memcpy(out, frame + UDP_PAYLOAD, sizeof *out);
  return out->magic == MAGIC;
}

/* The far side of -m: returns to sender, until killed. */
static void reflect(int fd) {
  uint8_t frame[2048], mac[6];
  struct stamp stamp;
  while (!stopping) {
    const ssize_t size = recv(fd, frame, sizeof frame, 0);
    if (!read_stamp(frame, size, &stamp)) continue;
    memcpy(mac, frame, 6);
    memcpy(frame, frame + 6, 6);
    memcpy(frame + 6, mac, 6);
    if (send(fd, frame, (size_t)size, 0) < 0 && errno != ENOBUFS) fail("reflect");
  }
  exit(0);
}

static uint32_t *samples;
static uint32_t sample_count;

static void receive(int fd) {
  uint8_t frame[2048];
  struct stamp stamp;
  for (;;) {
    const ssize_t size = recv(fd, frame, sizeof frame, MSG_DONTWAIT);
    if (size < 0) return;
    if (!read_stamp(frame, size, &stamp)) continue;
    if (sample_count < MAX_SAMPLES) samples[sample_count++] = (uint32_t)(now_ns() - stamp.time);
  }
}

/* Sleeps in poll until a frame is there or the next one is due; a spinning wait would be a rival.
 */
static void wait_until(int fd, int64_t due) {
  struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
  for (int64_t left; !stopping && (left = due - now_ns()) > 0;) {
    const struct timespec time = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
    if (ppoll(&poll_fd, 1, &time, NULL) > 0) receive(fd);
  }
}

static int compare(const void *a, const void *b) {
  const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static double quantile(double part) {
  if (sample_count == 0) return 0;
  const uint32_t index = (uint32_t)(part * sample_count);
  return samples[index < sample_count ? index : sample_count - 1] / 1000.0;
}

static uint32_t run(const struct options *o, int send_fd, int receive_fd, uint8_t *frame) {
  const int64_t interval = (int64_t)(1e9 / o->rate), start = now_ns();
  const uint32_t count = (uint32_t)(o->rate * o->seconds);
  uint32_t sent = 0;
  for (uint32_t i = 0; i < count && !stopping; i++) {
    wait_until(receive_fd, start + (int64_t)i * interval);
    const struct stamp stamp = {MAGIC, i, now_ns()};
    memcpy(frame + UDP_PAYLOAD, &stamp, sizeof stamp);
    if (send(send_fd, frame, FRAME_SIZE, 0) > 0) sent++;
    receive(receive_fd);
  }
  wait_until(receive_fd, now_ns() + GRACE_NS);
  return sent;
}

int main(int argc, char **argv) {
  struct options o = parse(argc, argv);
  uint8_t frame[FRAME_SIZE] = {0}, macs[2][6];
  const struct flow flow = {0x0a000001, 0x0a000002, 7, 7};
  const int from = open_side(&o, 0, macs[0]);
  const int to = open_side(&o, 1, macs[1]);
  pin(o.cpu);
  stop_on_signals();
  const pid_t reflector = o.reflect ? fork() : -1;
  if (reflector == 0) reflect(to);
  samples = malloc(MAX_SAMPLES * sizeof *samples);
  if (samples == NULL) fail("malloc");
  put_headers(frame, FRAME_SIZE, o.has_destination ? o.destination : macs[1], macs[0], -1, &flow);
  const uint32_t sent = run(&o, from, o.reflect ? from : to, frame);
  if (reflector > 0) {
    kill(reflector, SIGTERM);
    waitpid(reflector, NULL, 0);
  }
  qsort(samples, sample_count, sizeof *samples, compare);
  printf(
      "{\"sent\": %u, \"received\": %u, \"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f, "
      "\"max\": %.1f}\n",
      sent, sample_count, quantile(0.5), quantile(0.99), quantile(0.999), quantile(1));
  return 0;
}
