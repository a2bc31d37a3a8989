// Preloaded into the command: it is interrupted, as by Ctrl-C, as soon as its engines have told it so many ends of samples.
import { ChildProcess } from 'node:child_process';

const { MEDITRON_TEST_HEARD: heard } = process.env;
let ends = 0;

if (process.send === undefined) {
  const { emit } = ChildProcess.prototype;
  ChildProcess.prototype.emit = function (name, notice, ...more) {
    const emitted = emit.call(this, name, notice, ...more);
    if (name !== 'message' || notice.type !== 'batch') return emitted;
    const before = ends;
    ends += notice.events.flatMap(([, events]) => events).filter(event => event.type === 'end').length;
    if (before < Number(heard) && ends >= Number(heard)) process.kill(process.pid, 'SIGINT');
    return emitted;
  };
}
