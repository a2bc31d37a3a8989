import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { registry } from '../../src/models/registry.js';
import { scratch } from '../gguf/sample.js';
import { meditron, model, root } from './command.js';

const dir = scratch();
const mini = join(root, 'models', 'meditron-mini.gguf');
const hashOfMini = /SHA-256 `([0-9a-f]{64})`/.exec(readFileSync(join(root, 'models', 'meditron-mini.md'), 'utf8'))![1]!;
let state = '';
let runs = 0;
beforeEach(() => {
  state = dir.path(`state-${runs++}`);
});
const run = (...args: string[]) => meditron(args, '', { MEDITRON_STATE: state });
const json = async (...args: string[]) => JSON.parse((await run(...args, '--json')).stdout);

describe('meditron models', () => {
  test('lists what is known, what it takes here, and what is here', async () => {
    const report = await json('models');
    expect(report).toMatchObject({ schema: 'meditron-models/1', machine: { cores: expect.any(Number) } });
    expect(report.known.map(({ id }: { id: string }) => id)).toEqual(registry.map(({ id }) => id));
    const apertus = report.known.find(({ id }: { id: string }) => id === 'apertus-8b-meditronfo');
    expect(apertus).toMatchObject({ format: 'apertus', licence: 'Apache 2.0', gguf: [], refusal: null });
    expect(apertus.quantizations.map((row: { quantization: string }) => row.quantization)).toContain('Q4_K_M');
    for (const row of apertus.quantizations) expect(row.memoryBytes).toBeGreaterThan(row.sizeBytes);
    expect(report.here).toEqual([expect.objectContaining({ name: 'meditron-mini', from: 'shipped', problems: [] })]);
    expect(report.here[0].format).toMatchObject({ format: 'chatml', facts: { id: 'meditron-mini' } });
    const text = (await run('models')).stdout;
    for (const { id } of registry) if (id !== 'meditron-mini') expect(text).toContain(`\n${id} `);
  });

  test('says everything of one that is known, and of files and folders that are named', async () => {
    copyFileSync(model, dir.path('Meditron3-8B.Q4_K_M.gguf'));
    const { code, stdout } = await run('models', 'Meditron3-8B', dir.path('Meditron3-8B.Q4_K_M.gguf'));
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/trained on +8,192 tokens at once[\s\S]*not known +how its makers/),
    ]);
    expect(stdout).toMatch(/but +No prompt format was chosen.*\n[\s\S]*stories/);
    const { here } = await json('models', dir.path('.'));
    expect(here.map(({ path }: { path: string }) => path)).toEqual([dir.path('Meditron3-8B.Q4_K_M.gguf')]);
    expect(await run('models', 'gpt-9')).toMatchObject({ code: 2, stderr: expect.stringContaining('meditron3-8b') });
  });

  test('add checks, hashes and names a file, which then goes by its name; verify notices a change', async () => {
    const path = dir.path('meditron-mini.gguf');
    copyFileSync(mini, path);
    const added = await json('models', 'add', path, '--name', 'Ward 3');
    expect(added).toMatchObject({
      name: 'Ward 3',
      path,
      sha256: hashOfMini,
      published: true,
      format: { format: 'chatml' },
    });
    const question = 'Which is a fruit?\nA. apple\nB. stone\n';
    const asked = await meditron(['prompt', '-m', 'ward 3'], question, { MEDITRON_STATE: state });
    expect([asked.code, asked.stdout]).toEqual([0, expect.stringContaining('apple')]);
    expect((await json('models', 'ward 3')).here).toEqual([
      expect.objectContaining({ name: 'Ward 3', from: 'named', sha256: hashOfMini, published: true }),
    ]);
    expect(JSON.parse((await run('inspect', 'WARD 3', '--json')).stdout)).toMatchObject({
      path,
      facts: { id: 'meditron-mini' },
    });
    const shown = (await meditron(['menu'], '4\n\n0\n', { MEDITRON_STATE: state })).stdout;
    expect(shown).toMatch(/ 1 {2}Ward 3, the demonstration: adds up.*\n +2 {2}the demonstration: adds up/);
    expect((await run('models', 'verify')).stdout).toBe(`ok Ward 3: unchanged, SHA-256 ${hashOfMini}\n`);
    const bytes = readFileSync(path);
    bytes[bytes.length - 9]! ^= 1;
    writeFileSync(path, bytes);
    expect(await run('models', 'verify', 'Ward 3')).toMatchObject({
      code: 4,
      stdout: expect.stringMatching(/^× Ward 3: .*another file/),
    });
    rmSync(path);
    expect((await json('models', 'verify'))[0]).toMatchObject({ state: 'missing' });
    expect((await run('models', 'remove', 'ward 3')).stdout).toMatch(/^Ward 3 is forgotten/);
    expect((await json('models')).here).toHaveLength(1);
  });

  test('a panel takes names of added models, a comma in them too, with a family before and a format behind, and replays by them', async () => {
    const [tales, own] = [dir.path('tales.gguf'), dir.path('own.gguf')];
    copyFileSync(model, tales);
    copyFileSync(mini, own);
    await run('models', 'add', tales, '--name', 'Tales');
    await run('models', 'add', own, '--name', 'Ward 3, east');
    const [question, record] = [dir.path('question.json'), dir.path('panel.json')];
    writeFileSync(question, JSON.stringify({ question: 'Who was it?', options: ['a dog', 'a cat'] }));
    const asked = await json(
      ...[
        'ask',
        '--panel',
        'x=tales@raw',
        '--panel',
        'ward 3, east',
        '--mode',
        'top-token',
        '--record',
        record,
        question,
      ],
    );
    expect(asked.members.map(({ file, called, state }: Record<string, unknown>) => [file, called, state])).toEqual([
      ['tales.gguf', 'x', 'answered'],
      ['own.gguf', null, 'answered'],
    ]);
    const places = ['--panel', 'TALES', '--panel', 'Ward 3, east'];
    expect(await run('replay', record, ...places)).toMatchObject({ code: 0 });
  });

  test('add copies nothing but when told to, and refuses what cannot be used or kept', async () => {
    const copies = dir.path('copies');
    const added = await json('models', 'add', mini, '--copy', copies);
    expect([added.path, added.sha256]).toEqual([join(copies, 'meditron-mini.gguf'), hashOfMini]);
    expect((await json('models', 'meditron-mini')).here).toEqual([
      expect.objectContaining({ path: added.path, sha256: hashOfMini, published: true, problems: [] }),
    ]);
    const again = (await run('models', 'add', mini)).stdout;
    expect(again.replace(/\s+/g, ' ')).toContain(`It takes the place of meditron-mini (${added.path})`);
    expect((await run('models', 'add', mini)).stdout).not.toContain('takes the place');
    expect(await run('models', 'add', mini, '--copy', copies)).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/there already/),
    });
    expect((await run('models', 'add', join(root, 'package.json'))).code).toBe(4);
    expect((await run('models', 'add', mini, '--name', 'a/b')).code).toBe(2);
    expect(await meditron(['models', 'add', mini], '', { MEDITRON_STATE: 'none' })).toMatchObject({ code: 3 });
  });

  test('get prints what to fetch and fetches nothing', async () => {
    const ways = await json('models', 'get', 'meditron-7b', '--quantization', 'q4_0');
    expect(ways.files[0]).toMatchObject({
      url: 'https://huggingface.co/TheBloke/meditron-7B-GGUF/resolve/main/meditron-7b.Q4_0.gguf',
      sha256: '4b51ef2491cef2baac3156dcb1226408edb03a85eff69b2b5255e20de150d3ab',
    });
    const { stdout } = await run('models', 'get', 'olmo-2-32b-meditronfo');
    expect(stdout).toMatch(
      /Nothing was fetched[\s\S]*hf download EPFLiGHT\/OLMo-2-32B-MeditronFO[\s\S]*llama-quantize/,
    );
    const none = await run('models', 'get', 'olmo-2-32b-meditronfo', '--download');
    expect(none).toMatchObject({ code: 2, stderr: expect.stringMatching(/No GGUF file/) });
  });

  test('get --download fetches one file, from this machine in this test', async () => {
    const server = createServer((_, response) => response.end(readFileSync(mini)));
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/meditron-mini.gguf`;
    const done = await json('models', 'get', 'meditron-7b', '--download', '--url', url, '--to', dir.path('fetched'));
    server.close();
    expect(done).toMatchObject({
      path: join(dir.path('fetched'), 'meditron-mini.gguf'),
      sha256: hashOfMini,
      comparedWith: null,
    });
    expect(readFileSync(done.path).equals(readFileSync(mini))).toBe(true);
  });
});
