"""Sends small UDP frames from ever new ports and addresses until it is killed: each is a miss for the switch."""
import itertools
import socket
import struct
import sys

s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
print("flooding", flush=True)
for n in itertools.count():
    mac = b"\x02" + struct.pack("!IB", n & 0xFFFFFFFF, 7)
    ip = struct.pack("!BBHHHBBHII", 0x45, 0, 28, 0, 0, 64, 17, 0, 0x0A440001, n & 0xFFFFFFFF)
    udp = struct.pack("!HHHH", n & 0xFFFF, 1, 8, 0)
    try:
        s.send(b"\x02\xee\xee\xee\xee\xee" + mac + b"\x08\x00" + ip + udp)
    except OSError:
        pass
