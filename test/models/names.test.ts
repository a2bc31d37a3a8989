import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatForModel, modelNamed } from '../../src/models/known.js';
import { modelName, plainName } from '../../src/models/names.js';
import { registry } from '../../src/models/registry.js';

/** Models by the names under which they are published. */
const published: Readonly<Record<string, readonly string[]>> = {
  'meditron-7b': ['meditron-7b', 'Meditron-7B-v1.0'],
  'meditron-7b-chat': ['meditron-7b-chat'],
  'meditron-70b': ['meditron-70b'],
  'meditron-70b-chat': ['meditron-70b-chat'],
  'meditron3-8b': [
    ...['Meditron3-8B', 'Llama-3-8B-Meditron-V1.0', 'Llama-3.1-8B-Meditron', 'Llama-3-Meditron-8B'],
    ...['Llama-3.1 Meditron-3[8B]', 'Meditron 3 8B', 'Meditron-3-8B-v1.0'],
  ],
  'meditron3-70b': ['Meditron3-70B', 'Llama-3.1-70B-Meditron'],
  'meditron3-qwen2.5-7b': ['Meditron3-Qwen2.5-7B', 'Meditron-3[Qwen2.5-7B]'],
  'meditron3-qwen2.5-14b': ['Meditron3-Qwen2.5-14B'],
  'meditron3-gemma2-2b': ['Meditron3-Gemma2-2B', 'Meditron3 Gemma 2 2B'],
  'meditron3-gemma2-9b': ['Meditron3-Gemma2-9B'],
  'meditron3-phi4-14b': ['Meditron3-Phi4-14B', 'Meditron3-Phi4'],
  'apertus-8b-meditronfo': ['Apertus-8B-MeditronFO', 'Apertus-8B-Instruct-2509-MeditronFO'],
  'apertus-70b-meditronfo': ['Apertus-70B-MeditronFO'],
  'eurollm-9b-meditronfo': ['EuroLLM-9B-MeditronFO', 'EuroLLM-9B-Instruct-MeditronFO'],
  'eurollm-22b-meditronfo': ['EuroLLM-22B-MeditronFO'],
  'olmo-2-32b-meditronfo': ['OLMo-2-32B-MeditronFO', 'OLMo2-32B-MeditronFO', 'OLMo-2-0325-32B-SFT-MeditronFO'],
  'gemma-3-27b-meditronfo': ['Gemma-3-27B-MeditronFO', 'gemma-3-27b-it-MeditronFO'],
  'meditron-mini': ['meditron-mini'],
  medgemma: ['medgemma-27b-text-it', 'medgemma-4b-it', 'medgemma-1.5-4b-it'],
  'med42-v2': ['Llama3-Med42-8B', 'Llama3-Med42-70B'],
  'med42-v1': ['med42-70b'],
  openbiollm: ['Llama3-OpenBioLLM-8B', 'OpenBioLLM-Llama3-70B'],
  biomistral: ['BioMistral-7B', 'BioMistral-7B-DARE'],
  'pmc-llama-13b': ['PMC_LLaMA_13B', 'PMC-LLaMA-13B'],
  'pmc-llama-7b': ['PMC_LLAMA_7B'],
  'llama-3-instruct': ['Meta-Llama-3-8B-Instruct'],
  'llama-3.1-instruct': [
    'Llama-3.1-8B-Instruct',
    'Meta-Llama-3.1-70B-Instruct',
    'Llama-3.3-70B-Instruct',
    'Llama-3.2-3B-Instruct',
  ],
  'qwen2.5-instruct': ['Qwen2.5-7B-Instruct', 'Qwen2.5-0.5B-Instruct'],
  'gemma-2-it': ['gemma-2-9b-it'],
  'gemma-3-it': ['gemma-3-27b-it', 'gemma-3-4b-it'],
  'phi-4': ['phi-4'],
  'apertus-instruct': ['Apertus-8B-Instruct-2509', 'Apertus-70B-Instruct-2509'],
  'eurollm-instruct': ['EuroLLM-9B-Instruct'],
  'eurollm-22b-instruct': ['EuroLLM-22B-Instruct-2512'],
  'olmo-2-instruct': ['OLMo-2-0325-32B-SFT', 'OLMo-2-1124-7B-Instruct'],
};

