import { Hono } from 'hono';
import type { RouteParts } from '../app.js';
import { errorResponse } from '../error.js';
import { chatRoutes } from './chat.js';
import { completionRoutes } from './completions.js';
import { inFields } from './fields.js';
import { modelRoutes } from './models.js';
import { tokenizeRoutes } from './tokenize.js';

/** What clients of OpenAI's interface ask for, and evaluation harnesses. */
export function openaiRoutes({ pool }: Pick<RouteParts, 'pool'>): Hono {
  return new Hono()
    .route('/', chatRoutes(pool))
    .route('/', completionRoutes(pool))
    .route('/', modelRoutes(pool))
    .route('/', tokenizeRoutes(pool))
    .onError((error, c) => errorResponse(inFields(error), c));
}
