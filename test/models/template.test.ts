import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatForModel } from '../../src/models/known.js';
import { publishedTemplates, readTemplate } from '../../src/models/template.js';
import type { FormatName } from '../../src/prompt/format/format.js';

const templateOf = (name: string) =>
  readFileSync(new URL(`../../build/llama.cpp/models/templates/${name}.jinja`, import.meta.url), 'utf8');

/** Templates in llama.cpp's tree, and the format that writes what they do. */
const ofTree: readonly (readonly [string, FormatName, string])[] = [
  ['Apertus-8B-Instruct', 'apertus', 'Apertus-8B-Instruct-2509'],
  ['google-gemma-2-2b-it', 'gemma', 'gemma-2-2b-it'],
  ['Qwen-Qwen2.5-7B-Instruct', 'qwen', 'Qwen2.5-7B-Instruct'],
  ['meta-llama-Llama-3.1-8B-Instruct', 'llama-3.1', 'Llama-3.1-8B-Instruct'],
  ['meta-llama-Llama-3.2-3B-Instruct', 'llama-3.1', 'Llama-3.2-3B-Instruct'],
  ['meta-llama-Llama-3.3-70B-Instruct', 'llama-3.1', 'Llama-3.3-70B-Instruct'],
];

const turns = (each: string, then: string) =>
  `{% for m in messages %}${each}{% endfor %}{% if add_generation_prompt %}${then}{% endif %}`;
const chatml = turns(
  "{{'<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n'}}",
  "{{'<|im_start|>assistant\n'}}",
);
const llama3 = turns(
  "{{ '<|start_header_id|>' + m['role'] + '<|end_header_id|>\n\n' + m['content'] | trim + '<|eot_id|>' }}",
  "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}",
);

