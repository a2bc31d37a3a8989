// Ends with code 130.
import { begin, moment } from '../scene.js';

process.on('SIGINT', () => process.exit(130));
setInterval(() => {}, 1000); // a signal does not keep the process until it is handled
await begin();
await moment();
process.kill(process.pid, 'SIGINT');
