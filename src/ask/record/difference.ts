/** Where a replay first differs from its record. */
export type Difference =
  | {
      /** Another model file; nothing was run. */
      readonly where: 'model';
      /** SHA-256 in the record. */
      readonly expected: string;
      /** SHA-256 of the file there is now. */
      readonly got: string;
    }
  | {
      /** A prompt came out otherwise. */
      readonly where: 'prompt';
      /** Index of the prompt. */
      readonly prompt: number;
      /** Place of the first token that differs, from 0. */
      readonly token: number;
      /** Token id in the record; null beyond its end. */
      readonly expected: number | null;
      /** Token id now; null beyond its end. */
      readonly got: number | null;
    }
  | {
      /** A sample wrote something else. */
      readonly where: 'sample';
      /** Index of the sample. */
      readonly sample: number;
      /** Place of the first token that differs, from 0. */
      readonly token: number;
      /** Token id in the record; null beyond its end. */
      readonly expected: number | null;
      /** Token id now; null beyond its end. */
      readonly got: number | null;
    }
  | {
      /** A sample wrote the same and was read otherwise. */
      readonly where: 'answer';
      /** Index of the sample. */
      readonly sample: number;
      /** Answer in the record; null: none. */
      readonly expected: string | null;
      /** Answer now; null: none. */
      readonly got: string | null;
    }
  | {
      /** Mode `top-token`: an answer is as probable as it was not. */
      readonly where: 'score';
      /** The answer whose score differs. */
      readonly answer: string;
      /** Log-probability in the record. */
      readonly expected: number;
      /** Log-probability now; less than 1e-6 apart counts as the same. */
      readonly got: number;
    }
  | {
      /** The samples are the same, the vote is not. */
      readonly where: 'vote';
      /** Field of the record's `result`. */
      readonly path: string;
      /** Its value in the record, as JSON. */
      readonly expected: string;
      /** Its value now, as JSON. */
      readonly got: string;
    }
  | {
      /** Any other field. */
      readonly where: 'record';
      /** Which field, as `prompts[0].sha256`. */
      readonly path: string;
      /** What follows from the rest of the record or came out now, as JSON. */
      readonly expected: string;
      /** What the record says, as JSON. */
      readonly got: string;
    };

export interface Part {
  readonly path: string;
  readonly expected: string;
  readonly got: string;
}

/** Log-probabilities are compared with this tolerance; everything else exactly. */
export const tolerance = 1e-6;

/** The first field in which two pieces of plain data differ; numbers that are not whole may differ by the tolerance. */
export function firstPart(expected: unknown, got: unknown, path: string): Part | undefined {
  if (isTree(expected) && isTree(got) && Array.isArray(expected) === Array.isArray(got)) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(got)])) {
      const below = Array.isArray(expected) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
      const part = firstPart(expected[key], got[key], below);
      if (part) return part;
    }
    return undefined;
  }
  if (expected === got || (typeof expected === 'number' && typeof got === 'number' && close(expected, got)))
    return undefined;
  return { path, expected: shown(expected), got: shown(got) };
}

/** Every leaf in which two pieces of plain data differ. */
export function allParts(expected: unknown, got: unknown, path = ''): Part[] {
  if (isTree(expected) && isTree(got)) {
    return [...new Set([...Object.keys(expected), ...Object.keys(got)])].flatMap(key =>
      allParts(expected[key], got[key], path === '' ? key : `${path}.${key}`),
    );
  }
  return expected === got ? [] : [{ path, expected: shown(expected), got: shown(got) }];
}

/** The first place at which two lists of tokens differ. */
export function firstToken(
  expected: readonly number[],
  got: readonly number[],
): { token: number; expected: number | null; got: number | null } | undefined {
  const length = Math.max(expected.length, got.length);
  for (let token = 0; token < length; token++) {
    if (expected[token] !== got[token]) return { token, expected: expected[token] ?? null, got: got[token] ?? null };
  }
  return undefined;
}

export function inWords(difference: Difference): string {
  const { expected, got } = difference;
  switch (difference.where) {
    case 'model':
      return `Another model file: the record was made with SHA-256 ${expected}, this one has ${got}. Nothing was run`;
    case 'prompt':
      return `Prompt ${difference.prompt} differs from token ${difference.token} on: ${expected ?? 'the end'} then, ${got ?? 'the end'} now`;
    case 'sample':
      return `Sample ${difference.sample} differs from token ${difference.token} on: ${expected ?? 'the end'} then, ${got ?? 'the end'} now`;
    case 'answer':
      return `Sample ${difference.sample} has the same tokens and was read as ${expected ?? 'no answer'} then, as ${got ?? 'no answer'} now`;
    case 'score':
      return `The log-probability of ${difference.answer} in result.scores was ${expected} then and is ${got} now`;
    case 'vote':
      return `The samples are the same, the vote is not: result.${difference.path} is ${expected} in the record, ${got} now`;
    case 'record':
      return `The record is not as it was made: ${difference.path} is ${got}, and ${expected} follows from the rest of it`;
  }
}

function close(a: number, b: number): boolean {
  if (Number.isInteger(a) && Number.isInteger(b)) return false;
  return Math.abs(a - b) <= tolerance;
}

function isTree(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
