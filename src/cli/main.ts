import { endEarly, startEarly } from './early.js';

startEarly(process.argv.slice(2));
const { run } = await import('./command.js'); // takes as long as the engine's process does to start
await run();
endEarly();
