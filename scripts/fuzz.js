#!/usr/bin/env node
// Builds and runs the fuzzers of our own native parsers, under AddressSanitizer and UBSan. With clang and its libFuzzer inputs are led by
// coverage; without, they are mutants of the committed corpus from a seed.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

const help = `Usage: npm run fuzz -- [options]

Gives the reader and matcher of grammars any bytes. Exit code 1 if one ended the process, broke a promise or took too long; that input is
kept in build/fuzz.

  --runs N       inputs (default 20000)
  --seconds N    as many as there is time for, instead; needs clang
  --seed N       the same seed makes the same inputs (default 1)
  --mutants      do without libFuzzer even where it is

Example: npm run fuzz -- --seconds 3600
`;

/** @param {string} message @returns {never} */
function fail(message) {
  process.stderr.write(`meditron: ${message}\n`);
  process.exit(1);
}

const options = readOptions();
const folder = join(root, 'build', 'fuzz');
const corpus = join(root, 'test', 'native', 'fuzz', 'grammar');
mkdirSync(folder, { recursive: true });

const compiler = process.env.CLANGXX ?? 'clang++';
const guided = !options.mutants && hasLibFuzzer();
if (!guided && options.seconds !== undefined)
  fail(`--seconds needs clang with libFuzzer, and ${compiler} has none. Use --runs.`);
const fuzzer = join(folder, guided ? 'grammar-guided' : 'grammar-mutants');
build();
process.stdout.write(
  guided ? 'libFuzzer, led by coverage\n' : 'mutants of the corpus (no clang with libFuzzer is used)\n',
);
process.exit(guided ? runGuided() : run(fuzzer, [corpus, String(options.runs), String(options.seed)]));

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        runs: { type: 'string' },
        seconds: { type: 'string' },
        seed: { type: 'string' },
        mutants: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help) {
      process.stdout.write(help);
      process.exit(0);
    }
    const { seconds } = values;
    return {
      runs: whole('--runs', values.runs ?? '20000'),
      seconds: seconds === undefined ? undefined : whole('--seconds', seconds),
      seed: whole('--seed', values.seed ?? '1'),
      mutants: values.mutants ?? false,
    };
  } catch (error) {
    return fail(`${/** @type {Error} */ (error).message}\n\n${help}`);
  }
}

/** @param {string} name @param {string} text */
function whole(name, text) {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) fail(`expected ${name} to be a whole number, got "${text}"`);
  return value;
}

/** Compiling tells: the compiler may be there without the runtime. */
function hasLibFuzzer() {
  const trial = mkdtempSync(join(tmpdir(), 'meditron-fuzz-'));
  const source = join(trial, 'trial.cpp');
  writeFileSync(source, 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char *, unsigned long) { return 0; }\n');
  const { status } = spawnSync(compiler, ['-fsanitize=fuzzer,address,undefined', source, '-o', join(trial, 'trial')]);
  rmSync(trial, { recursive: true });
  return status === 0;
}

function build() {
  const sources = [
    'native/core/grammar.cpp',
    'test/native/fuzz/grammar.cpp',
    ...(guided ? [] : ['test/native/fuzz/driver.cpp']),
  ];
  const sanitizers = guided ? 'fuzzer,address,undefined' : 'address,undefined';
  const flags = [
    '-std=c++17',
    '-O1',
    '-g',
    '-fno-omit-frame-pointer',
    `-fsanitize=${sanitizers}`,
    '-fno-sanitize-recover=undefined',
  ];
  const args = [...flags, '-D_GLIBCXX_ASSERTIONS', '-Inative/core', ...sources, '-o', fuzzer];
  const status = run(guided ? compiler : (process.env.CXX ?? 'c++'), args, root);
  if (status !== 0) process.exit(status);
}

function runGuided() {
  const found = join(folder, 'corpus'); // grows from one run to the next
  mkdirSync(found, { recursive: true });
  const limit = options.seconds === undefined ? `-runs=${options.runs}` : `-max_total_time=${options.seconds}`;
  const dictionary = join(root, 'test', 'native', 'fuzz', 'grammar.dict');
  const flags = [
    `-dict=${dictionary}`,
    `-seed=${options.seed}`,
    '-max_len=4096',
    '-timeout=20',
    '-verbosity=0',
    '-print_final_stats=1',
  ];
  return run(fuzzer, [found, corpus, limit, ...flags]);
}

/** @param {string} command @param {string[]} args */
function run(command, args, cwd = folder) {
  const result = spawnSync(command, args, { cwd, stdio: 'inherit' });
  if (result.error) fail(`${command} could not be started: ${result.error.message}`);
  return result.status ?? 1;
}
