import { expect, test } from 'vitest';
import { parseLiteral } from '../../../src/evaluate/tasks/literal.js';

// As printed by Python 3.11 with numpy 1.24.
test.each([
  ["['a' 'b, c' \"it's\"]", ['a', 'b, c', "it's"]],
  [
    "{'contexts': array(['one',\n       \"two's\"], dtype=object), 'labels': array(['A'], dtype=object)}",
    { contexts: ['one', "two's"], labels: ['A'] },
  ],
  [
    "[{'key': 'A', 'value': 'x'}\n {'key': 'B', 'value': 'y'}]",
    [
      { key: 'A', value: 'x' },
      { key: 'B', value: 'y' },
    ],
  ],
  ["{'choices': array(['x', 'y'], dtype=object), 'labels': array([1, 0])}", { choices: ['x', 'y'], labels: [1, 0] }],
  [
    "['back\\\\slash', 'line\\nbreak', '\\x1b', '\\u2028', 'it\\'s \"q\"']",
    ['back\\slash', 'line\nbreak', '\x1b', '\u2028', 'it\'s "q"'],
  ],
  ['(1, -2.5, None, True)', [1, -2.5, null, true]],
  ['[]', []],
])('%s', (text, value) => {
  expect(parseLiteral(text)).toEqual(value);
});

test.each(['[1, 2', "['a' 'b", 'free text', '[1] 2', "{'a' 1}", '', '__import__("os")', "['\\U99999999']"])(
  '%j is no literal',
  text => {
    expect(parseLiteral(text)).toBeUndefined();
  },
);
