import { expect, test } from 'vitest';
import { campaign, isFault } from './campaign/campaign.js';

// The long form is `npm run campaign`.
test('no changed model or adapter ends or hangs the process', async () => {
  const tried = await campaign({ count: 200, seed: 20_261 });
  expect(tried.filter(isFault)).toEqual([]);
  const codes = new Set(tried.map(({ code }) => code));
  for (const code of ['ran', 'ERR_MODEL_FORMAT', 'ERR_MODEL_UNSUPPORTED', 'ERR_LORA']) expect(codes).toContain(code);
});
