import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { askOptions } from '../../src/ask/options.js';
import { MeditronError } from '../../src/check/errors.js';
import { engineOptions, loadOptions } from '../../src/check/machine.js';
import { samplingNumbers } from '../../src/check/sampling.js';
import { checkOptions, givenFrom, type Option, storedOf, type Table } from '../../src/check/table.js';
import { addFlags, optionsOf } from '../../src/cli/flags.js';
import { runOptions } from '../../src/evaluate/run/options.js';

const families: Readonly<Record<string, Table>> = {
  ask: askOptions,
  run: runOptions,
  sampling: samplingNumbers,
  load: loadOptions,
  engine: engineOptions,
};

const every = Object.entries(families).flatMap(([family, table]) =>
  Object.entries(table).map(([name, option]): [string, string, Option, Table] => [family, name, option, table]),
);

/** Values that are right for none of the options, and those that are right for some. */
const hostile: readonly unknown[] = [
  null,
  NaN,
  Infinity,
  -1,
  -1.5,
  2 ** 53,
  1e300,
  '',
  '\x1b[2J',
  'nonsense',
  '1',
  true,
  [],
  [null],
  {},
  { rule: 'nonsense' },
  { prior: [2, 2] },
  () => 1,
  Symbol('x'),
  10n,
];

/** Something that can be typed after the flag and means this value, for every option that has a flag. */
const typed: Readonly<Record<string, readonly [string, unknown]>> = {
  'ask.mode': ['cot', 'cot'],
  'ask.protocol': ['paper', 'paper'],
  'ask.format': ['LLAMA_2', 'llama-2'],
  'ask.task': ['mcq', 'mcq'],
  'ask.instruction': ['', ''],
  'ask.system': ['Be brief.', 'Be brief.'],
  'ask.shots': ['0', 0],
  'ask.items': ['20', 20],
  'ask.abstainOption': ['', true],
  'ask.coverage': ['.95', 0.95],
  'ask.bos': ['never', 'never'],
  'ask.samples': ['256', 256],
  'ask.temperature': ['.5', 0.5],
  'ask.topP': ['1e-3', 0.001],
  'ask.topK': ['0', 0],
  'ask.seed': ['9007199254740991', 9007199254740991],
  'ask.maxTokens': ['1', 1],
  'ask.stop': ['esc', 'esc'],
  'ask.minAgreement': ['3', 3],
  'ask.shuffle': ['bell', 'bell'],
  'ask.weighting': ['cisc', 'cisc'],
  'ask.debias': ['contextual', 'contextual'],
  'ask.width': ['2', 2],
  'ask.deadline': ['1.5', 1500],
  'run.modes': ['cot, sc-cot', ['cot', 'sc-cot']],
  'run.shots': ['32', 32],
  'run.demoSeeds': ['1,2', [1, 2]],
  'run.unanswerable': ['0.25', 0.25],
  'run.stop': ['exact', 'exact'],
  'sampling.temperature': ['0', 0],
  'sampling.minP': ['0.05', 0.05],
  'sampling.repeatPenalty': ['1.1', 1.1],
  'sampling.frequencyPenalty': ['-1', -1],
  'sampling.presencePenalty': ['2', 2],
  'load.gpuLayers': ['auto', 'auto'],
  'load.loadMode': ['mmap', 'mmap'],
  'load.lowMemory': ['', true],
  'engine.threads': ['1', 1],
  'engine.contextSize': ['512', 512],
  'engine.batchSize': ['64', 64],
  'engine.kvType': ['q8_0', 'q8_0'],
  'engine.flashAttention': ['off', 'off'],
  'engine.kernels': ['llama.cpp', 'llama.cpp'],
  'engine.loras': ['a=b.gguf=0.5', [{ path: 'a=b.gguf', scale: 0.5 }]],
};

function exampleOf(family: string, name: string): readonly [string, unknown] {
  const example = typed[`${family}.${name}`] ?? typed[`ask.${name}`] ?? typed[`sampling.${name}`];
  if (!example) throw new Error(`No example for ${family}.${name}: add one`);
  return example;
}

function parse(table: Table, args: readonly string[]) {
  const command = addFlags(new Command().exitOverride().configureOutput({ writeErr() {} }), table);
  command.parse(args, { from: 'user' });
  return optionsOf(table, command.opts());
}

function spellingOf({ flag }: Option): string | undefined {
  if (typeof flag === 'string') return flag;
  return 'none' in flag ? undefined : flag.spelling;
}