describe("a file's own template", () => {
  test.each(ofTree)('%s writes what the format %s does, and confirms a name', (name, format, model) => {
    const template = templateOf(name);
    const { same, published, problem } = readTemplate(template);
    expect([same, problem]).toEqual([[format], null]);
    expect(published).not.toBeNull();
    expect(formatForModel({ chatTemplate: template })).toMatchObject({ format, by: 'template', facts: null });
    const named = formatForModel({ file: `${model}.Q4_K_M.gguf`, chatTemplate: template });
    expect(named).toMatchObject({ format, by: 'name', warnings: [] });
    expect(named.reasons[0]).toMatch(/^Its chat template writes what .* byte for byte/);
  });

  test('that is known but for how it is written is recognised: unknown text, equal prompts', () => {
    expect(readTemplate(chatml)).toMatchObject({ same: ['eurollm'], published: null });
    expect(readTemplate(llama3)).toMatchObject({ same: ['llama-3'], published: null });
    expect(readTemplate(`{{ bos_token }}${llama3}`, { bos: '<|begin_of_text|>' }).same).toEqual(['llama-3']);
    expect(readTemplate(`<|begin_of_text|>${llama3}`).same).toEqual(['llama-3']);
    expect(formatForModel({ name: 'Clinic 8B', chatTemplate: llama3 })).toMatchObject({
      format: 'llama-3',
      by: 'template',
    });
    const apertus = templateOf('Apertus-8B-Instruct');
    expect(readTemplate(`{#- kept -#}${apertus}`)).toMatchObject({ same: ['apertus'], published: null });
    expect(readTemplate(`${apertus.replaceAll('\n', '\r\n')}\r\n`).published).toBe('Apertus-8B-Instruct');
  });

  test('with one byte changed is no longer the published one, and is told apart where prompts change', () => {
    const noticed = { written: 0, same: 0 };
    fc.assert(
      fc.property(
        fc.constantFrom(...ofTree),
        fc.nat(),
        fc.integer({ min: 33, max: 126 }),
        ([name, format, model], at, code) => {
          const template = templateOf(name);
          const i = at % template.length;
          const changed = `${template.slice(0, i)}${String.fromCharCode(code)}${template.slice(i + 1)}`;
          fc.pre(changed !== template);
          const { same, published, problem } = readTemplate(changed);
          expect(published).toBeNull();
          if (same.includes(format)) {
            noticed.same++;
            const { reasons } = formatForModel({ name: model, chatTemplate: changed });
            expect(reasons.join()).toMatch(/Its chat template writes what/);
            expect(reasons.join()).not.toMatch(/byte for byte/);
            return;
          }
          noticed.written++;
          const choice = formatForModel({ name: model, chatTemplate: changed });
          expect(choice).toMatchObject({ format, warnings: [expect.stringMatching(/chat template/)] });
          expect(problem === null || choice.warnings[0]!.includes(problem)).toBe(true);
          expect(() => formatForModel({ name: 'some-model', chatTemplate: changed })).toThrow(/is not known/);
        },
      ),
      { numRuns: 60 },
    );
    expect(Math.min(noticed.written, noticed.same)).toBeGreaterThan(0);
  });

  test('that writes another system turn than its format is a warning with that turn', () => {
    const own = templateOf('Qwen-Qwen2.5-7B-Instruct').replaceAll(
      'You are Qwen, created by Alibaba Cloud.',
      'You are Meditron.',
    );
    const found = readTemplate(own);
    expect(found.same).toEqual([]);
    expect(found.butSystem).toContain('qwen');
    expect(found.opening).toMatch(/^<\|im_start\|>system\nYou are Meditron\..*<\|im_end\|>\n/);
    const { format, warnings } = formatForModel({ name: 'Meditron3-Qwen2.5-7B', chatTemplate: own });
    expect([format, warnings]).toEqual([
      'qwen',
      [expect.stringMatching(/begins with a system turn of its own, .*You are Meditron\./)],
    ]);
    expect(() => formatForModel({ chatTemplate: own })).toThrow(/writes as .* does, but for the system text/);
  });

  test('whose system text stands before everything has no turn of its own that could be shown', () => {
    const bare =
      "{% for m in messages %}{% if m['role'] == 'system' %}{{ m['content'] }}\n{% else %}{{ m['role'] }}: {{ m['content'] }}\n{% endif %}{% endfor %}";
    expect(readTemplate(bare)).toMatchObject({ same: [], opening: null, problem: null });
  });

  test("that is its base's on a tune of Llama 3.1 is no contradiction; that of another model is", () => {
    const base = templateOf('meta-llama-Llama-3.1-8B-Instruct');
    const tune = formatForModel({ file: 'Meditron3-8B.gguf', chatTemplate: base });
    expect(tune).toMatchObject({ format: 'llama-3', warnings: [] });
    expect(tune.reasons[0]).toMatch(/that of its base, Llama 3.1.*dated system turn/);
    for (const [file, chatTemplate, is] of [
      ['Meditron3-8B.gguf', chatml, 'eurollm'],
      ['Apertus-8B-MeditronFO.gguf', llama3, 'llama-3'],
      ['Gemma-3-27B-MeditronFO.gguf', base, 'llama-3.1'],
    ] as const)
      expect(() => formatForModel({ file, chatTemplate })).toThrow(
        expect.objectContaining({
          code: 'ERR_PROMPT_FORMAT',
          message: expect.stringMatching(`template is that of ${is}`),
        }),
      );
  });

  test.each([
    [
      'never ends',
      "{% for i in range(9999) %}{% for j in range(9999) %}{{ messages[0]['content'] }}{% endfor %}{% endfor %}",
      /ms|longer/,
    ],
    ['cannot be read', '{% for %}', /cannot be read/],
    ['leaves the question out', 'Hello', /leaves out message 1/],
    ['refuses', "{{ raise_exception('no') }}", /failed: no/],
    ['is larger than any', 'x'.repeat(70_000), /more than 65536/],
  ])('that %s is a warning beside a name, and refused without one', (_, chatTemplate, why) => {
    const { format, warnings } = formatForModel({ name: 'Meditron3-8B', chatTemplate });
    expect([format, warnings]).toEqual(['llama-3', [expect.stringMatching(why)]]);
    expect(() => formatForModel({ name: 'other', chatTemplate })).toThrow(why);
  });
});

test('published templates are those of the pinned llama.cpp', () => {
  const found = ofTree.map(([name]) => readTemplate(templateOf(name)).sha256);
  expect(new Set(found)).toEqual(new Set(Object.keys(publishedTemplates)));
});
