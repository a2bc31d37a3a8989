import { expect, test } from 'vitest';
import type { Family } from '../../src/panel/family.js';
import { type CheckedMember, memberNames, namedApart } from '../../src/panel/members.js';

const member = (name: string, file: string, called?: string): CheckedMember => {
  const identity = { names: [file], bases: [], architecture: 'llama', vocabularySha256: 'ab'.repeat(32) };
  const family: Family = { name: called ?? 'its own', by: 'caller' };
  return {
    ...{ path: file, name, file, called, format: undefined, error: null },
    found: { inspection: {} as never, identity, family },
  };
};

test('models of one family that were named apart are told of, whatever stands between them', () => {
  const told = (...members: CheckedMember[]) => namedApart(members);
  expect(
    told(
      member('a', 'meditron-7b.gguf', 'p'),
      member('b', 'Meditron3-8B.gguf', 'q'),
      member('c', 'meditron-70b.gguf', 'r'),
    ),
  ).toEqual([
    'a and c are both of the family llama-2, by what is known: they count as two families because they were named so',
  ]);
  expect(told(member('a', 'x.gguf', 'p'), member('b', 'y.gguf', 'q'))).toEqual([
    'a and b have the same architecture and vocabulary: they count as two families because they were named so',
  ]);
  expect(told(member('a', 'meditron-7b.gguf', 'p'), member('b', 'meditron-70b.gguf', 'p'))).toEqual([]);
});

test('models have names of their own, whatever their files are called', () => {
  expect(memberNames(['/a/x.gguf', '/b/x.gguf', 'x (2).gguf', '.gguf', '/c/x.gguf'])).toEqual([
    ...['x', 'x (2)', 'x (2) (2)', 'model', 'x (3)'],
  ]);
});
