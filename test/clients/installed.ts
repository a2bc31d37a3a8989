import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';

/** The clients are installed apart (`npm run test:clients` does it), for they are many times as large as the project. */
const missing = ['openai', 'ai', '@langchain/openai'].filter(
  name => !existsSync(join(import.meta.dirname, 'node_modules', name)),
);

/** Tests with a client, or one that says why there are none. */
export async function withClients(tests: () => void | Promise<void>): Promise<void> {
  if (missing.length === 0 || process.env.CI)
    await tests(); // CI installs them
  else test.skip(`${missing.join(', ')} not installed: npm ci --prefix test/clients needs a registry`, () => {});
}
