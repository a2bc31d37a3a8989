import { inFlags } from '../flags.js';

/** Tells the user on stderr of something that does not stop the work. */
export function warn(message: string): void {
  process.stderr.write(`meditron: warning: ${inFlags(message)}\n`);
}
