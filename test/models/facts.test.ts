import { describe, expect, test } from 'vitest';
import { contextInWords, factRows, knownOf, knownRows } from '../../src/cli/models/facts.js';
import { entry } from '../../src/gguf/metadata.js';
import { headerOf } from '../../src/models/header.js';
import { describeFile } from '../../src/models/inspect.js';
import { factsFor } from '../../src/models/known.js';
import { modelOf, registry } from '../../src/models/registry.js';
import { beyondTraining } from '../../src/models/trained.js';
import { tinyModel } from '../../src/synth/tiny.js';

/** A file of this name, as its header says. */
function fileOf(name: string, options: Parameters<typeof tinyModel>[0]) {
  const { metadata, tensors } = tinyModel(options);
  metadata.set('general.name', entry.string(name));
  const infos = tensors.map(tensor => ({ ...tensor, offset: 0, bytes: 0, part: 0 }));
  return { path: `${name}.gguf`, version: 3, metadata, tensors: infos, parts: [] };
}

describe('what is shown of a model', () => {
  test.each(registry)('$id: all that is published of it, and what is not known', model => {
    const text = factRows(model, { contextLength: 1e6 })
      .map(row => row.join(' '))
      .join('\n');
    const { base, trainedFor, trainedContext, sampling, licence, unknown, repository } = model;
    const facts = [base, trainedFor, licence, repository ?? 'with this program', ...unknown];
    const sources = [trainedContext?.source ?? 'trained on not known', sampling?.source ?? 'sampled not known'];
    for (const fact of [...facts, ...sources]) expect(text).toContain(fact);
    if (trainedContext !== null) expect(text).toContain('its file says 1,000,000');
  });

  test('which it is, how that is known, and what speaks against it', () => {
    const file = fileOf('meditron-7b', { architecture: 'llama', hyper: { context: 4096, layers: 1 } });
    const rows = knownRows(knownOf(headerOf(file), null));
    const text = rows.map(row => row.join(' ')).join('\n');
    expect(text).toMatch(/^is MEDITRON-7B, base weights\nknown by Its architecture is llama/);
    expect(text).toContain('trained on 2,048 tokens at once (arXiv 2311.16079, section 4.1); its file says 4,096');
    expect(text).toContain('\nbut It is named as MEDITRON-7B, base weights, which has 32 layers, and has 1');
  });

  test('of one that is known and not asked by any format here its facts too; of one whose marks contradict each other none', () => {
    const hyper = { context: 4096, layers: 1 };
    const chat = knownOf(headerOf(fileOf('meditron-70b-chat', { architecture: 'llama', hyper })), null);
    expect(chat).toMatchObject({ format: null, facts: { id: 'meditron-70b-chat' }, refusal: expect.any(String) });
    for (const name of ['meditron-7b', 'meditron-70b-chat']) {
      const other = knownOf(headerOf(fileOf(name, { architecture: 'qwen2', hyper })), null);
      expect(other).toMatchObject({ format: null, facts: null, refusal: expect.any(String) });
    }
    expect(factsFor({ name: 'meditron-7b', tokens: { '<|im_start|>': 32_000 } })).toBeNull();
    expect(factsFor({ name: 'gpt-9' })).toBeNull();
  });

  test('the context, and the window of layers that do not see all of it', () => {
    const context = (architecture: string, keys: Record<string, number> = {}) => {
      const file = fileOf('any', { architecture, hyper: { context: 8192, layers: 1 } });
      file.metadata.delete(`${architecture}.attention.sliding_window`);
      for (const [key, value] of Object.entries(keys)) file.metadata.set(`${architecture}.${key}`, entry.u32(value));
      return contextInWords(describeFile(file));
    };
    expect(context('llama', { 'attention.sliding_window': 512 })).toBe('8,192 tokens'); // its graph has none
    expect(context('gemma2')).toBe('8,192 tokens, of which some layers see the last 4,096');
    expect(context('gemma3', { 'attention.sliding_window': 1024 })).toMatch(/the last 1,024$/);
    expect(context('olmo2')).toBe('8,192 tokens');
    expect(context('olmo2', { 'attention.sliding_window': 9000 })).toBe('8,192 tokens');
  });
});

test('beyond what a model was trained on is warned of from the first token on, whatever its file says', () => {
  for (const facts of registry) {
    const { trainedContext: trained } = facts;
    if (trained === null) expect(beyondTraining(facts, 'The text', 1e6, 1)).toEqual([]);
    else {
      expect(beyondTraining(facts, 'The text', trained.tokens - 1, 1)).toEqual([]);
      expect(beyondTraining(facts, 'The text', trained.tokens, 1)).toEqual([expect.stringContaining(trained.source)]);
    }
  }
  expect(beyondTraining(modelOf('meditron-7b'), 'The question', null, 1e6)).toEqual([]);
  expect(beyondTraining(null, 'The question', 1e6, 1)).toEqual([]);
});
