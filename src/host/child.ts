/*
 * The program of a host's process. It serves the process that started it, keeps nothing, and ends at once when that process does:
 * when the channel between them closes and, should that fail, when it is no longer this process's parent.
 */

import type { Command, Notice } from './protocol.js';
import { Service } from './serve.js';

/** How often the parent is looked for. */
const parentMs = 500;

// Ctrl-C goes to the whole terminal: what becomes of the work is the parent's affair.
// SIGUSR1 would have Node open a port for a debugger.
const ignored = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK', 'SIGUSR1'] as const;
for (const signal of ignored) process.on(signal, () => {});

// Nothing is worth tidying up: the system takes back memory and devices.
const leave = () => {
  process.kill(process.pid, 'SIGKILL');
};
process.on('disconnect', leave);
process.on('uncaughtException', error => {
  // Where it was thrown, not what it says: a message may quote what it could not use.
  process.stderr.write(
    `${error.name}\n${(error.stack ?? '')
      .split('\n')
      .filter(line => /^\s+at /.test(line))
      .slice(0, 6)
      .join('\n')}\n`,
  );
  process.exit(70);
});

if (process.send === undefined) {
  process.stderr.write('This program is started by meditron itself.\n');
  process.exit(2);
}
const service = new Service((notice: Notice) => {
  if (process.connected) process.send!(notice, undefined, {}, () => {});
});
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) leave();
}, parentMs).unref();
process.on('message', message => service.take(message as Command));
if (!process.connected) leave(); // it went before anybody listened
