/**
 * System tests need root, /dev/net/tun and network namespaces, and the built
 * dist/. Where something is missing they are skipped, by name and with the
 * reason; with TAPFLOW_REQUIRE_SYSTEM=1 such a skip is a failure.
 */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'vitest';

export const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export function describeSystem(name: string, body: () => void): void {
  const missing = whatIsMissing();
  if (missing === undefined) {
    describe(name, body);
  } else if (process.env.TAPFLOW_REQUIRE_SYSTEM === '1') {
    it(name, () => {
      throw new Error(`TAPFLOW_REQUIRE_SYSTEM=1, but this test cannot run: ${missing}`);
    });
  } else {
    it.skip(`${name} (skipped: ${missing})`, () => undefined);
  }
}

let known: { missing: string | undefined } | undefined;

function whatIsMissing(): string | undefined {
  known ??= { missing: lookForWhatIsMissing() };
  return known.missing;
}

function lookForWhatIsMissing(): string | undefined {
  if (!existsSync(CLI)) return `${CLI} is not built: run npm run build`;
  if (process.getuid?.() !== 0) return 'not root';
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
  } catch (error) {
    return `/dev/net/tun: ${(error as Error).message}`;
  }
  return refusedNamespaces();
}

function refusedNamespaces(): string | undefined {
  const name = `tapflow-probe-${process.pid}`;
  try {
    execFileSync('ip', ['netns', 'add', name], { stdio: 'pipe' });
    execFileSync('ip', ['netns', 'del', name], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `network namespaces: ${(error as Error).message}`;
  }
}
