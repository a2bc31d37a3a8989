// The disk is full at some byte of what is written: a record is whole or not there; an evaluation says why it stops, and goes on when there is room.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { broken, folder, meditron, models, report, share } from './scene.js';

// The campaign has mounted a small file system there, where it may.
if (statfsSync(folder).blocks * statfsSync(folder).bsize > 2 ** 20) report('file system', 'could not be mounted');
else {
  const input = 'Is it a fever?\nA. yes\nB. no\n';
  fillUp(Math.floor(share * 5));
  const record = join(folder, 'record.json');
  const asked = meditron(['ask', '-m', models.mini, '--mode', 'top-token', '--record', record, '-'], { input });
  report('record', asked.status);
  if (asked.status === 0) JSON.parse(readFileSync(record, 'utf8'));
  else if (asked.status !== 3 || !/ENOSPC/.test(asked.stderr))
    broken(`ask ended with ${asked.status}: ${asked.stderr}`);
  else if (readdirSync(folder).some(name => name !== 'filler')) broken(`left behind: ${readdirSync(folder)}`);

  const questions = Array.from({ length: 6 }, (_, i) =>
    JSON.stringify({ id: `q${i}`, question: `Is ${i} a fever?`, options: { A: 'yes', B: 'no' }, answer: 'A' }),
  );
  const file = join(process.env.FAULT_BESIDE, 'questions.jsonl');
  writeFileSync(file, `${questions.join('\n')}\n`);
  const evaluation = [
    'eval',
    '--file',
    file,
    '-m',
    models.mini,
    '--mode',
    'top-token',
    '--out',
    join(folder, 'results'),
  ];
  const first = meditron(evaluation);
  report('evaluation', first.status);
  if (first.status !== 0 && (first.status !== 3 || !/ENOSPC/.test(first.stderr)))
    broken(`eval ended with ${first.status}: ${first.stderr}`);
  execFileSync('mount', ['-o', 'remount,size=900k', folder]);
  const second = meditron([...evaluation, '--resume']);
  report('resumed', second.status);
  if (second.status !== 0) broken(`the evaluation did not go on: ${second.status} ${second.stderr}`);
  const rows = readFileSync(join(folder, 'results', 'results.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map(row => JSON.parse(row));
  if (rows.length < 6) broken(`${rows.length} rows of 6`);
}

/** Leaves so many pages free. */
function fillUp(pages) {
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(join(folder, 'filler'), Buffer.alloc(Math.max(0, bavail - pages) * bsize));
}
