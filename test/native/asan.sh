#!/bin/sh
# Builds the addon with AddressSanitizer and UndefinedBehaviorSanitizer into a
# directory of its own and runs test/native/exercise.cjs against it: every
# function, good and bad arguments, both backends, real frames. The leak check
# is off (Node itself does not free at exit); descriptors are counted instead.
# Needs root. The last line says "asan: ok".
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags="-std=gnu11 -Wall -Wextra -O1 -g -fno-omit-frame-pointer -DNAPI_VERSION=8 -D_GNU_SOURCE"
sanitize="-fsanitize=address,undefined -fno-sanitize-recover=undefined"
include=$(node -p "path.resolve(process.execPath, '../../include/node')")
# shellcheck disable=SC2086
cc $flags $sanitize -DNODE_GYP_MODULE_NAME=tapflow -fPIC -shared -I"$include" \
  -o "$work/tapflow.node" "$root"/native/*.c
LD_PRELOAD=$(cc -print-file-name=libasan.so) \
  ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 \
  UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 \
  node "$root/test/native/exercise.cjs" "$work/tapflow.node"
echo "asan: ok"
