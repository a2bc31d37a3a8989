import { parentPort } from 'node:worker_threads';
import { begin } from './scene.js';

await begin();
parentPort.postMessage('busy');
