import { expect, test } from 'vitest';
import { childEnvironment } from '../../src/native/environment.js';

/** Options of Node that open a port, or write what is in memory, what is called or what is printed to a file. */
const telling = [...process.allowedNodeEnvironmentFlags].filter(flag =>
  /^--(?:inspect|debug-port|report|heap-?snapshot|heap-prof|cpu-prof|diagnostic-dir|abort-on|perf|track-heap|redirect|trace-)|inspection/.test(
    flag,
  ),
);

test('no option of Node that could let text out of an engine reaches its process, however it is spelt', () => {
  expect(telling.length).toBeGreaterThan(20);
  const spellings = telling.flatMap(flag => {
    const underscored = `--${flag.slice(2).replaceAll('-', '_')}`;
    return [flag, underscored, `"${flag}"`, `${flag}=x`, `"${flag}=a b"`, `${underscored}=x`, `${flag} x`];
  });
  const kept = spellings.flatMap(spelling => {
    const { NODE_OPTIONS } = childEnvironment({ NODE_OPTIONS: `--no-warnings ${spelling} --max-old-space-size=99` });
    return NODE_OPTIONS === '--no-warnings --max-old-space-size=99' ? [] : [`${spelling}: ${NODE_OPTIONS}`];
  });
  expect(kept).toEqual([]);
});

test('options that tell nobody anything stay', () => {
  const NODE_OPTIONS = '--require "./a b.js" --stack-trace-limit=3 --conditions inspect --no-deprecation';
  expect(childEnvironment({ NODE_OPTIONS })).toMatchObject({ NODE_OPTIONS });
});

test('an engine is not told of servers between it and a network, of other libraries, or to say what Node does inside', () => {
  const names = [
    'HTTP_PROXY',
    'https_proxy',
    'ALL_PROXY',
    'no_proxy',
    'GGML_BACKEND_PATH',
    'NODE_DEBUG',
    'NODE_DEBUG_NATIVE',
    'NODE_V8_COVERAGE',
    'NODE_REDIRECT_WARNINGS',
    'NODE_CHANNEL_FD',
  ];
  const given = Object.fromEntries(names.map(name => [name, 'x']));
  expect(childEnvironment({ ...given, PATH: '/bin' })).toEqual({ PATH: '/bin', GGML_NO_BACKTRACE: '1' });
});
