/** @module meditron/ai */

export { type MeditronModel, type MeditronOptions, meditron } from './model.js';
export type * from './types.js';
