/** `tapflow demo`: sees a switch run, and says what it saw. */
import type { Command } from 'commander';
import { CliError } from './control.ts';
import { openDummyStage } from './demo/dummy-stage.ts';
import { openNamespaceStage } from './demo/namespace-stage.ts';
import { paint } from './demo/paint.ts';
import type { Stage } from './demo/stage.ts';
import { type StepResult, tell } from './demo/story.ts';

const HELP = `
Three network namespaces are joined by a switch; one is in a VLAN of its own.
ping, TCP and UDP cross, then a flow is added that drops one of them. Nothing is
left behind. Needs root for namespaces and TAP ports; without, the same story is
told on dummy ports.`;

export function demo(program: Command): void {
  const command = program
    .command('demo')
    .summary('Watch namespaces talk through the switch')
    .description('Watch namespaces talk through the switch.')
    .option('--json', 'print JSON instead of text')
    .addHelpText('after', HELP);
  command.action(async ({ json }: { json?: boolean }) => {
    process.exitCode = await play(json === true);
  });
}

async function play(json: boolean): Promise<number> {
  const print = (text: string) => json || process.stdout.write(text);
  const colours = paint(process.stdout.isTTY && process.env.NO_COLOR === undefined);
  const interrupted = interruption();
  print(`\n${colours.bold('tapflow')}: a virtual switch, entirely in userspace\n`);
  const { stage, refusal } = await openStage();
  if (refusal !== undefined) print(refusalText(colours.bad(refusal)));
  let steps: StepResult[];
  try {
    steps = await Promise.race([interrupted, tell(stage, print, colours)]);
  } finally {
    await stage.close();
  }
  if (json) process.stdout.write(`${JSON.stringify({ refusal, steps }, null, 2)}\n`);
  print('\n  The switch has stopped, and nothing is left behind.\n');
  print(`  Next: ${colours.bold('tapflow up FILE')} with a file of examples/.\n\n`);
  return exitCode(steps, refusal);
}

const refusalText = (reason: string): string => `
  TAP ports and namespaces cannot be used here:
    ${reason}
  So the same story is played on dummy ports, and its times mean nothing.
`;

/** Where system tests are required, the dummy stage is not enough. */
function exitCode(steps: StepResult[], refusal: string | undefined): number {
  if (refusal !== undefined && process.env.TAPFLOW_REQUIRE_SYSTEM === '1') return 1;
  return steps.every((step) => step.as_expected) ? 0 : 1;
}

async function openStage(): Promise<{ stage: Stage; refusal?: string }> {
  try {
    return { stage: await openNamespaceStage() };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { stage: await openDummyStage(), refusal: error.message };
  }
}

/** Rejects on Ctrl-C: the story then ends where it is, and the stage is cleared. */
function interruption(): Promise<never> {
  const promise = new Promise<never>((_, reject) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => reject(new CliError('interrupted; the switch was stopped')));
    }
  });
  // It may come while the stage is being opened, before anybody waits for it.
  promise.catch(() => undefined);
  return promise;
}
