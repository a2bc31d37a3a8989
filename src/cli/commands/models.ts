import { existsSync } from 'node:fs';
import { totalmem } from 'node:os';
import { basename, resolve } from 'node:path';
import { Command } from 'commander';
import { hashOfFiles } from '../../ask/record/hashes.js';
import { MeditronError } from '../../check/errors.js';
import { makeFolder } from '../../check/outputs.js';
import { inBytes } from '../../check/words.js';
import { availableCores } from '../../engine/capacity/cores.js';
import { type KnownModelOutlook, knownModel, knownModels } from '../../engine/capacity/known.js';
import { availableMemory } from '../../engine/capacity/memory.js';
import { type AddedModel, addedModel, addedModels, addModel, modelPath, removeModel } from '../../models/added.js';
import { readHeader, recognised } from '../../models/header.js';
import { modelNamed } from '../../models/known.js';
import { modelName } from '../../models/names.js';
import { type KnownModel, registry } from '../../models/registry.js';
import { isPublished } from '../../models/shipped.js';
import { hashed } from '../hashing.js';
import { copiesOf } from '../models/copy.js';
import { type Fetchable, hub, type Ways, waysTo } from '../models/get.js';
import { type ModelHere, modelsHere } from '../models/here.js';
import { templateHash } from '../models/recorded.js';
import { hereInWords, knownInWords, listed } from '../models/words.js';
import { interrupts } from '../terminal/interrupt.js';
import { print, printJson } from '../terminal/output.js';
import { oneLine } from '../terminal/plain.js';
import { progressBar } from '../terminal/progress.js';
import { warn } from '../terminal/warning.js';

interface JsonFlag {
  readonly json?: boolean;
}

export function models(): Command {
  return new Command('models')
    .description('Says which models are known and how they are asked, which are on this machine, and which fit it.')
    .argument('[names...]', 'names of models, GGUF files, or folders with such; without any, everything that is known')
    .option('--json', 'print one JSON object')
    .addHelpText('after', help)
    .action(list)
    .addCommand(add())
    .addCommand(verify())
    .addCommand(get())
    .addCommand(remove());
}

const help = `
Nothing is searched for: models here are those that were added, those in the folder on a stick, those you name, and the one that ships.

Examples:
  meditron models
  meditron models meditron3-8b ~/models
  meditron models add ~/models/Meditron3-8B.Q4_K_M.gguf
  meditron models get apertus-8b-meditronfo`;

/** What \`models --json\` prints; docs/models.md says what stays. */
interface Report {
  readonly schema: 'meditron-models/1';
  readonly machine: { readonly memoryBytes: number; readonly availableBytes: number; readonly cores: number };
  readonly known: readonly KnownModelOutlook[];
  readonly here: readonly ModelHere[];
}

async function list(names: readonly string[], flags: JsonFlag): Promise<void> {
  using interrupt = interrupts();
  const machine = { memoryBytes: totalmem(), availableBytes: availableMemory(), cores: availableCores() };
  const { availableBytes, cores } = machine;
  const paths = names.map(modelPath).filter(path => existsSync(path) || isPath(path));
  const asked = names.filter(name => !paths.includes(modelPath(name))).map(knownByName);
  const all = names.length === 0;
  const here = await modelsHere(paths, interrupt.signal);
  const report: Report = {
    schema: 'meditron-models/1',
    machine,
    known: all
      ? knownModels(availableBytes, cores)
      : [...new Set(asked)].map(known => knownModel(known, availableBytes, cores)),
    here: all ? here : here.filter(({ from, path }) => from === 'named' || paths.includes(path)),
  };
  if (flags.json) printJson(report, 2);
  else if (all) print(listed(report.known, report.here));
  else print([...report.known.map(knownInWords), ...report.here.map(hereInWords)].join('\n'));
  if (!all && report.here.some(({ problems }) => problems.length > 0)) process.exitCode = 4;
}

