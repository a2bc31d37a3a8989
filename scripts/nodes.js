// The whole suite on other releases of Node: node scripts/nodes.js 22 24 [-- VITEST ARGUMENTS]
// The addon is built once: Node-API is the same for all of them, and that this is so is what is tried here.
import { spawnSync } from 'node:child_process';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { obtain, pinned } from './packages.js';
import { thisPlatform } from './platforms.js';

const projectRoot = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const vitest = join(projectRoot, 'node_modules', 'vitest', 'vitest.mjs');
// What is tried is the release: a test that fails once for want of time is tried again, so that a file more than usual may run at a
// time while others wait. The suite's first run (`npm test`) forgives nothing.
const everything = ['run', '--project', 'pure', '--project', 'engine', '--retry', '1'];
const files = { VITEST_MAX_WORKERS: '3' };

const [releases, given] = split(process.argv.slice(2), '--');
if (releases.length === 0) fail(`Expected releases of Node, as in: npm run test:nodes -- 22 24. ${known()}`);

let failed = 0;
for (const release of releases) {
  const folder = obtain(nameOf(release), text => console.log(text));
  const env = { ...process.env, ...files, PATH: [join(folder, 'bin'), process.env.PATH].join(delimiter) };
  const node = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim();
  if (!version?.startsWith(`v${release}.`)) fail(`${node} is not Node ${release}: ${version}`);
  console.log(`== Node ${version}`);
  const began = performance.now();
  const { status } = spawnSync(node, [vitest, ...(given.length > 0 ? given : everything)], {
    cwd: projectRoot,
    env,
    stdio: 'inherit',
  });
  console.log(
    `== Node ${version}: ${status === 0 ? 'passed' : 'FAILED'} in ${Math.round((performance.now() - began) / 1000)} s`,
  );
  if (status !== 0) failed++;
}
process.exit(failed === 0 ? 0 : 1);

/** The pinned package of a release, whichever of them stands under the bare name. @param {string} release */
function nameOf(release) {
  const name = names().find(name => pinned[name]?.version.startsWith(`${release}.`));
  return name ?? fail(`Node ${release} is not pinned in npm/pinned.json for this system. ${known()}`);
}

function known() {
  return `Pinned are: ${
    names()
      .map(name => pinned[name]?.version)
      .join(', ') || 'none for this system'
  }`;
}

function names() {
  const bare = thisPlatform?.node;
  return Object.keys(pinned).filter(name => name === bare || name.startsWith(`${bare}@`));
}

/** @param {string[]} args @param {string} at */
function split(args, at) {
  const i = args.indexOf(at);
  return i < 0 ? [args, []] : [args.slice(0, i), args.slice(i + 1)];
}

/** @param {string} message @returns {never} */
function fail(message) {
  console.error(message);
  process.exit(2);
}
