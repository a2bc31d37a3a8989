// Preloaded into the engine's process: it claims a GPU if it is told to, and dies with the first text that it has to tell. The
// processes after it do neither.
import { existsSync, writeFileSync, writeSync } from 'node:fs';

const { MEDITRON_TEST_DIED: mark, MEDITRON_TEST_GPU: gpu } = process.env;

if (process.send !== undefined && !existsSync(mark)) {
  const send = process.send.bind(process);
  process.send = (notice, ...more) => {
    if (notice.type === 'placed' && gpu) return send({ ...notice, devices: [...notice.devices, gpu] }, ...more);
    if (notice.type === 'result' && notice.value?.devices && gpu) {
      const devices = [...notice.value.devices, { ...notice.value.devices[0], name: gpu, type: 'gpu' }];
      return send({ ...notice, value: { ...notice.value, devices } }, ...more);
    }
    const sent = send(notice, ...more);
    if (notice.type === 'batch' && notice.events.some(([, events]) => events.some(event => event.type === 'text'))) {
      writeFileSync(mark, '');
      writeSync(2, 'CUDA error: an illegal memory access was encountered\n');
      process.kill(process.pid, 'SIGABRT');
    }
    return sent;
  };
}
