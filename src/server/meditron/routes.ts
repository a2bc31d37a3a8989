import { Hono } from 'hono';
import type { RouteParts } from '../app.js';
import { askRoutes } from './ask.js';
import { Asks, type Patience } from './asks.js';
import { Catalogue } from './catalogue.js';
import { filesRoutes } from './files.js';
import { modelsRoutes } from './models.js';
import { readRoutes } from './read.js';
import { replayRoutes } from './replay.js';
import { roomRoutes } from './room.js';
import { stateRoutes } from './state.js';

export interface MeditronOptions {
  readonly patience?: Partial<Patience>;
}

/** Everything below `/v1/meditron`. */
export function meditronRoutes({ pool, pageOnly }: RouteParts, { patience }: MeditronOptions = {}): Hono {
  const asks = new Asks(pool, patience);
  const catalogue = new Catalogue(pool);
  return new Hono()
    .route('/', stateRoutes({ pageOnly, catalogue, history: async () => false }))
    .route('/', readRoutes())
    .route('/', askRoutes(pool, asks))
    .route('/', replayRoutes({ pool, pageOnly, catalogue }))
    .route('/', modelsRoutes({ pool, pageOnly, catalogue }))
    .route('/', filesRoutes(pageOnly))
    .route('/', roomRoutes(pool));
}
