import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/** Every file of the sources that writes to the disk: what, when, and whether that can hold a question or an answer. */
const writers: Readonly<Record<string, string>> = {
  'check/outputs.ts': 'nothing itself: the one way in which the others write',
  'check/kept.ts':
    'devices.json (what GPUs did in a probe) and hashes.json (SHA-256 of model files) in the folder of state, unasked: hold neither',
  'cli/commands/ask.ts': 'the record of --record: holds both',
  'cli/commands/eval.ts': 'report.json and report.html in the folder of --out, the page of --html: hold both',
  'cli/models/copy.ts': 'a model file that `models add --copy` copies: holds neither',
  'cli/models/fetch.ts': 'the model file that `models get` fetches when told to: holds neither',
  'cli/panel/ask.ts': 'the record of ask --panel --record: holds both',
  'engine/saved/file.ts':
    'the prefix of engine.savePrefix and of --prefix, which keeps no question: holds the prompt and what the model computed of it',
  'engine/saved/key.ts': 'the key of saved prefixes in the folder of state, made with the first: holds neither',
  'engine/width/kept.ts':
    'widths/*.json in the folder of state, unasked: how long steps took and how many samples run at once, holds neither',
  'evaluate/panel/folder.ts':
    'panel.json in the folder of eval --panel --out, which models were measured how: holds neither',
  'evaluate/storage/incidents.ts': 'incidents.json in the folder of eval --out, how the engine died: holds neither',
  'evaluate/storage/journal.ts': 'results.jsonl in the folder of eval --out: holds both',
  'evaluate/storage/lock.ts': 'an empty lock in that folder: holds neither',
  'gguf/writer.ts': 'models of random weights, for measurements and tests: hold neither',
  'models/open.ts': 'a copy of a small model file without a name, gone when it is there: holds neither',
  'native/probe.ts': 'nothing to the disk; what it finds to its standard output',
  'server/meditron/history/store.ts':
    'history/*.json in the folder of state, once somebody has turned history on, encrypted if they wish: holds both',
  'server/meditron/runwork.ts':
    'an empty temporary folder for an evaluation without `out`, gone with the server: what evaluate writes into it holds both',
  'synth/synth.ts': 'nothing; removes a model that was not finished',
};

const writing =
  /\b(write|append|mkdir|mkdtemp|rename|copyFile|cp|link|symlink|truncate|rm|unlink|utimes|chmod|createWriteStream)\w*\b/;
const opensToWrite = /\bopen\w*\([^;]*?('(w|a|r\+)|O_(RDWR|WRONLY|CREAT))/;

test('what can be written is in one list', () => {
  const sources = fileURLToPath(new URL('../../src', import.meta.url));
  const found = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter(name => {
    if (!name.endsWith('.ts')) return false;
    const text = readFileSync(join(sources, name), 'utf8');
    const imports = [...text.matchAll(/import ([^;]*?) from 'node:fs(?:\/promises)?';/g)].map(([, names]) => names!);
    if (/\b(write|make)Output\b/.test(text)) return true;
    if (imports.length === 0) return false;
    return imports.some(names => writing.test(names) || !names.includes('{')) || opensToWrite.test(text);
  });
  expect(found.map(name => name.replaceAll('\\', '/')).sort()).toEqual(Object.keys(writers).sort());
});