function add(): Command {
  return new Command('add')
    .description(
      'Checks a model file, reads all of it for its SHA-256, and keeps where it lies under a name. Nothing is copied unless --copy says so.',
    )
    .argument('<file>', 'GGUF file; of a split model the first part')
    .option('--name <name>', 'what it is to be called (default: as its file)')
    .option('--copy <folder>', 'copy it there, compare the copy, and keep that')
    .addHelpText(
      'after',
      '\nA name is then as good as a file: meditron ask -m NAME\n\nExample:\n  meditron models add ~/models/Meditron3-8B.Q4_K_M.gguf',
    )
    .action(async (path: string, flags: AddFlags, command: Command) =>
      addFile(path, { ...flags, ...command.optsWithGlobals() }),
    );
}

interface AddFlags extends JsonFlag {
  readonly name?: string;
  readonly copy?: string;
}

async function addFile(path: string, { name, copy, json }: AddFlags): Promise<void> {
  using interrupt = interrupts();
  const { signal } = interrupt;
  const header = await readHeader(path, { signal });
  const [problem] = header.problems;
  if (problem) throw new MeditronError(problem.code, problem.message);
  const called = nameFor(name, path);
  const files = header.files.map(file => ({ ...file, path: resolve(file.path) }));
  let hashes = await hashed(files, signal);
  if (copy !== undefined) hashes = await copiesOf(hashes, resolve(copy), signal);
  const sha256 = hashOfFiles(hashes);
  const { choice, refusal } = recognised(header, sha256);
  const record: AddedModel = {
    name: called,
    files: hashes,
    template: templateHash(header.chatTemplate),
    added: new Date().toISOString(),
  };
  const replaced = await addModel(record);
  const published = await isPublished(sha256);
  const found = {
    name: called,
    path: hashes[0]!.path,
    sha256,
    published,
    format: choice ?? null,
    refusal: refusal ?? null,
    replaced: replaced.map(({ name }) => name),
  };
  if (json) return printJson({ ...found, files: hashes }, 2);
  print(
    `Added as ${oneLine(called)}.\n${replaced.map(inPlaceOf).join('')}${hereInWords((await modelsHere([], signal)).find(each => each.path === found.path)!)}` +
      `\nTry it: meditron check ${/\s/.test(called) ? JSON.stringify(called) : oneLine(called)}\n`,
  );
}

function inPlaceOf({ name, files }: AddedModel): string {
  return `It takes the place of ${oneLine(name)} (${oneLine(files[0]!.path)}), which is forgotten; its file stays.\n`;
}

function nameFor(name: string | undefined, path: string): string {
  const called = name ?? modelName(path);
  if (/^[^/\\]{1,100}$/.test(called) && !/\.gguf$/i.test(called) && called.trim() === called && !/\p{C}/u.test(called))
    return called;
  throw new MeditronError(
    'ERR_OPTION',
    `Expected --name to be 1 to 100 characters without / and \\, not ending in .gguf, got ${JSON.stringify(called)}`,
  );
}

function verify(): Command {
  return new Command('verify')
    .description(
      'Reads the models that were added again, and says whether they are what they were. Ends with code 4 if one is not.',
    )
    .argument('[names...]', 'names of models that were added (default: all)')
    .addHelpText('after', '\nExample:\n  meditron models verify')
    .action(async (names: readonly string[], _: unknown, command: Command) =>
      verifyAdded(names, command.optsWithGlobals()),
    );
}

interface Verified {
  readonly name: string;
  readonly path: string;
  readonly state: 'unchanged' | 'changed' | 'missing';
  readonly published: boolean;
  readonly message: string;
}

