import { type Command, Option as CommanderOption } from 'commander';
import { askOptions } from '../ask/options.js';
import type { Kind } from '../check/kinds.js';
import { engineOptions, loadOptions, processOptions } from '../check/machine.js';
import { shippedModel } from '../check/project.js';
import { samplingNumbers } from '../check/sampling.js';
import type { Flag, FlagOfOtherKind, Given, Option, Table } from '../check/table.js';
import { runOptions } from '../evaluate/run/options.js';
import { meantModel } from '../models/added.js';
import { serverOptions } from '../server/options.js';

/** A command's parsed flags, before the options among them are taken out by their table. */
export type Flags = Readonly<Record<string, unknown>>;

/** Adds a flag for every option that a person can type. */
export function addFlags(command: Command, table: Table): Command {
  for (const [name, option] of Object.entries(table)) {
    const flag = flagFor(name, option);
    if (flag) command.addOption(flag);
  }
  return command;
}

/** The options of a table among a command's flags. */
export function optionsOf<T extends Table>(table: T, flags: Flags): Given<T> {
  const given = Object.entries(table).flatMap(([name, { flag }]) => {
    const spelling = spellingOf(flag);
    if (spelling === undefined) return [];
    const typed = flags[new CommanderOption(spelling).attributeName()];
    // A switch that takes something away, --no-…, is true for commander where nobody gave it.
    if (typed === undefined || (typed === true && isNegative(spelling))) return [];
    return [[name, hasOtherKind(flag) ? flag.to(typed as never) : typed]];
  });
  return Object.fromEntries(given) as Given<T>;
}

function flagFor(name: string, { flag, kind, help }: Option): CommanderOption | undefined {
  const spelling = spellingOf(flag);
  if (spelling === undefined) return undefined;
  const made = new CommanderOption(spelling, help);
  if (made.isBoolean() || isNegative(spelling)) return made; // a switch
  return made.argParser(parserOf(made.long ?? name, hasOtherKind(flag) ? flag.kind : kind));
}

/** Checks what was typed. A flag of several values may be repeated. */
function parserOf<T>(flag: string, kind: Kind<T>): (typed: string, before: unknown) => T {
  return (typed, before) => {
    const value = kind.check(flag, kind.read!(typed));
    return Array.isArray(value) && Array.isArray(before) ? ([...before, ...value] as T) : value;
  };
}

/** A flag that only a command has, checked as those in the tables are. */
export function flag(spelling: string, help: string, kind: Kind<unknown>): CommanderOption {
  const made = new CommanderOption(spelling, help);
  return made.argParser(parserOf(made.long!, kind));
}

function spellingOf(flag: Flag): string | undefined {
  if (typeof flag === 'string') return flag;
  return 'none' in flag ? undefined : flag.spelling;
}

function hasOtherKind(flag: Flag): flag is FlagOfOtherKind {
  return typeof flag === 'object' && 'spelling' in flag;
}

function isNegative(spelling: string): boolean {
  return /(^| )--no-/.test(spelling);
}

/** Which model: of every command that needs one. */
export function modelOption(): CommanderOption {
  return new CommanderOption(
    '-m, --model <file>',
    'GGUF file, of a split model the first part, or the name of an added one',
  )
    .argParser(meantModel)
    .default(shippedModel(), 'the one in models/');
}

/** Of commands that take a text as it stands. */
export function bosOption(): CommanderOption {
  return flag(
    '--bos <when>',
    'put the token that begins a text first: auto, always or never',
    askOptions.bos.kind,
  ).default('auto');
}

/** Of commands whose prompts begin alike from one start to the next. */
export function prefixOption(): CommanderOption {
  return new CommanderOption(
    '--prefix <file>',
    'keep what all prompts begin with in this file: evaluated and saved the first time, then loaded',
  );
}

/** Model, where it is computed, and what its engine is like: of every command that asks a model. */
export function addModelFlags(command: Command): Command {
  command.addOption(modelOption());
  return addFlags(addFlags(command, loadOptions), processOptions);
}

/** Messages of the library name its options; the user typed flags. */
export function inFlags(message: string): string {
  const told = message.replaceAll('Open the engine with a larger', 'Give a larger');
  return told.replace(/`(?:samplers\[\d+\]\.)?([a-zA-Z]+)`/g, (whole, option) => {
    const flag = flagOf.get(option);
    return flag ? `\`${flag}\`` : whole;
  });
}

const flagOf: ReadonlyMap<string, string> = new Map([
  ...Object.entries({
    ...serverOptions,
    ...runOptions,
    ...samplingNumbers,
    ...loadOptions,
    ...engineOptions,
    ...askOptions,
  }).flatMap(([name, { flag }]): [string, string][] => {
    const spelling = spellingOf(flag);
    return spelling === undefined ? [] : [[name, new CommanderOption(spelling).long!]];
  }),
  ['maxSequences', '--samples'],
  ['grammar', '--grammar'],
  ['ignoreEnd', '--ignore-end'],
]);
