// Writes models/probe.gguf, which GPU backends are tried with.
import { resolve } from 'node:path';
import { writeProbeModel } from '../src/synth/probe.js';

await writeProbeModel(resolve(import.meta.dirname, '../models/probe.gguf'));
