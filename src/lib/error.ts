/**
 * The error that tapflow throws for everything but misuse by a programmer
 * (which is a TypeError or RangeError).
 */
export class TapflowError extends Error {
  /** A constant such as 'EBUSY' or 'BAD_FLOW', for programs. */
  readonly code: string;

  /** @param message names the value, what was expected, and what to do */
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TapflowError';
    this.code = code;
  }
}
