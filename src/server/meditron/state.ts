import { cpus, totalmem } from 'node:os';
import { Hono } from 'hono';
import { notice } from '../../ask/types.js';
import { packageVersion } from '../../check/project.js';
import { availableCores } from '../../engine/capacity/cores.js';
import { availableMemory } from '../../engine/capacity/memory.js';
import type { RouteParts } from '../app.js';
import type { Catalogue } from './catalogue.js';
import type { MachineState, ServerState } from './protocol.js';

export interface StateParts {
  readonly isPage: RouteParts['isPage'];
  readonly catalogue: Catalogue;
  /** Whether history is kept. */
  readonly history: () => Promise<boolean>;
}

/** What there is: models, machine, memory. */
export function stateRoutes({ isPage, catalogue, history }: StateParts): Hono {
  return new Hono().get('/v1/meditron/state', async c => {
    const files = isPage(c);
    return c.json<ServerState>({
      version: packageVersion(),
      notice,
      machine: machineState(),
      models: await catalogue.list(files),
      features: { files, history: await history() },
    });
  });
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
