/*
 * Packet sockets hand out frames without their outer VLAN tag; the tag comes
 * in a control message. This puts it back where it was, and keeps the
 * virtio-net header true.
 */
#include <endian.h>
#include <linux/if_ether.h>
#include <string.h>

#include "compat.h"
#include "io.h"

static const struct tpacket_auxdata *find_aux(const struct msghdr *message) {
  struct msghdr *mutable = (struct msghdr *)message;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(mutable); c != NULL; c = CMSG_NXTHDR(mutable, c)) {
    if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA &&
        c->cmsg_len >= CMSG_LEN(sizeof(struct tpacket_auxdata))) {
      return (const struct tpacket_auxdata *)CMSG_DATA(c);
    }
  }
  return NULL;
}

static void put16(uint8_t *at, uint16_t value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
}

/* Offsets in the header count from the Ethernet header, which is now 4 bytes further away. */
static void shift_offsets(struct virtio_net_hdr *header) {
  if (header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) header->csum_start += VLAN_SIZE;
  if (header->gso_type != VIRTIO_NET_HDR_GSO_NONE) header->hdr_len += VLAN_SIZE;
}

int packet_restore_vlan(uint8_t *frame, int size, const struct msghdr *message) {
  const int macs = VNET_SIZE + 2 * ETH_ALEN;
  const struct tpacket_auxdata *aux = find_aux(message);
  if (aux == NULL || !(aux->tp_status & TP_STATUS_VLAN_VALID) || size < macs) return 0;
  const bool has_tpid = aux->tp_status & TP_STATUS_VLAN_TPID_VALID;
  struct virtio_net_hdr header;
  memcpy(&header, frame, VNET_SIZE);
  shift_offsets(&header);
  memmove(frame - VLAN_SIZE + VNET_SIZE, frame + VNET_SIZE, 2 * ETH_ALEN);
  memcpy(frame - VLAN_SIZE, &header, VNET_SIZE);
  put16(frame - VLAN_SIZE + macs, has_tpid ? aux->tp_vlan_tpid : ETH_P_8021Q);
  put16(frame - VLAN_SIZE + macs + 2, aux->tp_vlan_tci);
  return VLAN_SIZE;
}
