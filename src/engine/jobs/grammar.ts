import { MeditronError } from '../../check/errors.js';

/** Limits under which llama.cpp's grammar code neither overflows its stack nor takes minutes. */
export const grammarLimits = {
  bytes: 64 * 1024,
  depth: 64,
  rules: 2000,
  alternatives: 5000,
  repetitions: 2000,
  optional: 12,
} as const;

/**
 * Refuses a GBNF grammar that llama.cpp could not survive: too large, nested too deeply, with repetition bounds it would
 * silently ignore, without a rule `root`, or with rules that are named but not defined. What passes may still be malformed in
 * ways that llama.cpp reports by itself.
 *
 * @throws MeditronError `ERR_GRAMMAR`
 */
export function checkGrammar(text: string): void {
  const bytes = Buffer.byteLength(text);
  if (bytes > grammarLimits.bytes) refuse(`at most ${grammarLimits.bytes} bytes`, `${bytes}`);
  const seen = scan(text);
  if (seen.depth > grammarLimits.depth) refuse(`parentheses at most ${grammarLimits.depth} deep`, `${seen.depth}`);
  if (seen.defined.size > grammarLimits.rules) refuse(`at most ${grammarLimits.rules} rules`, `${seen.defined.size}`);
  if (seen.alternatives > grammarLimits.alternatives)
    refuse(`at most ${grammarLimits.alternatives} alternatives`, `${seen.alternatives}`);
  if (!seen.defined.has('root'))
    refuse(
      'a rule named `root`',
      seen.defined.size === 0 ? 'no rule at all' : [...seen.defined.keys()].slice(0, 5).join(', '),
    );
  for (const [rule, named] of seen.defined) {
    for (const name of named)
      if (!seen.defined.has(name))
        refuse(`every rule to be defined`, `\`${name}\`, named in \`${rule}\` and defined nowhere`);
  }
  checkChains(seen.defined);
  if (seen.optional > grammarLimits.optional && seen.defined.size > 1) {
    // The search for left recursion doubles its work with every part that may be empty and is reached by two ways.
    const paths = countPaths(seen.defined);
    if (paths > 200_000) refuse('fewer ways through its optional parts', `${paths}`);
  }
}

interface Scan {
  /** Rule name to the names its body uses. */
  readonly defined: Map<string, Set<string>>;
  readonly depth: number;
  readonly alternatives: number;
  readonly optional: number;
}

/** One pass over the text: literals, classes and comments are skipped, names, brackets and bounds are noted. */
function scan(text: string): Scan {
  const defined = new Map<string, Set<string>>();
  let rule: Set<string> | undefined;
  let depth = 0;
  let deepest = 0;
  let alternatives = 0;
  let optional = 0;
  const token =
    /"(?:\\[\s\S]|[^"\\])*"|\[(?:\\[\s\S]|[^\]\\])*\]|#[^\n]*|\{([^}]*)\}|([A-Za-z0-9_-]+)(\s*::=)?|[()|?*+"[{]/gy;
  for (let at = 0; at < text.length; ) {
    token.lastIndex = at;
    const match = token.exec(text);
    if (!match) {
      at++;
      continue;
    }
    at = token.lastIndex;
    const [all, bounds, name, defines] = match;
    if (name !== undefined && defines) {
      rule = new Set();
      defined.set(name, rule);
      if (depth > 0) refuse('every parenthesis to be closed', `one left open before \`${name}\``);
    } else if (name !== undefined) rule?.add(name);
    else if (bounds !== undefined) checkBounds(bounds);
    else if (all === '(') deepest = Math.max(deepest, ++depth);
    else if (all === ')') depth--;
    else if (all === '|') alternatives++;
    else if (all === '?' || all === '*') optional++;
    else if (all === '"' || all === '[' || all === '{') refuse(`every ${all} to be closed`, 'one that is not');
    if (depth < 0) refuse('every closing parenthesis to have an opening one', 'one that has none');
  }
  if (depth > 0) refuse('every parenthesis to be closed', `${depth} left open`);
  return { defined, depth: deepest, alternatives, optional };
}

/** llama.cpp takes `{5,2}` without a word and drops an upper bound beyond 2000. */
function checkBounds(text: string): void {
  const match = /^\s*(\d+)\s*(?:(,)\s*(\d*)\s*)?$/.exec(text);
  if (!match) refuse('repetition bounds as {2}, {2,} or {2,5}', `{${text}}`);
  const low = Number(match[1]);
  const high = match[2] === undefined ? low : match[3] ? Number(match[3]) : low;
  if (low > high || high > grammarLimits.repetitions)
    refuse(`repetition bounds 0 <= low <= high <= ${grammarLimits.repetitions}`, `{${text}}`);
}

/** Rules that lead from one to the next are followed by recursion in llama.cpp: a chain must not be too long. */
function checkChains(defined: ReadonlyMap<string, ReadonlySet<string>>): void {
  const longest = new Map<string, number>();
  for (const start of defined.keys()) {
    const path: { name: string; rest: Iterator<string> }[] = [{ name: start, rest: defined.get(start)!.values() }];
    const open = new Set([start]);
    while (path.length > 0) {
      const top = path.at(-1)!;
      const next = top.rest.next();
      if (next.done) {
        path.pop();
        open.delete(top.name);
        const below = [...defined.get(top.name)!].map(name => longest.get(name) ?? 0);
        longest.set(top.name, 1 + Math.max(0, ...below));
      } else if (!open.has(next.value) && !longest.has(next.value)) {
        path.push({ name: next.value, rest: defined.get(next.value)!.values() });
        open.add(next.value);
      }
    }
  }
  const most = Math.max(0, ...longest.values());
  if (most > 500) refuse('rules that lead to one another at most 500 deep', `${most}`);
}

/** Ways from `root` through the rule graph, cycles cut, up to a bound: what a naive search would walk. */
function countPaths(defined: ReadonlyMap<string, ReadonlySet<string>>): number {
  const known = new Map<string, number>();
  const open = new Set<string>();
  const count = (name: string): number => {
    const cached = known.get(name);
    if (cached !== undefined) return cached;
    if (open.has(name)) return 0;
    open.add(name);
    let ways = 1;
    for (const next of defined.get(name) ?? []) ways = Math.min(1e9, ways + 2 * count(next));
    open.delete(name);
    known.set(name, ways);
    return ways;
  };
  return count('root');
}

function refuse(expected: string, got: string): never {
  throw new MeditronError('ERR_GRAMMAR', `Expected a GBNF grammar with ${expected}, got ${got}`);
}
