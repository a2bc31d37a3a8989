// Preloaded into the engine's process: once it has told what the file of MEDITRON_TEST_HOLD names, it says so there and stands still
// until it is killed: see hold.js.
import { readFileSync, writeFileSync } from 'node:fs';

const { MEDITRON_TEST_HOLD: file } = process.env;

if (process.send !== undefined) {
  const send = process.send.bind(process);
  process.send = (notice, ...more) => {
    const sent = send(notice, ...more);
    if (!toldBy(notice).includes(named())) return sent;
    writeFileSync(file, `held ${process.pid}\n`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  };
}

function toldBy({ type, stage, events }) {
  if (type === 'stage') return [stage];
  if (type === 'progress') return ['load'];
  return type === 'batch' ? events.flatMap(([, each]) => each.map(event => event.type)) : [];
}

function named() {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
