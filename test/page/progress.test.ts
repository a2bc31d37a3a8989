import { describe, expect, test } from 'vitest';
import { advance, begun, counted, ended, type Progress, timeLeft, waitsFor } from '../../page/src/ask/progress.js';
import { routeOf } from '../../page/src/router.js';
import { askStream } from '../../src/ask/ask.js';
import type { AskEvent } from '../../src/ask/types.js';
import type { Question } from '../../src/prompt/question/question.js';
import { FakeEngine, says } from '../ask/fake.js';

const question: Question = { kind: 'choice', question: 'Which?', options: ['Alpha', 'Beta', 'Gamma', 'Delta'] };

async function eventsOf(script: string): Promise<AskEvent[]> {
  const events: AskEvent[] = [];
  for await (const event of askStream(new FakeEngine(says(script)), question, { format: 'raw', hash: false, width: 4 }))
    events.push(event);
  return events;
}

const follow = (events: readonly AskEvent[]): Progress =>
  events.reduce((progress, event, i) => advance(progress, event, i), begun(0));

describe('what is shown of chains', () => {
  test('is what they wrote, answered and came to', async () => {
    const events = await eventsOf('ABBBB');
    const { chains, plan, settled } = follow(events);
    expect(plan?.samples).toBe(5);
    for (const [i, chain] of chains.entries()) {
      const written = events.filter(e => e.type === 'text' && e.sample === i).map(e => (e as { text: string }).text);
      expect(chain.text).toBe(written.join(''));
    }
    const last = events.findLast(e => e.type === 'vote');
    for (const { answer, count } of counted(chains)) expect(last).toMatchObject({ tally: { [answer]: count } });
    expect(settled).not.toBeNull();
  });

  test('a chain that a rule saved is cut, not thinking for ever', async () => {
    const progress = follow(await eventsOf('BBBBB'));
    expect(progress.chains.map(({ state }) => state)).toEqual(['ended', 'ended', 'ended', 'ended', 'cut']);
    expect(ended(progress)).toBe(4);
  });

  test('is never taken back while it runs', async () => {
    let progress = begun(0);
    for (const [i, event] of (await eventsOf('ABBAB')).entries()) {
      const next = advance(progress, event, i);
      if (progress.chains.length > 0) expect(ended(next)).toBeGreaterThanOrEqual(ended(progress));
      progress = next;
    }
  });

  test('an event that is not known changes nothing', () => {
    const before = begun(0);
    expect(advance(before, { type: 'news' } as never, 1)).toBe(before);
  });
});

test('a wave waits for the one before it', () => {
  const plan = { samples: 6, waves: [2, 3, 1], maxTokens: 1, promptTokens: 1 };
  expect([0, 1, 2, 4, 5].map(i => waitsFor(plan, i))).toEqual([
    null,
    null,
    { from: 1, to: 2 },
    { from: 1, to: 2 },
    { from: 3, to: 5 },
  ]);
});

test('the time left is reckoned from waves that have ended, and is not told before', () => {
  const plan = { samples: 8, waves: [4, 4], maxTokens: 1, promptTokens: 1 };
  const running = { ...begun(0), plan, firstWords: 1000 };
  expect(timeLeft(running, 5000)).toBeNull();
  expect(timeLeft({ ...running, ends: [9000, 10_000, 10_500, 11_000] }, 11_000)).toBe(10_000);
  expect(timeLeft({ ...running, ends: Array(8).fill(20_000) }, 20_000)).toBeNull();
});

test('an address leads to a screen, and an unknown one to the question', () => {
  expect(routeOf('#/evaluate/run-1')).toEqual({ screen: 'evaluate', rest: 'run-1' });
  expect(routeOf('')).toEqual({ screen: 'ask', rest: '' });
  expect(routeOf('#/nowhere')).toEqual({ screen: 'ask', rest: '' });
});
