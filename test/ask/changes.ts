/** A change of one field of plain data, and the data with it. */
export interface Change {
  readonly path: string;
  readonly what: string;
  readonly changed: unknown;
}

type Json = unknown;
type Steps = readonly (string | number)[];

/** Values that are as good as those of some fields, to a schema. */
const others: Readonly<Record<string, readonly string[]>> = {
  rule: ['cue', 'line', 'none', 'reask', 'score'],
  finish: ['end', 'stop', 'length', 'cancelled'],
  decision: ['agree', 'split', 'abstain'],
  reason: ['tie', 'no_answer', 'deadline'],
  stoppedBy: ['none', 'exact', 'beta', 'deadline', 'aborted', 'overflow', 'failed'],
  answer: ['A', 'B', 'yes'],
  by: ['caller', 'hash', 'vocabulary', 'template', 'name'],
  mode: ['sc-cot', 'cot', 'top-token'],
  protocol: ['strict', 'paper', 'authors-code'],
  loadMode: ['read', 'mmap'],
};

/** Every change of one leaf in several ways, every deletion of a field or element, and every element given twice. */
export function* changesOf(data: Json): Generator<Change> {
  for (const steps of placesIn(data, [])) {
    const at = (what: string, edit: (parent: Record<string | number, Json>, key: string | number) => void): Change => {
      const changed = structuredClone(data);
      const parent = steps.slice(0, -1).reduce((node, step) => (node as Record<string | number, Json>)[step], changed);
      edit(parent as Record<string | number, Json>, steps.at(-1)!);
      return { path: spelled(steps), what, changed };
    };
    const value = steps.reduce<Json>((node, step) => (node as Record<string | number, Json>)[step], data);
    for (const other of leavesLike(value, steps.at(-1)!).filter(other => other !== value))
      yield at(`is ${JSON.stringify(other)}`, (parent, key) => {
        parent[key] = other;
      });
    yield at('is gone', (parent, key) => {
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else delete parent[key];
    });
    if (typeof steps.at(-1) === 'number')
      yield at('is there twice', (parent, key) => {
        (parent as unknown as Json[]).splice(Number(key), 0, structuredClone(parent[key]));
      });
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      yield at('has a field more', (parent, key) => {
        parent[key] = { ...value, added: 1 };
      });
  }
}

function* placesIn(node: Json, steps: Steps): Generator<Steps> {
  if (steps.length > 0) yield steps;
  if (Array.isArray(node)) {
    // Long lists of tokens are alike in the middle.
    for (const i of node.keys()) if (i < 3 || i === node.length - 1) yield* placesIn(node[i], [...steps, i]);
  } else if (typeof node === 'object' && node !== null) {
    for (const key of Object.keys(node)) yield* placesIn((node as Record<string, Json>)[key], [...steps, key]);
  }
}

function leavesLike(value: Json, key: string | number): Json[] {
  if (typeof value === 'boolean') return [!value];
  if (typeof value === 'number') return [value + 1, value === 0 ? 7 : 0, value + 0.25];
  if (value === null) return [0, 'x', ...(others[key] ?? [])];
  if (typeof value !== 'string') return [null];
  const hex = /^[0-9a-f]{64}$/.test(value) ? [value.replace(/^./, c => (c === '0' ? '1' : '0'))] : [];
  const time = /^\d{4}-\d\d-\d\dT/.test(value) ? [value.replace(/^\d{4}/, '1999')] : [];
  return [`${value}x`, '', null, ...hex, ...time, ...(others[key] ?? [])];
}

function spelled(steps: Steps): string {
  return steps.map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`)).join('');
}
