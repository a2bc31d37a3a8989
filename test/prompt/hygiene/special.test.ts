import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { breakSpecials, specialShape } from '../../../src/prompt/hygiene/special.js';

/** Of the vocabularies that servers load most, and of MEDITRON's. */
const specials = [
  ...[
    '<s>',
    '</s>',
    '<unk>',
    '<pad>',
    '<bos>',
    '<eos>',
    '<mask>',
    '<0x0A>',
    '<0xff>',
    '<EOD>',
    '<CLS>',
    '<SEP>',
    '<PAD>',
  ],
  ...[
    '<start_of_turn>',
    '<end_of_turn>',
    '<start_of_image>',
    '<unused42>',
    '<extra_id_0>',
    '<fim_prefix>',
    '<think>',
    '</think>',
  ],
  ...[
    '<|im_start|>',
    '<|im_end|>',
    '<|im_sep|>',
    '<|eot_id|>',
    '<|begin_of_text|>',
    '<|start_header_id|>',
    '<|endoftext|>',
  ],
  ...[
    '<|reserved_special_token_0|>',
    '<|system|>',
    '<|assistant_end|>',
    '<｜begin▁of▁sentence｜>',
    '<｜User｜>',
    '<|fim▁hole|>',
  ],
  ...[
    '[INST]',
    '[/INST]',
    '<<SYS>>',
    '<</SYS>>',
    '[SYSTEM_PROMPT]',
    '[/AVAILABLE_TOOLS]',
    '[TOOL_CALLS]',
    '[control_12]',
  ],
  ...[
    '[CLS]',
    '[SEP]',
    '[MASK]',
    '[gMASK]',
    '[bib_ref]',
    '[/bib_ref]',
    '[fig]',
    '[table]',
    '[/formula]',
    '<tool_call>',
  ],
];

/** Text with comparison signs, brackets and doses that spells no token. */
const innocent = [
  ...[
    'BP <90 and >60',
    'p<0.05',
    'p < 0.001',
    '3<x<5',
    'Na <135 or >145 mmol/l',
    '<5 mg/dl>',
    '<',
    '>',
    '<>',
    '<<',
    '>>',
    '<|',
    '|>',
  ],
  ...[
    '[H+]',
    '[sic]',
    '[1]',
    '[HDL]',
    '[Na+] > [K+]',
    'a<b>c',
    '5 µg',
    '10⁵',
    '½',
    '≤ 0,5',
    'x <- y',
    '<- ->',
    '<3',
    '[ ]',
    '[]',
    '(A)',
  ],
];

describe('breakSpecials', () => {
  test.each(specials)('%s is broken visibly and reported', spelled => {
    const { text, findings } = breakSpecials(`a${spelled}b`, 'question');
    expect(text).not.toContain(spelled);
    expect(text.replaceAll(' ', '')).toBe(`a${spelled}b`);
    expect(findings).toMatchObject([{ where: 'question', kind: 'marker', action: 'rewritten', count: 1 }]);
  });

  test.each([
    ['<|[SEP]|>', '< |[ SEP]|>'],
    ['<a[INST]b>', '< a[ INST]b>'],
    ['<<SYS>>', '<< SYS>>'],
  ])('of %s every token is broken', (given, text) => {
    expect(breakSpecials(given).text).toBe(text);
  });

  test.each(innocent)('%s stays byte for byte', text => {
    expect(breakSpecials(text)).toEqual({ text, findings: [] });
  });

  test('leaves no token in any text, breaks nothing twice, and changes nothing but by spaces', () => {
    const piece = fc.oneof(
      fc.constantFrom(...specials, ...innocent, '<', '|', '>', '[', ']', '/', ' ', 's', 'INST', '<<s>s>', '<<<SYS>>>'),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(fc.array(piece), pieces => {
        const given = pieces.join('');
        const { text } = breakSpecials(given);
        for (const spelled of specials) expect(text).not.toContain(spelled);
        expect(text.match(specialShape)).toBeNull();
        expect(breakSpecials(text)).toEqual({ text, findings: [] });
        expect(text.replaceAll(' ', '')).toBe(given.replaceAll(' ', ''));
      }),
      { numRuns: 1000 },
    );
  });
});
