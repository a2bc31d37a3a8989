import { beforeAll, expect, test } from 'vitest';
import { entry } from '../../src/gguf/metadata.js';
import { writeGguf } from '../../src/gguf/writer.js';
import { sourcesOf, tinyModel } from '../../src/synth/tiny.js';
import { scratch } from '../gguf/sample.js';
import { meditron } from './command.js';

const dir = scratch();
let path = '';
const beyond =
  /[2-9]\d{3} in all; MEDITRON-7B, base weights was trained on 2048 at once \(arXiv 2311\.16079, section 4\.1\)/;
/** A token a character. */
const text = (length: number) => 'x'.repeat(length);

beforeAll(async () => {
  const { metadata, tensors } = tinyModel({ architecture: 'llama', hyper: { context: 4096, layers: 1 } });
  metadata.set('general.name', entry.string('meditron-7b'));
  path = dir.path('meditron-7b.Q4_K_M.gguf');
  await writeGguf(path, metadata, sourcesOf(tensors));
});

test.each(['run', 'ask', 'chat'] as const)(
  '%s warns of what is longer than the model was trained on, though its file bears it',
  async command => {
    const of = async (length: number) => {
      const format = command === 'run' ? [] : ['--format', command === 'ask' ? 'raw' : 'chatml'];
      const args = [command, '-m', path, '--in-process', '--threads', '1', '--max-tokens', '8', '--json', ...format];
      const once = command === 'ask' ? ['--mode', 'free', '-n', '1'] : [];
      const { code, stdout } = await meditron([...args, ...once], `${text(length)}\n`);
      expect(code).toBe(0);
      return JSON.parse(stdout).warnings.filter((warning: string) => beyond.test(warning)).length;
    };
    expect([await of(1000), await of(2041)]).toEqual([0, 1]);
  },
);
