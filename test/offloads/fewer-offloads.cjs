/**
 * Preloaded into a switch (node --require): TAPs named in TAPFLOW_TEST_OFFLOADS,
 * a JSON map of name to OFFLOAD_* bits, are opened as on a kernel that knows no
 * other offloads. No configuration brings that about, but software
 * segmentation and checksums are to be seen end to end.
 */
const Module = require('node:module');

const limits = JSON.parse(process.env.TAPFLOW_TEST_OFFLOADS ?? '{}');
const load = Module._load;

Module._load = (request, ...rest) => {
  const loaded = load(request, ...rest);
  return request === 'node-gyp-build' ? (root) => limited(loaded(root)) : loaded;
};

function limited(binding) {
  const { openTap } = binding;
  return {
    ...binding,
    openTap: (options) =>
      openTap({ ...options, offloads: options.offloads & (limits[options.name] ?? -1) }),
  };
}
