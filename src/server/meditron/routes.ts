import { Hono } from 'hono';
import type { RouteParts } from '../app.js';
import { askRoutes } from './ask.js';
import { Asks, type Patience } from './asks.js';
import { Catalogue } from './catalogue.js';
import { Evaluations } from './evaluations.js';
import { filesRoutes } from './files.js';
import { historyRoutes } from './history/routes.js';
import { History, historyFolder } from './history/store.js';
import { modelsRoutes } from './models.js';
import { panelRoutes } from './panel.js';
import { readRoutes } from './read.js';
import { replayRoutes } from './replay.js';
import { roomRoutes } from './room.js';
import { runsRoutes } from './runs.js';
import { stateRoutes } from './state.js';

export interface MeditronOptions {
  readonly patience?: Partial<Patience>;
}

/** Everything below `/v1/meditron`. */
export function meditronRoutes(parts: RouteParts, { patience }: MeditronOptions = {}): Hono {
  const { pool, pageOnly, isPage, onClose } = parts;
  const asks = new Asks(pool, patience);
  const history = new History(historyFolder());
  const runs = new Evaluations(pool);
  const catalogue = new Catalogue(pool, model => runs.measured(model));
  onClose(() => asks.close());
  onClose(() => runs.close());
  return new Hono()
    .route('/', stateRoutes({ isPage, catalogue, history: () => history.isOn() }))
    .route('/', readRoutes())
    .route('/', askRoutes(pool, asks))
    .route('/', panelRoutes(pool, asks, catalogue))
    .route('/', replayRoutes({ pool, pageOnly, catalogue }))
    .route('/', modelsRoutes({ pool, pageOnly, isPage, catalogue }))
    .route('/', filesRoutes(pageOnly))
    .route('/', roomRoutes(pool))
    .route('/', runsRoutes({ pool, pageOnly, catalogue, runs }))
    .route('/', historyRoutes(pageOnly, history));
}
