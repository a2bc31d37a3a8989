import { inBytes } from '../../check/words.js';
import type { KnownModelOutlook } from '../../engine/capacity/known.js';
import { oneLine } from '../terminal/plain.js';
import { columns, type Row, table } from '../terminal/table.js';
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
  const { repository, gguf, sampling, trainedContext, unknown, quantizations, recommended } = model;
  const rows: (Row | undefined)[] = [
    ['name', `${model.id}: ${model.title}`],
    ['made from', model.base],
    ['architecture', model.architecture],
    ['trained for', model.trainedFor],
    ['trained on', trainedContext ? `${trainedOn(model)} tokens at once (${trainedContext.source})` : 'not known'],
    [
      'asked as',
      model.format === null ? `no format here: ${model.refusal}` : `${model.format} (${model.formatSource})`,
    ],
    [
      'sampled',
      sampling
        ? `temperature ${sampling.temperature}${sampling.maxTokens ? `, up to ${sampling.maxTokens} tokens` : ''} (${sampling.source})`
        : 'not known',
    ],
    ['licence', model.licence],
    ['weights', repository === null ? 'with this program' : `Hugging Face ${repository}`],
    ...gguf.map((each, i): Row => [i === 0 ? 'GGUF' : '', `${each.repository}${each.note ? `: ${each.note}` : ''}`]),
    gguf.length === 0 && repository !== null ? ['GGUF', 'none seen: convert it (docs/models.md)'] : undefined,
    ...unknown.map((each, i): Row => [i === 0 ? 'not known' : '', each]),
  ];
  const cells = quantizations.map(row => [
    row.quantization,
    inBytes(row.sizeBytes),
    inBytes(row.memoryBytes),
    fitWords[row.fits] + (row.lowMemory && row.fits !== 'no' ? ', --low-memory' : ''),
    row.quantization === recommended ? 'recommended here' : '',
  ]);
  const sizes = cells.length === 0 ? '' : `\n${columns([['', 'file', 'memory', '', ''], ...cells])}`;
  return `${table(rows.filter(row => row !== undefined))}${sizes}`;
}

/** Everything there is to say of a file that is here. */
export function hereInWords(model: ModelHere): string {
  const { format, facts, fits, problems, refusal } = model;
  const rows: (Row | undefined)[] = [
    ['name', oneLine(model.name)],
    ['file', oneLine(model.path)],
    model.sizeBytes === null
      ? undefined
      : ['size', `${inBytes(model.sizeBytes)}, ${oneLine(model.quantization ?? '')}`],
    format ? ['is', format.model] : refusal === null ? undefined : ['is', 'not known'],
    ...(format?.reasons ?? []).map((reason, i): Row => [i === 0 ? 'known by' : '', oneLine(reason)]),
    format ? ['asked as', `${format.format} (${oneLine(format.source)})`] : undefined,
    facts?.trainedContext
      ? ['trained on', `${trainedOn(facts)} tokens at once (${facts.trainedContext.source})`]
      : undefined,
    ['licence', oneLine(model.licence ?? 'not known')],
    ['SHA-256', model.sha256 ?? 'not read: `meditron models add` reads it'],
    model.published === null
      ? undefined
      : ['published', model.published ? 'yes, this very file' : 'no file of this hash is known'],
    fits ? ['here', `${fitWords[fits.fits]}, ${inBytes(fits.memoryBytes)} of memory`] : undefined,
    ...[...(format?.warnings ?? []), ...problems, ...(refusal === null ? [] : [refusal])].map(
      (each, i): Row => [i === 0 ? 'but' : '', oneLine(each)],
    ),
  ];
  return table(rows.filter(row => row !== undefined));
}