const suffixes = [
  ...[
    '',
    '.Q4_K_M',
    '-Q4_K_M',
    '_Q4_K_M',
    '.q4_0',
    '-q8_0',
    '.Q2_K',
    '-Q3_K_XL',
    '.Q6_K_L',
    '-Q5_K_S',
    '.IQ3_XXS',
    '-IQ4_NL',
  ],
  ...[
    '.i1-Q4_K_M',
    '.i1-IQ2_XS',
    '-UD-Q4_K_XL',
    '-UD-IQ1_M',
    '-Q4_K_M-imat',
    '-imat-Q4_K_M',
    '.imatrix.Q4_K_M',
    '-Q4_0_4_4',
  ],
  ...[
    '-f16',
    '.F16',
    '-BF16',
    '.fp16',
    '-f32',
    '-TQ1_0',
    '-MXFP4_MOE',
    '-GGUF',
    '-GGUF-Q4_K_M',
    '-4bit',
    '.Q4',
    '-Q8_0-GGUF',
    '-q4_k_m-qat',
  ],
] as const;
const uploaders = [
  '',
  'QuantFactory',
  'TheBloke',
  'mradermacher',
  'bartowski',
  'unsloth',
  'EPFLiGHT',
  'OpenMeditron',
  'epfl-llm',
];

/** What browsers and desktops call a copy. */
const copies: readonly ((file: string) => string)[] = [
  ...[' - Copy', ' - Copy (3)', ' copy', ' copy 2', ' (copy)', ' (another copy)', ' (3rd copy)', '(1)'],
  ...[' - Kopie', ' - Kopie (2)', ' Kopie', ' (Kopie)', ' - Copie', ' (copie)', ' - Copia', ' - Cópia', ' kopia'],
]
  .map(more => (file: string) => file.replace('.gguf', `${more}.gguf`))
  .concat(['Copy of ', 'Kopie von ', 'Copie de ', 'Copia di '].map(before => (file: string) => `${before}${file}`));

/** A file of a model as people have it: in folders, caches and browsers' downloads, split, spelt in another case. */
const file = fc
  .record({
    id: fc.constantFrom(...Object.keys(published)),
    suffix: fc.constantFrom(...suffixes),
    uploader: fc.constantFrom(...uploaders),
    form: fc.constantFrom(
      'file',
      'split',
      'copy',
      'copied',
      'dotted',
      'name',
      'hub',
      'cache',
      'stranger',
      'ollama',
      'folder',
      'windows',
    ),
    turn: fc.constantFrom<(text: string) => string>(
      text => text,
      text => text.toLowerCase(),
      text => text.toUpperCase(),
      text => text.replaceAll('-', '_'),
      text => text.replaceAll('-', ' '),
    ),
    pick: fc.nat(),
  })
  .map(({ id, suffix, uploader, form, turn, pick }) => {
    const own = published[id]![pick % published[id]!.length]!;
    const name = turn(own);
    const file = `${uploader === '' ? '' : `${uploader}_`}${name}${suffix}.gguf`;
    const forms = {
      file,
      split: file.replace('.gguf', '-00002-of-00005.gguf'),
      copy: file.replace('.gguf', ' (1).gguf'),
      copied: copies[pick % copies.length]!(file),
      dotted: `${uploader === '' ? '' : `${uploader}.`}${name}${suffix}.gguf`,
      name: `${name}${suffix}`,
      hub: `/home/a/.cache/huggingface/hub/models--${uploader || 'somebody'}--${own}-GGUF/snapshots/0a1b2c/${file}`,
      cache: `${uploader || 'somebody'}_${own}-GGUF_${own}${suffix}.gguf`,
      stranger: `/models/a-stranger_${own}-i1-GGUF_${own}${suffix}.gguf`,
      ollama: `hf.co/${uploader || 'somebody'}/${own}-GGUF:${suffix.slice(1) || 'latest'}`,
      folder: `/models/${own}-GGUF/${/^[.-](?:ud-)?i?q\d/i.test(suffix) ? suffix.slice(1) : 'model'}.gguf`,
      windows: `D:\\models\\${file}`,
    };
    return { id, text: forms[form as keyof typeof forms] };
  });

