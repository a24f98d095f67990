import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Without iproute2 on its path the demo can make no namespace, whoever runs it. */
function demoWithoutNamespaces(...args: string[]) {
  return new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
    const env = { ...process.env, PATH: '/nonexistent', TAPFLOW_REQUIRE_SYSTEM: '' };
    execFile(process.execPath, [CLI, 'demo', ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, stdout, stderr });
    });
  });
}

it('the demo says why it cannot use namespaces, and plays on dummy ports', async () => {
  const { code, stdout, stderr } = await demoWithoutNamespaces();
  expect(stdout).toMatch(/cannot be used here:\n {4}\S.*\n {2}So the same story/);
  expect(stdout).toContain('alice pings bob           ✓ 5 of 5 answered\n');
  expect(stdout).toContain('alice pings carol         ✓ 0 of 3 answered\n');
  expect(stdout).not.toContain('✗');
  expect([code, stderr]).toEqual([0, '']);
});

it('the demo gives its numbers as JSON', async () => {
  const { stdout } = await demoWithoutNamespaces('--json');
  const { refusal, steps } = JSON.parse(stdout) as {
    refusal: string;
    steps: { packets: number }[];
  };
  expect(refusal).toMatch(/^alice: /);
  expect(steps).toHaveLength(7);
  expect(steps[0]).toMatchObject({ step: 'alice pings bob', packets: 10, upcalls: 2 });
});
