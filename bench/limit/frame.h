/*
 * Ethernet frames with UDP for generate.c and latency.c, and the packet
 * socket that sends them past the queueing discipline.
 */
#ifndef FRAME_H
#define FRAME_H

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "program.h"

/* IPv4 addresses are 10.0.0.0/8. The fields of one flow. */
struct flow {
  uint32_t source, destination;
  uint16_t source_port, destination_port;
};

enum { IP_SIZE = 20, UDP_SIZE = 8, UDP_PAYLOAD = ETH_HLEN + IP_SIZE + UDP_SIZE };

static inline void put16(uint8_t *at, unsigned value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
}

static inline void put32(uint8_t *at, uint32_t value) {
  put16(at, value >> 16);
  put16(at + 2, value & 0xffff);
}

static inline bool parse_mac(const char *text, uint8_t mac[6]) {
  int end = 0;
  return sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2], &mac[3],
                &mac[4], &mac[5], &end) == 6 &&
         text[end] == '\0';
}

static inline void put_ip_checksum(uint8_t *ip) {
  uint32_t sum = 0;
  put16(ip + 10, 0);
  for (int i = 0; i < IP_SIZE; i += 2) sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  put16(ip + 10, ~sum & 0xffff);
}

/*
 * Writes the headers of a frame of `size` bytes (FCS not counted). vlan < 0: no
 * tag. The UDP checksum stays 0: none.
 * @returns offset of the UDP payload
 */
static inline int put_headers(uint8_t *frame, int size, const uint8_t destination[6],
                              const uint8_t source[6], int vlan, const struct flow *flow) {
  int l3 = ETH_HLEN;
  memcpy(frame, destination, 6);
  memcpy(frame + 6, source, 6);
  if (vlan >= 0) {
    put16(frame + 12, ETH_P_8021Q);
    put16(frame + 14, (unsigned)vlan);
    l3 += 4;
  }
  put16(frame + l3 - 2, ETH_P_IP);
  uint8_t *ip = frame + l3;
  const unsigned ip_size = (unsigned)(size - l3);
  memset(ip, 0, IP_SIZE + UDP_SIZE);
  ip[0] = 0x45;
  put16(ip + 2, ip_size);
  ip[8] = 64;
  ip[9] = IPPROTO_UDP;
  put32(ip + 12, flow->source);
  put32(ip + 16, flow->destination);
  put_ip_checksum(ip);
  put16(ip + 20, flow->source_port);
  put16(ip + 22, flow->destination_port);
  put16(ip + 24, ip_size - IP_SIZE);
  return l3 + IP_SIZE + UDP_SIZE;
}

static inline void interface_mac(int fd, const char *name, uint8_t mac[6]) {
  struct ifreq request = {0};
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (ioctl(fd, SIOCGIFHWADDR, &request) < 0) fail(name);
  memcpy(mac, request.ifr_hwaddr.sa_data, 6);
}

/* protocol 0 for a socket that only sends. Ignores what it sends itself. */
static inline int open_packet_socket(const char *name, int protocol) {
  const int on = 1;
  const struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                      .sll_protocol = htons((uint16_t)protocol),
                                      .sll_ifindex = (int)if_nametoindex(name)};
  if (address.sll_ifindex == 0) fail(name);
  const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("packet socket");
  if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on) < 0) fail("qdisc bypass");
#ifdef PACKET_IGNORE_OUTGOING
  setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on);
#endif
  if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0) fail(name);
  return fd;
}

#endif
