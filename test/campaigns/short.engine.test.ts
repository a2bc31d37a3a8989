import { expect, test } from 'vitest';
import { campaign as gguf } from '../gguf/campaign/campaign.js';
import { campaign as kill } from '../host/campaign.js';
import { campaign as terminate } from '../leaving/terminate.js';
import { campaign as serve } from '../server/campaign.js';
import { campaign as state } from '../state/campaign.js';
import { campaign as abort } from './abort.js';
import type { Campaign } from './campaign.js';
import { campaign as faults } from './faults.js';
import { campaign as soak } from './soak.js';

// The long forms are `npm run campaign -- NAME`.
const short: [string, Campaign, number][] = [
  ['no changed model or adapter ends an app that isolates its models', gguf, 30],
  ['an abort at any moment throws its reason and leaves the engine as it was', abort, 16],
  ['the process of an engine may die at any moment: a typed error, and the next text is right', kill, 20],
  ['a worker may be terminated at any moment', terminate, 10],
  ['a file of ours that was changed is refused', state, 300],
  ['threads, files, handles and listeners do not grow', soak, 300],
  ['two hundred connections to a server may leave at any moment: it comes to rest', serve, 200],
  ['what the system refuses or takes away is an error, and the app goes on', faults, 10],
];

test.each(short)('%s', { timeout: 240_000 }, async (_, campaign, count) => {
  const outcome = await campaign({ count, seed: 20_261 });
  expect(outcome.faults).toEqual([]);
  expect(outcome.tried).toBeGreaterThanOrEqual(count);
});
