// A process that exists for its parent only, and does what its arguments say: node belonging.js WAY [MODEL]
import { openSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const require = createRequire(import.meta.url);
const record = require(resolve(root, 'build/addon.json'));
const addon = require(resolve(root, record.addon));
addon.loadBackends(resolve(root, record.libraries || dirname(record.addon)), [], []);

const [way, model] = process.argv.slice(2);
if (way === 'nobody') process.setgid?.(65534);
if (way === 'nobody') process.setuid?.(65534);
const owner = way === 'owner' && statSync('/proc/self/environ').uid;
addon.belongToParent(way === 'orphan' ? 1 : process.ppid);

/** @type {Record<string, () => unknown>} */
const ways = {
  abort: () => process.abort(),
  fault: () => process.kill(process.pid, 'SIGSEGV'),
  trap: () => {
    // Reads beyond its memory, which V8 notices by the fault.
    const program = '0061736d010000000105016000017f030201000503010001070501016600000a09010700417c2802000b';
    const { f } = /** @type {{ f: () => number }} */ (
      new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(program, 'hex'))).exports
    );
    for (let i = 0; i < 3; i++) {
      try {
        f();
      } catch (error) {
        process.stdout.write(`${error instanceof WebAssembly.RuntimeError}\n`);
      }
    }
  },
  assertion: () => step(model),
  echo: () => {
    addon.echoLog(true);
    return step(model);
  },
  /** A file without a name, as small models are loaded from. */
  nobody: async () => {
    const handle = openSync(model, 'r');
    rmSync(model);
    await step(`/proc/self/fd/${handle}`);
    process.stdout.write('loaded\n');
  },
  owner: () => process.stdout.write(`${owner} then ${statSync('/proc/self/environ').uid}\n`),
  wait: () => {
    process.stdout.write(`ready\n`);
    setInterval(() => {}, 1000);
  },
};

/** One step on a model. @param {string} path */
async function step(path) {
  const native = new addon.Model();
  const mapped = { mmap: true, whole: false, repack: false, mlock: false };
  await native.load({ paths: [path], gpuLayers: 0, devices: [], ...mapped });
  const engine = new addon.Engine(native);
  const size = {
    contextSize: 256,
    batchSize: 64,
    maxSequences: 1,
    threads: 1,
    samplers: 1,
    poll: 0,
    adaptThreads: false,
    streamed: '',
    stay: 0,
    resident: true,
  };
  await engine.open({ ...size, kvType: 'f16', kernels: 'auto', flashAttention: 'auto', loras: [] });
  const branch = {
    maxTokens: 0,
    forced: new Int32Array(0),
    logprobs: false,
    topLogprobs: 0,
    ends: null,
    stops: [],
    stopTokens: new Int32Array(0),
    hold: false,
  };
  engine.add({ from: -1, fromSize: -1, cells: 1, prompt: new Int32Array([1]), branches: [branch] });
  await engine.step(0);
  await engine.close();
  await native.close();
}

await ways[way]?.();
