import { Command } from 'commander';
import { hashOfFiles } from '../../ask/record/hashes.js';
import { inBytes } from '../../check/words.js';
import { meantModel } from '../../models/added.js';
import { type Header, readHeader } from '../../models/header.js';
import type { Inspection } from '../../models/inspect.js';
import { contextInWords, type Known, knownOf, knownRows } from '../models/facts.js';
import { recordedHash } from '../models/recorded.js';
import { interrupts } from '../terminal/interrupt.js';
import { print, printJson } from '../terminal/output.js';
import { oneLine, plain } from '../terminal/plain.js';
import { progressBar } from '../terminal/progress.js';
import { type Row, table } from '../terminal/table.js';

interface InspectFlags {
  readonly hash?: boolean;
  readonly json?: boolean;
}

export function inspect(): Command {
  return new Command('inspect')
    .description(
      'Shows what a model file says about itself and what is known of that model, without loading it. Ends with code 4 if it cannot be used.',
    )
    .argument('<file>', 'GGUF file, of a split model the first part, or the name of an added one')
    .option('--hash', 'also compute the SHA-256, which reads all of the file')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  meditron inspect models/stories260K.gguf --hash')
    .action(show);
}

async function show(fileOrName: string, flags: InspectFlags): Promise<void> {
  using interrupt = interrupts();
  const path = meantModel(fileOrName);
  const progress = progressBar('Hashing');
  let header: Header;
  try {
    header = await readHeader(path, {
      hash: flags.hash ?? false,
      onProgress: (read, total) => progress.show(read / total),
      signal: interrupt.signal,
    });
  } finally {
    progress.stop();
  }
  const { tokens: _, ...found } = header;
  const read = header.files.flatMap(({ sha256, ...file }) => (sha256 === null ? [] : [{ ...file, sha256 }]));
  const known = knownOf(header, read.length > 0 ? hashOfFiles(read) : recordedHash(header));
  if (flags.json) printJson({ ...found, ...known }, 2);
  else print(described(found, known));
  if (found.problems.length > 0) process.exitCode = 4;
}

function described(found: Inspection, known: Known): string {
  const { quantization, vocabulary, kvBytesPerToken: kv } = found;
  const rows: (Row | undefined)[] = [
    ['file', oneLine(found.path)],
    ['name', oneLine(found.name ?? 'not given')],
    ['size', `${inBytes(found.sizeBytes)}${found.files.length > 1 ? ` in ${found.files.length} parts` : ''}`],
    ['format', `GGUF version ${found.ggufVersion}`],
    ['architecture', oneLine(found.architecture ?? 'not given')],
    ['parameters', found.parameters.toLocaleString('en')],
    ['quantization', `${quantization.name} (tensors: ${counted(quantization.tensors)})`],
    ['shape', shapeOf(found)],
    ['context', contextInWords(found)],
    kv ? ['cache', `${inBytes(kv.f16)} a token in f16, ${inBytes(kv.q8_0)} in q8_0`] : undefined,
    [
      'vocabulary',
      `${vocabulary.size} tokens, ${oneLine([vocabulary.model, vocabulary.pre].filter(Boolean).join(', '))}`,
    ],
    ['special', specialsOf(found)],
    vocabulary.addedTokenCount > 0 ? ['added', addedOf(found)] : undefined,
    ['template', found.chatTemplate === null ? 'none' : `${found.chatTemplate.length} characters (--json shows it)`],
    ...found.files.map((file): Row | undefined => (file.sha256 ? ['sha256', file.sha256] : undefined)),
  ];
  const verdict =
    found.problems.length === 0
      ? 'This model can be used.\n'
      : `This model cannot be used:\n${found.problems.map(problem => `  × ${plain(problem.message)}\n`).join('')}`;
  return `${table(rows.filter(row => row !== undefined))}\n${table(knownRows(known))}\n${verdict}`;
}

function shapeOf({ layers, embedding, heads, kvHeads, headSize, feedForward }: Inspection): string {
  const of = (value: number | null) => value ?? '?';
  return (
    `${of(layers)} layers, width ${of(embedding)}, ${of(heads)} heads of ${of(headSize)}, ` +
    `${of(kvHeads)} for keys and values, feed-forward ${of(feedForward)}`
  );
}

function specialsOf({ specialTokens, addBos }: Inspection): string {
  const named = Object.entries(specialTokens).map(
    ([name, { id, text }]) => `${name} ${id} ${oneLine(text ?? '(outside)')}`,
  );
  const bos = addBos === null ? '' : addBos ? '; texts begin with bos' : '; texts begin without bos';
  return `${named.join(', ') || 'none'}${bos}`;
}

function addedOf({ vocabulary }: Inspection): string {
  const shown = vocabulary.addedTokens.slice(0, 12).map(({ id, text }) => `${id} ${oneLine(text ?? '')}`);
  const more = vocabulary.addedTokenCount - shown.length;
  return `${shown.join(', ')}${more > 0 ? `, and ${more} more` : ''}`;
}

function counted(tensors: Readonly<Record<string, number>>): string {
  return Object.entries(tensors)
    .map(([type, count]) => `${count} ${type}`)
    .join(', ');
}
