/**
 * The topology file with its flows checked: the configuration's own rules
 * (config/yaml.ts) and those of flows (openflow/parse-flow.ts) in one reading,
 * so that whatever is wrong is told with line and column, before anything is
 * changed.
 */

import type { Config } from '../config/value.ts';
import { type CheckFlow, parseTopology } from '../config/yaml.ts';
import { TapflowError } from '../lib/error.ts';
import { parseFlowSpec } from '../openflow/parse-flow.ts';

/** @throws TapflowError BAD_CONFIG; its message has a line "file:line:column: message" for each problem */
export const readTopology = (text: string, fileName: string): Config =>
  parseTopology(text, fileName, complaintAbout);

const complaintAbout: CheckFlow = (flow, ports) => {
  // Numbers are not known before ports are open; any will do.
  const byName = (name: string) => (ports.has(name) ? 1 : undefined);
  try {
    parseFlowSpec(flow, 'add', { byName, nameOf: () => undefined });
    return undefined;
  } catch (error) {
    if (error instanceof TapflowError) return error.message;
    throw error;
  }
};
