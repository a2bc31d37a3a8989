import { expect, test } from 'vitest';
import { campaign as terminate } from '../leaving/terminate.js';
import { campaign as state } from '../state/campaign.js';
import { campaign as abort } from './abort.js';
import type { Campaign } from './campaign.js';
import { campaign as soak } from './soak.js';

// The long forms are `npm run campaign -- NAME`.
const short: [string, Campaign, number][] = [
  ['an abort at any moment throws its reason and leaves the engine as it was', abort, 24],
  ['a worker may be terminated at any moment', terminate, 16],
  ['a file of ours that was changed is refused', state, 300],
  ['threads, files, handles and listeners do not grow', soak, 300],
];

test.each(short)('%s', async (_, campaign, count) => {
  const { faults, tried } = await campaign({ count, seed: 20_261, isolate: false });
  expect(faults).toEqual([]);
  expect(tried).toBe(count);
});
