"""Opens TCP connections one by one to a closed port of ADDRESS, and prints how many of COUNT were answered (refused)."""
import socket
import sys

answered = 0
for _ in range(int(sys.argv[2])):
    with socket.socket() as s:
        s.settimeout(1)
        try:
            s.connect((sys.argv[1], 9))
        except ConnectionRefusedError:
            answered += 1
        except OSError:
            pass
print(answered)
