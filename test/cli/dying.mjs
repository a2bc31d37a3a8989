// Preloaded into the engine's process: it claims a GPU if it is told to, and dies with the first text that it has to tell; if
// MEDITRON_TEST_SPARED says so, only once it has told that many ends of samples. The processes after it do neither.
import { existsSync, writeFileSync, writeSync } from 'node:fs';

const { MEDITRON_TEST_DIED: mark, MEDITRON_TEST_GPU: gpu, MEDITRON_TEST_SPARED: spared = '0' } = process.env;
let ends = 0;

if (process.send !== undefined && !existsSync(mark)) {
  const send = process.send.bind(process);
  process.send = (notice, ...more) => {
    if (notice.type === 'placed' && gpu) return send({ ...notice, devices: [...notice.devices, gpu] }, ...more);
    if (notice.type === 'result' && notice.value?.devices && gpu) {
      const devices = [...notice.value.devices, { ...notice.value.devices[0], name: gpu, type: 'gpu' }];
      return send({ ...notice, value: { ...notice.value, devices } }, ...more);
    }
    const sent = send(notice, ...more);
    if (notice.type !== 'batch') return sent;
    const events = notice.events.flatMap(([, events]) => events);
    if (ends >= Number(spared) && events.some(event => event.type === 'text')) {
      writeFileSync(mark, '');
      writeSync(2, 'CUDA error: an illegal memory access was encountered\n');
      process.kill(process.pid, 'SIGABRT');
    }
    ends += events.filter(event => event.type === 'end').length;
    return sent;
  };
}
