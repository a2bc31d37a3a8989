// Whoever reads the command's output goes away, before or after some of it; or the disk that takes it is full.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { broken, meditron, models, report, share } from './scene.js';

const command = fileURLToPath(new URL('../../../bin/meditron.js', import.meta.url));
const run = [
  'run',
  '-m',
  models.stories,
  '-p',
  'Once upon a time',
  '--max-tokens',
  '300',
  ...(share < 0.3 ? ['--json'] : []),
];
const child = spawn(process.execPath, [command, ...run], { stdio: ['ignore', 'pipe', 'pipe'] });
let words = '';
child.stderr.on('data', chunk => {
  words += chunk;
});
let seen = 0;
const wanted = Math.floor(share * 600);
child.stdout.on('data', chunk => {
  seen += chunk.length;
  if (seen > wanted) child.stdout.destroy();
});
if (wanted < 100) child.stdout.destroy();
const [code, signal] = await once(child, 'exit');
report('reader gone', code ?? signal);
if (signal || ![0, 3].includes(code) || /\n\s+at /.test(words)) broken(`ended with ${code ?? signal}: ${words}`);

const { status, stderr } = meditron(run, { stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'] });
report('full', status);
if (status !== 3 || !stderr.includes('ENOSPC')) broken(`ended with ${status}: ${stderr}`);