const longOf = (option: Option) => /--[a-z-]+/.exec(spellingOf(option)!)![0];
const flagged = every.filter(([, , option]) => spellingOf(option) !== undefined);
const isSwitch = (option: Option) => !/[<[]/.test(spellingOf(option)!);
const valued = flagged.filter(([, , option]) => !isSwitch(option));

describe.each(every)('%s option %s', (_, name, option, table) => {
  test('has a help text, and a flag or the reason why there is none', () => {
    expect(option.help).not.toBe('');
    if (typeof option.flag === 'object' && 'none' in option.flag) expect(option.flag.none).not.toBe('');
    else expect(spellingOf(option)).toMatch(/^(-\w, )?--[a-z-]+( <[^>]+>)?$/);
  });

  test('refuses what it cannot use with an error that names it, and takes the rest as it is', () => {
    let refused = 0;
    for (const value of hostile) {
      try {
        const checked = checkOptions('f()', table, { [name]: value }) as Record<string, unknown>;
        expect(checked[name]).toEqual(value);
      } catch (error) {
        refused++;
        expect(error).toBeInstanceOf(MeditronError);
        const { code, message } = error as MeditronError;
        expect(['ERR_OPTION', 'ERR_PROMPT_FORMAT']).toContain(code);
        if (code === 'ERR_OPTION')
          expect(message).toMatch(new RegExp(`^(Expected \`|Unknown option \`rule\` in )${name}\\b`));
      }
    }
    expect(refused).toBeGreaterThan(hostile.length / 2);
  });

  test('has a default that its own check takes, and does without a value', () => {
    if (option.default !== undefined) expect(option.kind.check(name, option.default)).toEqual(option.default);
    expect((checkOptions('f()', table, { [name]: undefined }) as Record<string, unknown>)[name]).toBe(option.default);
  });
});

test.each(flagged.filter(([, , option]) => isSwitch(option)))('%s option %s is a switch', (_, name, option, table) => {
  const long = longOf(option);
  expect(parse(table, [long])).toEqual({ [name]: !long.startsWith('--no-') });
  expect(parse(table, [])).toEqual({});
});

test.each(valued)(
  '%s option %s is read from its flag, and refused by the name of the flag',
  (family, name, option, table) => {
    const long = longOf(option);
    const [text, value] = exampleOf(family, name);
    expect(parse(table, [long, text])).toEqual({ [name]: value });
    expect(parse(table, [])).toEqual({});
    const free = option.kind.read?.('\x00') === '\x00' && (name === 'instruction' || name === 'system');
    if (free || name === 'loras') return;
    for (const wrong of ['', '\x1b[2J', 'nonsense', '0x10', '-9e99', 'NaN'])
      expect(() => parse(table, [long, wrong])).toThrow(
        name === 'format' ? /prompt format/ : new RegExp(`Expected \`${long}`),
      );
  },
);

test.each(every.filter(([, , option]) => option.stored && spellingOf(option)))(
  '%s option %s is stored and read back as it was',
  (family, name, option, table) => {
    const value = longOf(option).startsWith('--no-') ? false : exampleOf(family, name)[1];
    const stored = JSON.parse(JSON.stringify(storedOf(table, { [name]: value })));
    expect(stored[name]).toEqual(value);
    expect(givenFrom('record', table, stored)).toEqual({ [name]: value });
    expect(() => givenFrom('record', table, { [name]: Symbol('x') })).toThrow(MeditronError);
  },
);

test('what is not stored is not in what is stored', () => {
  const signal = new AbortController().signal;
  expect(Object.keys(storedOf(askOptions, { signal, until: signal, hash: false }))).not.toEqual(
    expect.arrayContaining(['signal']),
  );
});

test('a misspelt option is refused with the nearest name', () => {
  expect(() => checkOptions('ask()', askOptions, { sample: 3 })).toThrow(
    'Unknown option `sample` in ask(); did you mean `samples`?',
  );
});

test('--no-reask takes something away and is not there when nobody gave it', () => {
  expect(parse(askOptions, ['--no-reask'])).toEqual({ reask: false });
});

test('seeds are typed with commas, by repeating the flag, or as what the authors used', () => {
  expect(parse(runOptions, ['--demo-seed', '1', '2', '--demo-seed', 'authors'])).toEqual({
    demoSeeds: [1, 2, 1234, 432, 32],
  });
});
