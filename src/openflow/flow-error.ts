/** Complaints about flows' text: TapflowErrors with the code BAD_FLOW. */
import { TapflowError } from '../lib/error.ts';

export const badFlow = (message: string, options?: ErrorOptions): TapflowError =>
  new TapflowError('BAD_FLOW', message, options);

/** @param complaint the end of a sentence that begins with the action's name */
export const badAction = (name: string, complaint: string): TapflowError =>
  badFlow(`action "${name}" ${complaint}`);

export const badArgument = (action: { text: string }, complaint: string): TapflowError =>
  badFlow(`action "${action.text}" ${complaint}`);
