{
  "targets": [
    {
      "target_name": "tapflow",
      "sources": [
        "native/addon.c",
        "native/args.c",
        "native/close-later.c",
        "native/ethtool.c",
        "native/event.c",
        "native/io-plain.c",
        "native/io-turn.c",
        "native/io-uring.c",
        "native/io.c",
        "native/link-watch.c",
        "native/link.c",
        "native/netlink.c",
        "native/netns.c",
        "native/packet-vlan.c",
        "native/packet.c",
        "native/process.c",
        "native/tap.c",
        "native/uring.c"
      ],
      "cflags": ["-std=gnu11", "-Wall", "-Wextra", "-O2"],
      "defines": ["NAPI_VERSION=8", "_GNU_SOURCE"]
    }
  ]
}
