import { inBytes } from '../../check/words.js';
import type { KnownModelOutlook } from '../../engine/capacity/known.js';
import { oneLine } from '../terminal/plain.js';
import { columns, type Row, table } from '../terminal/table.js';
import { factRows, knownRows, titled } from './facts.js';
import type { ModelHere } from './here.js';

const fitWords = { yes: 'fits', tight: 'little room', no: 'does not fit' } as const;

/** All models that are known, a line each, and those that are here. */
export function listed(known: readonly KnownModelOutlook[], here: readonly ModelHere[]): string {
  const own = known.filter(({ line }) => line === 'meditron');
  const others = known.filter(({ line }) => line === 'neighbour');
  return [
    `The MEDITRON family\n\n${columns([['name', 'asked as', 'trained on', 'take', 'file', 'memory', ''], ...own.map(knownCells)])}`,
    `Others that may stand beside them in a second opinion\n\n${columns([['name', 'asked as', 'trained on', 'licence'], ...others.map(otherCells)])}`,
    `On this machine\n\n${columns([['name', 'is', 'asked as', 'file', ''], ...here.map(hereCells)])}`,
    '`meditron models NAME` says everything of one; `meditron models get NAME` how to come by it.\n',
  ].join('\n');
}

function knownCells(model: KnownModelOutlook): string[] {
  const { id, quantizations, recommended } = model;
  const row = quantizations.find(({ quantization }) => quantization === recommended) ?? quantizations.at(-1);
  return [
    id,
    model.format ?? 'not known',
    trainedOn(model),
    row ? row.quantization : '',
    row ? inBytes(row.sizeBytes) : 'not known',
    row ? inBytes(row.memoryBytes) : '',
    row ? fitWords[row.fits] + (row.lowMemory && row.fits !== 'no' ? ', --low-memory' : '') : '',
  ];
}

function otherCells(model: KnownModelOutlook): string[] {
  return [model.id, model.format ?? 'not known', trainedOn(model), model.licence];
}

function hereCells({ name, format, problems, refusal, sizeBytes, fits, from }: ModelHere): string[] {
  const state = problems.length > 0 ? 'cannot be used' : fits ? fitWords[fits.fits] : '';
  return [
    oneLine(name),
    oneLine(format?.facts?.id ?? (format ? 'not known' : refusal === null ? '' : 'not known')),
    format?.format ?? '',
    sizeBytes === null ? '' : inBytes(sizeBytes),
    from === 'shipped' ? `${state}, ships` : state,
  ];
}

function trainedOn({ trainedContext }: Pick<KnownModelOutlook, 'trainedContext'>): string {
  return trainedContext === null ? 'not known' : trainedContext.tokens.toLocaleString('en');
}

/** Everything there is to say of a model that is known. */
export function knownInWords(model: KnownModelOutlook): string {
  const { repository, gguf, quantizations, recommended } = model;
  const rows: Row[] = [
    ['name', `${model.id}: ${model.title}`],
    ['architecture', model.architecture],
    [
      'asked as',
      model.format === null ? `no format here: ${model.refusal}` : `${model.format} (${model.formatSource})`,
    ],
    ...factRows(model),
    ...titled(
      'GGUF',
      gguf.length === 0 && repository !== null
        ? ['none seen: convert it (docs/models.md)']
        : gguf.map(each => `${each.repository}${each.note ? `: ${each.note}` : ''}`),
    ),
  ];
  const cells = quantizations.map(row => [
    row.quantization,
    inBytes(row.sizeBytes),
    inBytes(row.memoryBytes),
    fitWords[row.fits] + (row.lowMemory && row.fits !== 'no' ? ', --low-memory' : ''),
    row.quantization === recommended ? 'recommended here' : '',
  ]);
  const sizes = cells.length === 0 ? '' : `\n${columns([['', 'file', 'memory', '', ''], ...cells])}`;
  return `${table(rows)}${sizes}`;
}

/** Everything there is to say of a file that is here. */
export function hereInWords(model: ModelHere): string {
  const { fits, problems, sizeBytes, quantization, published } = model;
  const rows: Row[] = [
    ['name', oneLine(model.name)],
    ['file', oneLine(model.path)],
    ...titled('size', sizeBytes === null ? [] : [`${inBytes(sizeBytes)}, ${quantization ?? ''}`]),
    ...(sizeBytes === null ? [] : knownRows(model)),
    ['SHA-256', model.sha256 ?? 'not read: `meditron models add` reads it'],
    ...titled(
      'published',
      published === null ? [] : [published ? 'yes, this very file' : 'no file of this hash is known'],
    ),
    ...titled('here', fits ? [`${fitWords[fits.fits]}, ${inBytes(fits.memoryBytes)} of memory`] : []),
    ...titled('cannot be used', problems),
  ];
  return table(rows);
}
