import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadHere } from '../../src/engine/direct/model.js';
import { entry, numbersAt, stringsAt } from '../../src/gguf/metadata.js';
import { tokenTypes } from '../../src/gguf/types.js';
import { writeGguf } from '../../src/gguf/writer.js';
import { sourcesOf, tinyModel } from '../../src/synth/tiny.js';
import { splitThinking, thinkingMarks } from '../../src/vote/read/thinking.js';
import { ends, oneThread } from './stories.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meditron-thinking-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A tiny model some of whose pieces are the control tokens around thinking, as a conversion writes them. */
async function thinker(marks: readonly string[]): Promise<{ readonly path: string; readonly ids: readonly number[] }> {
  const { metadata, tensors } = tinyModel({ architecture: 'llama' });
  const pieces = stringsAt(metadata, 'tokenizer.ggml.tokens')!;
  const tokens = Array.from({ length: pieces.length }, (_, id) => pieces.at(id));
  const types = Int32Array.from(numbersAt(metadata, 'tokenizer.ggml.token_type')!);
  const ids = marks.map((mark, i) => {
    const id = tokens.length - 1 - i;
    tokens[id] = mark;
    types[id] = tokenTypes.control;
    return id;
  });
  metadata.set('tokenizer.ggml.tokens', entry.strings(tokens));
  metadata.set('tokenizer.ggml.token_type', entry.i32s(types));
  const path = join(folder, `${marks.length}.gguf`);
  await writeGguf(path, metadata, sourcesOf(tensors), { force: true });
  return { path, ids };
}

test('control tokens around thinking are in the text, so that it can be told from the answer; others are not', async () => {
  const { path, ids } = await thinker([...thinkingMarks.flat(), '<|other|>']);
  await using model = await loadHere({ path });
  await using engine = await model.createEngine(oneThread);
  const written: string[] = [];
  for (const id of ids) {
    const samplers = [{ temperature: 0, logitBias: new Map([[id, 1e4]]) }];
    const [end] = await ends(engine.generate({ prompt: 'a', samplers, maxTokens: 1 }));
    expect([...end!.tokens]).toEqual([id]);
    written.push(end!.text);
  }
  expect(written).toEqual([...thinkingMarks.flat(), '']);
  for (const [open, close] of thinkingMarks)
    expect(splitThinking(`${open}a${close}b`)).toMatchObject({ said: '\nb', thinking: 'a' });
});
