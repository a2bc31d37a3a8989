import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Argument, Command, InvalidArgumentError } from 'commander';
import type { CampaignOptions, Outcome } from '../test/campaigns/campaign.js';
import { campaignOf, campaigns } from '../test/campaigns/registry.js';

const names = Object.keys(campaigns);
const table = Object.entries(campaigns).map(
  ([name, { about, short, long }]) => `  ${name.padEnd(10)} ${about} (short ${short}, long ${long})`,
);

const program = new Command('campaign')
  .description('Try one promise many times, from a seed; exit code 1 if it was broken once')
  .addArgument(new Argument('<name>', 'which; `all` is a short form of each').choices([...names, 'all']))
  .option('--count <n>', 'trials (default: the short form)', whole)
  .option('--seconds <n>', 'begin no trial after so long, as `serve` can', whole)
  .option('--seed <n>', 'the same seed makes the same trials', whole, 1)
  .option('--only <index>', 'one trial of a campaign', whole)
  .option('--folder <path>', 'where --only keeps its files')
  .option('--isolated', 'engines in processes of their own only')
  .option('--in-process', 'engines in the app’s own process only')
  .option('--model <file>', 'the model that is run, where the trials do not bring their own')
  .option('--json', 'print one JSON object')
  .addHelpText('after', `\nCampaigns:\n${table.join('\n')}\n`)
  .addHelpText('after', '\nExample:\n  npm run --silent campaign -- gguf --count 50000 --seed 1 --json\n');

program.parse();
const [asked] = program.args as [string];
const { count, seconds, seed, only, folder, isolated, inProcess, model, json } = program.opts();
if (isolated && inProcess) program.error('Expected --isolated or --in-process, got both');
if (asked === 'all' && only !== undefined) program.error('Expected --only with one campaign, got it with `all`');

const date = new Date().toISOString();
const begun = performance.now();
const outcomes: [string, Outcome][] = [];
for (const name of asked === 'all' ? names : [asked]) {
  const options: CampaignOptions = {
    count: count ?? campaigns[name]!.short,
    seconds,
    seed,
    only,
    folder,
    model,
    isolate: isolated ? true : inProcess ? false : undefined,
    onProgress: progress(name),
  };
  const run = await campaignOf(name);
  outcomes.push([name, await run(options)]);
}
const total = asked === 'all' ? sum(outcomes) : outcomes[0]![1];
const report = {
  campaign: asked,
  seed,
  ...total,
  seconds: Math.round((performance.now() - begun) / 1000),
  commit: commit(),
  date,
  node: process.version,
};
if (json) console.log(JSON.stringify(report));
else for (const [name, outcome] of outcomes) console.log(words(name, outcome));
process.exitCode = broken(total) ? 1 : 0;

function broken({ hostDeaths, hangs, accepted, untyped, broken }: Outcome): boolean {
  return hostDeaths + hangs + accepted + untyped + broken > 0;
}

function sum(all: readonly [string, Outcome][]): Outcome {
  const total = (key: 'tried' | 'hostDeaths' | 'hangs' | 'accepted' | 'untyped' | 'broken'): number =>
    all.reduce((sum, [, outcome]) => sum + outcome[key], 0);
  return {
    tried: total('tried'),
    hostDeaths: total('hostDeaths'),
    hangs: total('hangs'),
    accepted: total('accepted'),
    untyped: total('untyped'),
    broken: total('broken'),
    slowest: Math.max(...all.map(([, outcome]) => outcome.slowest)),
    campaigns: Object.fromEntries(all),
    faults: all.flatMap(([name, { faults }]) => faults.map(fault => `${name} ${fault}`)),
  };
}

function words(name: string, { faults, ...figures }: Outcome): string {
  const lines = Object.entries(figures).map(([figure, value]) => `  ${figure.padEnd(12)} ${shown(value)}`);
  return [
    `${name}, seed ${seed}: ${faults.length === 0 ? 'no faults' : `${faults.length} faults`}`,
    ...lines,
    ...faults,
  ].join('\n');
}

function shown(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** A line to the error stream at most once a second. */
function progress(name: string): CampaignOptions['onProgress'] {
  let last = performance.now();
  return (done, all, faults) => {
    if (performance.now() - last < 1000 && done < all) return;
    last = performance.now();
    process.stderr.write(`${name}: ${done} of ${all}, ${faults} faults\n`);
  };
}

/** The commit that is tried, marked where the tree has been changed since. */
function commit(): string {
  try {
    const cwd = fileURLToPath(new URL('..', import.meta.url));
    return execFileSync('git', ['describe', '--always', '--dirty'], { cwd, encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return 'unknown';
  }
}

function whole(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError('Expected a whole number.');
}
