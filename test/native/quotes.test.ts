import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { exitCodes } from '../../src/check/errors.js';
import { scoredInStep } from '../../src/engine/capacity/scoring.js';
import { nativeFinish } from '../../src/native/addon.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const addon = read('src/native/addon.ts');

/** The names in the body of a TypeScript interface. */
function namesIn(name: string): string[] {
  const body = new RegExp(`export interface ${name} \\{\\n([\\s\\S]*?)\\n\\}`).exec(addon)![1]!;
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)/gm)].map(([, key]) => key!).sort();
}

/** The names that a C++ function sets on `out`. */
function setIn(file: string, start: string, end: string): string[] {
  const text = read(file);
  const body = text.slice(text.indexOf(start), text.indexOf(end, text.indexOf(start)));
  return [...body.matchAll(/out\.Set\("(\w+)"/g)].map(([, key]) => key!).sort();
}

/** The names that C++ reads of an object. */
function readIn(file: string): string[] {
  const found = read(file).matchAll(/(?:number_of|flag_of|text_of)\(\w+, "(\w+)"\)|\.Get\("(\w+)"\)/g);
  return [...new Set([...found].map(([, helper, get]) => helper ?? get!))].sort();
}

describe('TypeScript and C++ say the same of each other', () => {
  test('how a sample ends', () => {
    const values = /enum Finish[^{]*\{([^}]*)\}/.exec(read('native/core/core.h'))![1]!;
    const inHeader = [...values.matchAll(/(\w+)\s*=\s*(\d+)/g)].map(([, name, value]) => [
      name!.toLowerCase(),
      Number(value),
    ]);
    expect(Object.fromEntries(inHeader)).toEqual(nativeFinish);
  });

  test('how many tokens of a text a step scores', () => {
    expect(Number(/MOST_SCORED = (\d+);/.exec(read('native/core/core.cpp'))![1])).toBe(scoredInStep);
  });

  test('error codes', () => {
    const files = readdirSync(join(root, 'native'), { recursive: true, encoding: 'utf8' });
    const codes = files
      .filter(file => /\.(cpp|h)$/.test(file))
      .flatMap(file => [...read(join('native', file)).matchAll(/"(ERR_[A-Z_]+)"/g)].map(([, code]) => code!));
    expect(codes.length).toBeGreaterThan(20);
    for (const code of codes) expect(Object.keys(exitCodes)).toContain(code);
  });

  test('what is known of a model, and what a step yields', () => {
    expect(setIn('native/node/model.cpp', 'Model::info(', 'Model::tokenize(')).toEqual(namesIn('NativeModelInfo'));
    expect(setIn('native/node/engine.cpp', 'pack_step(', 'Engine::step(')).toEqual(namesIn('NativeStep'));
    expect(setIn('native/node/engine.cpp', 'Engine::open(', 'sampler_of(')).toEqual(namesIn('NativeLimits'));
  });

  test('what is asked of an engine', () => {
    const lora = ['path', 'scale'];
    const given = ['NativeEngineParams', 'NativeJob', 'NativeBranch', 'NativeSampler'].flatMap(namesIn);
    expect(readIn('native/node/engine.cpp')).toEqual([...new Set([...given, ...lora])].sort());
  });
});

test('what is relied on in llama.h is said there', () => {
  const header = read('build/llama.cpp/include/llama.h');
  const at = header.indexOf('LLAMA_API int32_t llama_decode(');
  const decode = header.slice(header.lastIndexOf('// Process a batch of tokens.', at), at);
  expect(decode).toMatch(/\b0 - success/);
  expect(decode).toMatch(/\b1 - could not find a KV slot/);
  expect(decode).toMatch(/\b2 - aborted/);
});
