/** Where a program prints: its process's streams, or a test's strings. */
export interface Output {
  print(text: string): void;
  printError(text: string): void;
}

/** The process's own. Who reads it may go, as in `ovsdb-client dump | head`, which ends the program. */
export const processOutput: Output = {
  print(text) {
    if (process.stdout.listenerCount('error') === 0) {
      process.stdout.on('error', () => process.exit(1));
    }
    process.stdout.write(text);
  },
  printError(text) {
    process.stderr.write(text);
  },
};
