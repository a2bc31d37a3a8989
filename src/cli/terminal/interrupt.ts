import { Interrupted } from './interrupted.js';
import { outputLost } from './output.js';

/** Ctrl-C and its kin as an abort signal, until disposed of. */
export interface Interrupt extends Disposable {
  /** Its reason says who interrupted, and the exit code that goes with it. */
  readonly signal: AbortSignal;
}

/** On Windows Ctrl-Break is SIGBREAK, and SIGHUP says that the window is closed: the system ends the process some seconds later. */
const signals: Readonly<Partial<Record<NodeJS.Signals, number>>> = {
  SIGINT: 130,
  SIGTERM: 143,
  ...(process.platform === 'win32' && { SIGBREAK: 130, SIGHUP: 143 }),
};

/** The first signal asks the work to stop and show what there is; a second one of any kind ends the process on the spot. */
export function interrupts(): Interrupt {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    const code = signals[name]!;
    if (controller.signal.aborted) process.exit(code);
    controller.abort(new Interrupted(code === 130 ? 'Interrupted' : 'Terminated', code));
  };
  for (const name of Object.keys(signals)) process.on(name, onSignal);
  return {
    signal: AbortSignal.any([controller.signal, outputLost]),
    [Symbol.dispose]() {
      for (const name of Object.keys(signals)) process.off(name, onSignal);
    },
  };
}