describe('a name', () => {
  test('is that of the same model in every usual spelling', () => {
    expect(Object.keys(published).sort()).toEqual(registry.map(({ id }) => id).sort());
    fc.assert(
      fc.property(file, ({ id, text }) => {
        expect(modelNamed([text])?.id, `${text} -> ${plainName(text)}`).toBe(id);
      }),
      { numRuns: 1500 },
    );
  });

  test('with every suffix, of every model', () => {
    for (const [id, names] of Object.entries(published))
      for (const name of names)
        for (const suffix of suffixes)
          for (const text of [
            `${name}${suffix}`,
            `${name}${suffix}.gguf`.toLowerCase(),
            `TheBloke_${name}${suffix}.gguf`,
          ])
            expect(modelNamed([text])?.id, text).toBe(id);
  });

  test.each([
    ...[
      '',
      ' ',
      '.gguf',
      'model.gguf',
      'ggml-model-q4_0.gguf',
      'not-meditron',
      'meditronics',
      'meditron',
      'meditron:latest',
      'meditrons-7b',
    ],
    ...[
      'meditron-13b',
      'meditron-38b',
      'Meditron4-8B',
      'Meditron3-8Bx',
      'meditron3-8b-dpo',
      'Meditron3-8B-merged.Q4_K_M.gguf',
    ],
    ...[
      'acme_Meditron3-8B.Q4_K_M.gguf',
      'my-meditron-7b',
      'meditron-7b-medqa.gguf',
      'meditron-7b-v2',
      'meditron-7b-copycat',
      'copycat-meditron-7b',
      'meditron.7b.copy-edited',
      'meditron-7b.Q4_K_M.bak',
    ],
    ...[
      'a_meditron-7b-GGUF_meditron-70b.Q4_0.gguf',
      'a_b-GGUF_meditron-7b.Q4_0.gguf',
      'Meditron3-Gemma2-27B',
      'Meditron3-Qwen2.5-72B',
    ],
    ...[
      'Apertus-v1.5-8B-MeditronFO',
      'Apertus-8B',
      'EuroLLM-9B',
      'gemma-3-27b-pt',
      'medgemma-4b-pt',
      'Qwen2.5-7B',
      'Qwen3-8B',
    ],
    ...[
      'Llama-3.1-8B',
      'Llama-3-8B-Meditron-Instruct-DPO',
      'phi-4-mini-instruct',
      'Phi-4-reasoning',
      'DeepSeek-R1-Distill-Qwen-7B',
    ],
    ...[
      'Hermes-3-Llama-3.1-8B',
      'BioMistral-7B-SFT-mine',
      'MeditronFO-8B',
      'llama-3.1-8b-instruct-medical',
      'med42-v2',
      'q4_k_m',
    ],
    ...['models/meditron-7b/other.gguf', 'EPFLiGHT_', 'epfl-llm', 'Meditron3-8B.Q4_K_M.gguf.part', 'OLMo-2-0325-32B'],
  ])('%j is that of none that is known', text => {
    expect(modelNamed([text])).toBeUndefined();
    expect(() => formatForModel({ file: text, name: text })).toThrow(
      expect.objectContaining({ code: 'ERR_PROMPT_FORMAT' }),
    );
  });

  test('never fails, and is plain already when it has been made plain', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const plain = plainName(text);
        expect(plainName(plain) === plain || plain.includes('_') || /[/\\]/.test(plain)).toBe(true);
      }),
    );
  });
});

test('a model is called by its file, without its ending and the number of a part', () => {
  expect(modelName('/a/b/meditron-70b-00001-of-00003.gguf')).toBe('meditron-70b');
  expect(modelName('C:\\a\\Meditron3-8B.Q4_K_M.GGUF')).toBe('Meditron3-8B.Q4_K_M');
});
