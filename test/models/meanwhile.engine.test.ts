import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { launchNode } from '../../src/host/launch.js';
import { loadModel } from '../../src/host/load.js';
import type { Launch } from '../../src/host/transport.js';
import { hashFile } from '../../src/models/hash.js';
import { hashProgress, identityAt, identityText } from '../../src/models/identity.js';

const path = fileURLToPath(new URL('../../models/stories260K.gguf', import.meta.url));

test('a model that is loaded with `hash` is hashed meanwhile', async () => {
  const identity = identityAt(path);
  const files = [{ path, sizeBytes: Number(identity.size), identity: identityText(identity) }];
  const hashed = async (): Promise<void> => {
    while (hashProgress({ files }).files === null) await turn();
  };
  // Its process is told to load it when the hash is known.
  const launch: Launch = options => {
    const transport = launchNode(options);
    let sent = hashed();
    const send = (message: unknown) => {
      sent = sent.then(() => transport.send(message));
    };
    return { ...transport, send };
  };
  await using model = await loadModel({ path, isolate: { launch }, hash: true });
  expect(hashProgress(model.info).files).toMatchObject([{ sha256: await hashFile(path) }]);
});
