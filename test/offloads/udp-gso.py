"""UDP segmentation offload, as an application asks for it.

udp-gso.py receive PORT COUNT          prints "ready", then how many of COUNT datagrams came,
                                       as "good bad"; good ones carry their number throughout
udp-gso.py send ADDRESS PORT COUNT     in writes of 40 datagrams of 1,400 bytes
"""
import os
import socket
import struct
import sys

UDP_SEGMENT, SIZE, BATCH = 103, 1400, 40


def datagram(number):
    return struct.pack("!I", number) * (SIZE // 4)


# In one piece: print may write the end of the line by itself.
def say(line):
    os.write(1, (line + "\n").encode())


if sys.argv[1] == "receive":
    port, count = int(sys.argv[2]), int(sys.argv[3])
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, 33, 1 << 23)
    s.bind(("::", port))
    s.settimeout(3)
    say("ready")
    good = bad = 0
    try:
        while good + bad < count:
            data = s.recv(1 << 16)
            if data == datagram(struct.unpack("!I", data[:4])[0]):
                good += 1
            else:
                bad += 1
    except TimeoutError:
        pass
    say("%d %d" % (good, bad))
else:
    address, port, count = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_UDP, UDP_SEGMENT, SIZE)
    for first in range(0, count, BATCH):
        s.sendto(b"".join(datagram(n) for n in range(first, first + BATCH)), (address, port))
