import { cpus, totalmem } from 'node:os';
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { notice } from '../../ask/types.js';
import { packageVersion } from '../../check/project.js';
import { availableCores } from '../../engine/capacity/cores.js';
import { availableMemory } from '../../engine/capacity/memory.js';
import { RequestError } from '../error.js';
import type { Catalogue } from './catalogue.js';
import type { MachineState, ServerState } from './protocol.js';

export interface StateParts {
  readonly pageOnly: MiddlewareHandler;
  readonly catalogue: Catalogue;
  /** Whether history is kept. */
  readonly history: () => Promise<boolean>;
}

/** What there is: models, machine, memory. */
export function stateRoutes({ pageOnly, catalogue, history }: StateParts): Hono {
  return new Hono().get('/v1/meditron/state', async c => {
    const files = await hasKey(c, pageOnly);
    return c.json<ServerState>({
      version: packageVersion(),
      notice,
      machine: machineState(),
      models: await catalogue.list(files),
      features: { files, history: await history() },
    });
  });
}

/** Whether a request has the page's key, for what is answered without it too. */
export async function hasKey(c: Context, pageOnly: MiddlewareHandler): Promise<boolean> {
  let has = false;
  try {
    await pageOnly(c, async () => {
      has = true;
    });
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
  }
  return has;
}

function machineState(): MachineState {
  return {
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model.trim() || 'unknown',
    cores: availableCores(),
    memoryBytes: totalmem(),
    availableBytes: availableMemory(),
  };
}
