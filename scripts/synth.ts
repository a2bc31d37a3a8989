import { readFileSync } from 'node:fs';
import { SingleBar } from 'cli-progress';
import { Command, InvalidArgumentError, Option } from 'commander';
import { exitCodes, MeditronError } from '../src/check/errors.js';
import { quants } from '../src/synth/quants.js';
import { shapeNames } from '../src/synth/shapes.js';
import { type SynthOptions, synthesize } from '../src/synth/synth.js';
import { addedTypes, vocabularyNames } from '../src/synth/vocabulary.js';

const program = new Command('synth')
  .description('Write a model of a true or tiny shape with random weights, for tests and benchmarks')
  .addOption(new Option('--shape <name>', 'shape of the model').choices(shapeNames).makeOptionMandatory())
  .addOption(new Option('--quant <type>', 'quantization; q4_k is Q4_K_S').choices(quants).makeOptionMandatory())
  .requiredOption('--out <file>', 'file to write')
  .option('--seed <n>', 'seed of the weights', whole, 0)
  .addOption(new Option('--vocab <name>', 'vocabulary (default: the shape’s own)').choices(vocabularyNames))
  .addOption(new Option('--added <types>', 'types of added tokens').choices(addedTypes).default('converted'))
  .option('--template <file>', 'chat template, Jinja source (default: the shape’s own)')
  .option('--layers <n>', 'layers (default: the shape’s own)', whole)
  .option('--split <n>', 'write n parts', whole, 1)
  .option('--force', 'replace an existing file')
  .option('--json', 'print one JSON object')
  .addHelpText('after', '\nExample:\n  npm run synth -- --shape meditron-7b --quant q4_k_m --out meditron-7b.gguf\n')
  .configureOutput({ outputError: (text, write) => write(text) })
  .exitOverride(error => process.exit(error.exitCode === 0 ? 0 : exitCodes.ERR_OPTION));

await main();

async function main(): Promise<void> {
  const { vocab, json, layers, template, ...rest } = program.parse().opts();
  const abort = new AbortController();
  process.once('SIGINT', () => abort.abort(new MeditronError('ERR_ABORTED', 'Interrupted; nothing was left behind')));

  const bar = process.stderr.isTTY
    ? new SingleBar({ format: '{bar} {percentage}% of {gigabytes} GB, {eta} s left' })
    : undefined;
  const options = {
    ...rest,
    ...(vocab === undefined ? {} : { vocabulary: vocab }),
    ...(layers === undefined ? {} : { layers }),
    ...(template === undefined ? {} : { template: readFileSync(template, 'utf8') }),
    signal: abort.signal,
    onProgress: (written, total) => {
      if (bar && !bar.isActive) bar.start(total, written, { gigabytes: (total / 1e9).toFixed(2) });
      bar?.update(written);
    },
  } as SynthOptions;

  const start = performance.now();
  try {
    const made = await synthesize(options);
    bar?.stop();
    const seconds = (performance.now() - start) / 1000;
    if (json) console.log(JSON.stringify({ ...made, quant: options.quant, seed: options.seed, seconds }));
    else console.log(`${made.paths.join('\n')}\n${(made.bytes / 1e9).toFixed(2)} GB in ${seconds.toFixed(1)} s`);
  } catch (error) {
    bar?.stop();
    console.error(error instanceof MeditronError ? `${error.message} (${error.code})` : error);
    process.exitCode = error instanceof MeditronError ? exitCodes[error.code] : 1;
  }
}

function whole(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError(`Expected a whole number, got ${JSON.stringify(text)}.`);
  return Number(text);
}
