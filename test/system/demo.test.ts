import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { run } from './lab.ts';
import { CLI, describeSystem } from './requirements.ts';

/** What a demo with this process id, or any process of its, may have left. */
async function leftovers(pid: number): Promise<string[]> {
  const { stdout } = await run('ip', 'netns', 'list');
  const namespaces = stdout.split('\n').filter((line) => line.startsWith(`tapflow-${pid}-`));
  const { stdout: processes } = await run('ps', '-eo', 'args');
  const running = processes.split('\n').filter((line) => line.includes(`tapflow-${pid}-`));
  const directories = readdirSync(tmpdir()).filter((name) =>
    name.startsWith(`tapflow-demo-${pid}-`),
  );
  return [...namespaces, ...running, ...directories];
}

interface Demo {
  pid: number;
  code: number | null;
  stdout: string;
  stderr: string;
}

/** @param interruptAt Ctrl-C, to the whole process group as a terminal does it, when it has said this */
function demo(interruptAt?: string): Promise<Demo> {
  const child = spawn(process.execPath, [CLI, 'demo'], { detached: true });
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
    if (interruptAt === undefined || !stdout.includes(interruptAt)) return;
    interruptAt = undefined;
    process.kill(-Number(child.pid), 'SIGINT');
  });
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ pid: Number(child.pid), code, stdout, stderr }));
  });
}

describeSystem('tapflow demo', () => {
  it('tells its story on real namespaces, and leaves nothing behind', {
    timeout: 60_000,
  }, async () => {
    const { pid, code, stdout, stderr } = await demo();
    expect(stderr).toBe('');
    expect(stdout).toContain('three network namespaces, TAP ports, real traffic');
    expect(stdout).not.toContain('✗');
    expect(stdout).not.toContain('\x1b');
    expect(code).toBe(0);
    expect(await leftovers(pid)).toEqual([]);
  });

  it.each([
    ['at once', 'tapflow'],
    ['in the middle', 'TCP'],
    ['near its end', 'del-flows'],
  ])('leaves nothing behind when interrupted %s', { timeout: 60_000 }, async (_, word) => {
    const { pid, code, stderr } = await demo(word);
    expect(stderr).toBe('tapflow: interrupted; the switch was stopped\n');
    expect(code).toBe(1);
    expect(await leftovers(pid)).toEqual([]);
  });
});
