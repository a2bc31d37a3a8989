import { inFlags } from '../flags.js';
import { say } from './output.js';

/** Tells the user on stderr of something that does not stop the work. */
export function warn(message: string): void {
  say(`meditron: warning: ${inFlags(message)}`);
}
