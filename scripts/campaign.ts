import { Command } from 'commander';
import { campaign, isFault, type Tried } from '../test/gguf/campaign/campaign.js';

const program = new Command('campaign')
  .description('Change small models and adapters in many ways and load each; nothing may end or hang the process')
  .option('--count <n>', 'files to try', whole, 8000)
  .option('--seed <n>', 'the same seed makes the same files', whole, 1)
  .option('--limit <seconds>', 'longest time for one file', whole, 60)
  .option('--only <index>', 'try one file of a campaign, and keep it', whole)
  .option('--list <code>', 'also print every file that ended with this code')
  .option('--folder <path>', 'where to keep it', 'campaign')
  .addHelpText('after', '\nExample:\n  npm run campaign -- --count 8000 --seed 1\n');

const { count, seed, limit, only, folder, list } = program.parse().opts();
const begun = performance.now();
const tried = await campaign({
  count,
  seed,
  limitSeconds: limit,
  only: only === undefined ? undefined : { index: only, folder },
  onProgress: (done, total, bad) => process.stderr.write(`${done} of ${total}, ${bad} faults\n`),
});
report(tried);
if (only !== undefined) console.log(JSON.stringify(tried[0], null, 2));
console.log(`${Math.round((performance.now() - begun) / 1000)} seconds`);
process.exitCode = tried.some(isFault) ? 1 : 0;

/** Ends by kind, then every file that ended as none may. */
function report(all: readonly Tried[]): void {
  const ends = new Map<string, number>();
  for (const { code, stage } of all) {
    const end = code === 'ran' ? 'ran' : isFault({ code, stage, message: '' }) ? code : `${code} (${stage})`;
    ends.set(end, (ends.get(end) ?? 0) + 1);
  }
  for (const [end, times] of [...ends].sort((a, b) => b[1] - a[1])) console.log(`${String(times).padStart(6)}  ${end}`);
  for (const { index, code, changes, message } of all) {
    if (code === list || isFault({ code, stage: 'load', message }))
      console.log(`${code}: --only ${index}: ${changes.join('; ')} ${message}`);
  }
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`Expected a whole number, got ${text}`);
  return value;
}