async function verifyAdded(names: readonly string[], { json }: JsonFlag): Promise<void> {
  using interrupt = interrupts();
  const all = addedModels();
  const chosen = names.length === 0 ? all : names.map(name => addedModel(name) ?? unknownName(name, all));
  const found: Verified[] = [];
  for (const model of chosen) found.push(await verified(model, interrupt.signal));
  if (json) printJson(found, 2);
  else if (found.length === 0) print('No model has been added: `meditron models add FILE` does.\n');
  else
    print(
      found
        .map(
          ({ name, state, message }) => `${state === 'unchanged' ? 'ok' : '×'} ${oneLine(name)}: ${oneLine(message)}\n`,
        )
        .join(''),
    );
  if (found.some(({ state }) => state !== 'unchanged')) process.exitCode = 4;
}

function unknownName(name: string, all: readonly AddedModel[]): never {
  const there = all.map(each => each.name).join(', ') || 'none';
  throw new MeditronError(
    'ERR_OPTION',
    `Expected the name of a model that was added, got ${JSON.stringify(name)}. Added: ${there}`,
  );
}

async function verified({ name, files, template }: AddedModel, signal: AbortSignal): Promise<Verified> {
  const [{ path }] = files as [AddedModel['files'][number]];
  const common = { name, path, published: await isPublished(hashOfFiles(files)) };
  try {
    const header = await readHeader(path, { signal });
    const now = await hashed(header.files, signal);
    const changed = now.length !== files.length || now.some(({ sha256 }, i) => sha256 !== files[i]!.sha256);
    if (!changed) return { ...common, state: 'unchanged', message: `unchanged, SHA-256 ${hashOfFiles(files)}` };
    const what = templateHash(header.chatTemplate) === template ? '' : ', its chat template too';
    return {
      ...common,
      state: 'changed',
      message: `${path} is another file than was added${what}: fetch or add it again`,
    };
  } catch (error) {
    if (!(error instanceof MeditronError) || signal.aborted) throw error;
    const state = error.code === 'ERR_MODEL_FILE' ? 'missing' : 'changed';
    return { ...common, state, message: error.message };
  }
}

function remove(): Command {
  return new Command('remove')
    .description('Forgets a model that was added. Its files stay.')
    .argument('<name>', 'its name, or its file')
    .addHelpText('after', '\nExample:\n  meditron models remove Meditron3-8B.Q4_K_M')
    .action(async (name: string) => {
      const { name: gone, files } = await removeModel(name);
      print(`${oneLine(gone)} is forgotten; ${oneLine(files[0]!.path)} stays.\n`);
    });
}

function get(): Command {
  return new Command('get')
    .description('Says where a model is published and how to come by it. Fetches nothing unless --download says so.')
    .argument('<name>', 'name of a model, as `meditron models` lists them')
    .option('--quantization <name>', 'as Q4_K_M (default: what is recommended here)')
    .option('--download', 'fetch it now: goes on where an earlier try ended, and compares size and SHA-256')
    .option('--to <folder>', 'where the file goes (default: this folder)')
    .option('--url <url>', 'fetch this file instead: another repository’s, or a mirror’s')
    .addHelpText(
      'after',
      '\nThe usual variables (HTTPS_PROXY, NO_PROXY) name a proxy.\n\nExample:\n  meditron models get meditron-7b --quantization Q4_K_M',
    )
    .action(async (name: string, flags: GetFlags, command: Command) =>
      getModel(name, { ...flags, ...command.optsWithGlobals() }),
    );
}

/** @throws MeditronError `ERR_OPTION` with the names there are */
function knownByName(name: string): KnownModel {
  const known = registry.find(({ id }) => id === name.toLowerCase()) ?? modelNamed([name]);
  if (known) return known;
  throw new MeditronError(
    'ERR_OPTION',
    `Expected the name of a model that is known, or of one that was added, got ${JSON.stringify(name)}. Known: ${registry.map(({ id }) => id).join(', ')}`,
  );
}

function isPath(name: string): boolean {
  return /[/\\]|\.gguf$/i.test(name);
}

interface GetFlags extends JsonFlag {
  readonly quantization?: string;
  readonly download?: boolean;
  readonly to?: string;
  readonly url?: string;
}

