import { hostProgram, launchNode } from '../host/launch.js';
import type { Launch, Transport } from '../host/transport.js';

/** The commands that load a model, and what is typed where none is, or not in another process. */
const loading = ['ask', 'prompt', 'replay', 'eval', 'run', 'chat', 'tokenize', 'check', 'demo'];
const otherwise = /^(-h|--help|--in-process|--(endpoint|rescore|compare)(=.*)?)$/s;

let early: Transport | undefined;

/** Starts the process that the model will run in, if the command needs one: it comes up while this one reads its own program. */
export function startEarly([command = '', ...flags]: readonly string[]): void {
  if (!loading.includes(command) || flags.some(flag => otherwise.test(flag))) return;
  early = launchNode(hostProgram());
  early.hold(false);
}

/** The process that was started early, once; then others. */
export const launchEarly: Launch = options => {
  const transport = early ?? launchNode(options);
  early = undefined;
  transport.hold(true);
  return transport;
};

/** Ends it if nobody has wanted it. */
export function endEarly(): void {
  early?.kill();
  early = undefined;
}
