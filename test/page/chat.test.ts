import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Api } from '../../page/src/api/api.js';
import { Draft } from '../../page/src/ask/draft.js';
import { ChatStore } from '../../page/src/chat/store.js';
import { Machine } from '../../page/src/machine.js';

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('document', { hidden: true });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** An answer of some pieces, which then stands still until it is left. */
async function* answer(pieces: readonly string[], signal: AbortSignal) {
  for (const content of pieces) yield { choices: [{ delta: { content }, finish_reason: null }] };
  await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}

function conversation(): ChatStore {
  const api = {
    chat: (_: object, signal: AbortSignal) => answer(['Once', ' upon', ' a time'], signal),
  } as unknown as Api;
  return new ChatStore(api, new Machine(api), new Draft(api));
}

const said = ({ turns }: ChatStore) => turns.value.map(({ content, end }) => `${content}, ${end}`);
/** Everything of this moment has happened, and no time has passed. */
const settled = () => vi.advanceTimersByTimeAsync(0);

test('what was still to be drawn of one answer does not take the next question away', async () => {
  const store = conversation();
  void store.send('first');
  await settled();
  store.stop();
  await settled();
  const first = ['first, ended', 'Once upon a time, stopped'];
  expect(said(store)).toEqual(first);
  void store.send('second');
  await vi.advanceTimersByTimeAsync(1000);
  expect(said(store)).toEqual([...first, 'second, ended', 'Once upon a time, writing']);
});

test('a conversation that is begun anew stays empty', async () => {
  const store = conversation();
  void store.send('first');
  await settled();
  store.clear();
  await vi.advanceTimersByTimeAsync(1000);
  expect(said(store)).toEqual([]);
  expect(store.problem.value).toBeNull();
});
