/** How a run of vsctl ends early. */
import { TapflowError } from '../../lib/error.ts';

/** Ends the run: the message, if there is one, is printed after the program's name. */
export class VsctlError extends TapflowError {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super('VSCTL', message);
    this.exitCode = exitCode;
  }
}

/** br-exists says no: no message, and nothing of what other commands would print. */
export const EXIT_NO_BRIDGE = 2;
