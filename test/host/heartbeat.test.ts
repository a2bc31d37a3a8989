import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Heartbeat } from '../../src/host/heartbeat.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function beat(answers: boolean, loading = false) {
  const state = { answers, lost: 0 };
  const heart: Heartbeat = new Heartbeat({
    pid: undefined,
    ping: count => {
      if (state.answers) heart.pong(count);
    },
    lost: () => state.lost++,
    loading: () => loading,
  });
  heart.watch(true);
  return { heart, state };
}

test('a process that answers is never given up, one that is silent once', () => {
  const { state } = beat(true);
  vi.advanceTimersByTime(600_000);
  expect(state.lost).toBe(0);
  state.answers = false;
  vi.advanceTimersByTime(25_000);
  expect(state.lost).toBe(0);
  vi.advanceTimersByTime(60_000);
  expect(state.lost).toBe(1);
});

test('one that loads may be silent for minutes: drivers of GPUs are started', () => {
  const { state } = beat(false, true);
  vi.advanceTimersByTime(170_000);
  expect(state.lost).toBe(0);
  vi.advanceTimersByTime(60_000);
  expect(state.lost).toBe(1);
});

test('a program that was busy or asleep itself does not give up a process whose answers it has not read', () => {
  const { state, heart } = beat(false);
  vi.advanceTimersByTime(2000);
  for (let i = 0; i < 20; i++) {
    vi.setSystemTime(0); // only the clock that tells time of day
    const now = performance.now();
    vi.spyOn(performance, 'now').mockReturnValue(now + 60_000);
    vi.advanceTimersToNextTimer();
    vi.restoreAllMocks();
  }
  expect(state.lost).toBe(0);
  heart.watch(false);
  expect(vi.getTimerCount()).toBe(0);
});

test('one that has nothing to do is not asked', () => {
  const { state, heart } = beat(false);
  heart.watch(false);
  vi.advanceTimersByTime(600_000);
  expect(state.lost).toBe(0);
});