async function getModel(name: string, flags: GetFlags): Promise<void> {
  const model = knownModel(knownByName(name), availableMemory(), availableCores());
  const quantization = (flags.quantization ?? model.recommended ?? 'Q4_K_M').toUpperCase();
  if (!/^[A-Z0-9_]{2,20}$/.test(quantization)) {
    throw new MeditronError(
      'ERR_OPTION',
      `Expected --quantization to be as Q4_K_M, got ${JSON.stringify(flags.quantization)}`,
    );
  }
  const ways = waysTo(model, quantization);
  if (flags.download) return fetchModel(ways, flags);
  if (flags.json) return printJson(ways, 2);
  print(waysInWords(model, ways));
}

async function fetchModel({ id, files }: Ways, { to = '.', url, json }: GetFlags): Promise<void> {
  using interrupt = interrupts();
  const wanted = url === undefined ? files[0] : named(url);
  if (!wanted) {
    throw new MeditronError(
      'ERR_OPTION',
      `No GGUF file of ${id} is known to be published: \`meditron models get ${id}\` says how one is made; --url names one that you know`,
    );
  }
  await makeFolder(to);
  const path = resolve(to, wanted.file);
  const { download } = await import('../models/fetch.js');
  const bars = { fetching: progressBar('Fetching'), hashing: progressBar('Hashing') };
  try {
    const done = await download({
      ...{ url: new URL(wanted.url), to: path, sha256: wanted.sha256 ?? undefined, signal: interrupt.signal },
      onProgress: (what, read, total) => bars[what].show(total === 0 ? 1 : read / total),
      onRetry: warn,
    });
    if (json) return printJson({ ...done, url: wanted.url }, 2);
    const compared = {
      published: ', which is the published one',
      server: ', as the server says',
      none: '; there was nothing to compare it with',
    };
    print(
      `${oneLine(done.path)}: ${inBytes(done.sizeBytes)}, SHA-256 ${done.sha256}${compared[done.comparedWith ?? 'none']}.\n` +
        `Next: meditron models add ${JSON.stringify(done.path)}\n`,
    );
  } finally {
    bars.fetching.stop();
    bars.hashing.stop();
  }
}

function named(url: string): Fetchable {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const file = parsed && decodeURIComponent(basename(parsed.pathname));
  if (!parsed || !file || !/^[^/\\]+\.gguf$/i.test(file)) {
    throw new MeditronError(
      'ERR_OPTION',
      `Expected --url to be the address of a GGUF file, got ${JSON.stringify(url)}`,
    );
  }
  return { repository: '', file, url, sha256: null, note: null };
}

function waysInWords(model: KnownModelOutlook, { quantization, sizeBytes, memoryBytes, files, convert }: Ways): string {
  if (model.repository === null) return `${model.title} comes with this program.\n`;
  const size = sizeBytes === null ? '' : `, ${inBytes(sizeBytes)}, ${inBytes(memoryBytes!)} of memory`;
  const lines = [
    `${model.title}: ${quantization}${size}${quantization === model.recommended ? ', recommended here' : ''}`,
    `Weights: ${hub}/${model.repository} (${model.licence}). Nothing was fetched.`,
    '',
  ];
  for (const { url, sha256, note } of files) {
    lines.push(`  ${url}`, `    SHA-256: ${sha256 ?? 'not known beforehand'}${note === null ? '' : `; ${note}`}`);
  }
  if (files.length > 0) {
    lines.push(
      ...['', 'Fetch it with a browser, or with one of:'],
      `  curl --location --continue-at - --remote-name ${files[0]!.url}`,
      `  meditron models get ${model.id} --quantization ${quantization} --download`,
      ...['Then:', `  meditron models add ${files[0]!.file}`, ''],
    );
  } else
    lines.push(
      'No GGUF file of it was seen. In a checkout of this project one is made of the published weights (docs/models.md):',
    );
  if (files.length === 0) lines.push(...convert.map(line => `  ${line}`), '');
  return lines.join('\n');
}
