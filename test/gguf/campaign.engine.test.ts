import { expect, test } from 'vitest';
import { campaign } from './campaign/campaign.js';

// The long form is `npm run campaign -- gguf`.
test('no changed model or adapter ends or hangs the app', async () => {
  const { faults, tried, ends } = await campaign({ count: 200, seed: 20_261, isolate: false });
  expect(faults).toEqual([]);
  expect(tried).toBe(200);
  const codes = Object.keys(ends as object).join();
  for (const code of ['ran', 'ERR_MODEL_FORMAT', 'ERR_MODEL_UNSUPPORTED', 'ERR_LORA']) expect(codes).toContain(code);
});
