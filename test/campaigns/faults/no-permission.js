// A model that may not be read, and a folder that may not be written.
import { accessSync, chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { attempt, broken, copyOf, folder, goesOn, load, meditron, models, report } from './scene.js';

const path = copyOf(models.stories);
const closed = join(folder, 'closed');
mkdirSync(closed, { mode: 0o555 });
chmodSync(path, 0);
chmodSync(folder, 0o755);
if (process.getuid?.() === 0) {
  // Root may read everything.
  process.setgroups([]);
  process.setgid(65534);
  process.setuid(65534);
}
if (!readable(models.stories)) report('project', 'not readable for anybody but root');
else {
  await attempt('load', async () => broken(`loaded ${await load({ path })}`), ['ERR_MODEL_FILE']);
  const asked = ['ask', '-m', models.mini, '--mode', 'top-token', '--record', join(closed, 'record.json'), '-'];
  const { status, stderr } = meditron(asked, { input: 'Is it a fever?\nA. yes\nB. no\n' });
  report('record', status);
  if (status !== 3 || !stderr.includes('cannot be written')) broken(`the command ended with ${status}: ${stderr}`);
  await goesOn();
}

function readable(file) {
  try {
    accessSync(file);
    return true;
  } catch {
    return false;
  }
}
