import { Chalk, type ChalkInstance } from 'chalk';
import stringWidth from 'string-width';
import wrap from 'wrap-ansi';
import type { Answer, Rationale } from '../../ask/types.js';
import { offered } from '../../prompt/question/abstain.js';
import { booleanLabels, letter, type Question } from '../../prompt/question/question.js';
import type { MergedRanking } from '../../vote/count/ranking.js';
import { oneLine, plain } from './plain.js';
import { hasColours, type Stream, widthOf } from './terminal.js';

/** The answer as a person reads it: the counts, every option in its order, the reasons for and against, what the model is. */
export function answerScreen(given: Question, answer: Answer, stream: Stream): string {
  const question = offered(given, answer.evidence.asked.prompt.abstainOption);
  const chalk = new Chalk({ level: hasColours(stream) ? 1 : 0 });
  const width = widthOf(stream);
  const blocks = [
    wrap(headline(question, answer, chalk), width),
    options(question, answer, width),
    wrap(ranking(answer), width, { trim: false }),
    wrap(interval(answer), width),
    wrap(
      answer.set
        ? `${oneLine(answer.set.text)}. That is a promise about such questions on average, not about this one.`
        : '',
      width,
    ),
    answer.vote === null ? texts(answer, chalk, width) : reasons(answer, chalk, width),
    notes(answer, width),
    wrap(answer.notice, width),
  ];
  return `${blocks.filter(block => block !== '').join('\n\n')}\n`;
}

function headline(
  question: Question,
  { answer, decision, summary, samples, plan }: Answer,
  chalk: ChalkInstance,
): string {
  if (decision === null) return summary;
  const said = oneLine(summary);
  const named = answer === null ? undefined : nameOf(question, answer);
  // Where there is nothing to rely on, that comes first: a name on top would be read as the answer.
  if (decision === 'abstain') return `${chalk.bold('NO ANSWER TO RELY ON')}: ${said}`;
  if (decision === 'split') return `${chalk.bold('NO AGREEMENT')}: ${said}${named ? `\nAhead: ${named}` : ''}`;
  const word =
    plan.samples === 1 && samples.length === 1 ? 'asked once, so there is nothing to agree with' : 'agreement';
  return `${chalk.bold(named ?? 'No answer')}\n${chalk.bold(word)}: ${said}`;
}

/** An option as it is shown: its letter and its text. */
export function nameOf(question: Question, answer: string): string {
  const text = question.kind === 'choice' ? question.options[answer.charCodeAt(0) - 65] : undefined;
  return oneLine(text === undefined ? answer : `${answer}. ${text}`);
}

/** In the order in which they were given, whoever leads. */
function options(question: Question, { votes, scores }: Answer, width: number): string {
  const labels =
    question.kind === 'choice'
      ? question.options.map((_, i) => letter(i))
      : question.kind === 'boolean'
        ? booleanLabels
        : [];
  const lines = labels.map(label => {
    // Of equal options that are one answer the first is counted.
    if (scores ? !(label in scores) : !(label in votes))
      return fitted(`    = ${'the same answer'.padEnd(6)} ${nameOf(question, label)}`, width);
    if (scores) {
      const { probability, logprob } = scores[label]!;
      return `  ${probability.toFixed(3)} of the options' probability, ln p ${logprob.toFixed(2).padStart(7)}   ${nameOf(question, label)}`;
    }
    const count = votes[label] ?? 0;
    return fitted(
      `  ${String(count).padStart(3)} ${'●'.repeat(Math.min(count, 20)).padEnd(6)} ${nameOf(question, label)}`,
      width,
    );
  });
  if (lines.length === 0) return '';
  if (votes.unparsed > 0) lines.push(`  ${String(votes.unparsed).padStart(3)} gave no answer`);
  if (votes.notRun > 0) lines.push(`  ${String(votes.notRun).padStart(3)} not run`);
  return lines.join('\n');
}

function ranking({ ranking: merged }: Answer): string {
  return merged ? ranked(merged, 'sample', 'samples') : '';
}

/** Merged lists; `one` and `many` are what gave a list each. */
export function ranked(merged: MergedRanking, one: string, many: string): string {
  const lines = merged.items.slice(0, 15).map((item, i) => {
    const places = item.mentions.map(({ rank }) => rank).join(' ');
    const also = item.merged.filter(name => name !== item.name);
    return `  ${String(i + 1).padStart(2)}. ${oneLine(item.name)}: named by ${item.named} of ${item.of}, at place ${places}${also.length > 0 ? ` (also as ${also.map(oneLine).join(', ')})` : ''}`;
  });
  if (merged.items.length > 15) lines.push(`      and ${merged.items.length - 15} more, in --json`);
  if (merged.withoutList > 0) lines.push(`      ${merged.withoutList} of ${merged.samples} ${many} gave no list`);
  return lines.length === 0 ? `No ${one} gave a list.` : lines.join('\n');
}

/** Only for full votes: after an early stop the number of samples depends on what they said. */
function interval({ vote, answer, ranking: merged }: Answer): string {
  const bounds = merged ? undefined : vote?.votes.find(v => v.answer === answer)?.wilson;
  if (!bounds || vote!.planned < 3) return '';
  const [low, high] = [Math.round(bounds.low * 100), Math.round(bounds.high * 100)];
  return `Asked a hundred times more, this model would give this answer ${low} to ${high} times (95 % Wilson bounds). That says how steady it is, not whether it is right.`;
}

/** The winner's reasons and the strongest against them, side by side where there is room. */
function reasons({ rationale, dissent, samples }: Answer, chalk: ChalkInstance, width: number): string {
  const titled = (title: string, { answer, sample, text, thinking }: Rationale) =>
    [
      `${chalk.bold(`${title} ${oneLine(answer)}`)} (sample ${sample + 1})\n${plain(text.trim())}`,
      ...thought(thinking, chalk),
    ].join('\n\n');
  const long = samples.some(sample => sample.text.trim().length > 3);
  if (!rationale || !long) return '';
  const left = titled('For', rationale);
  if (!dissent) return wrap(left, width);
  const right = titled('Against it, for', dissent);
  if (width < 100) return `${wrap(left, width)}\n\n${wrap(right, width)}`;
  return sideBySide(left, right, Math.floor((width - 3) / 2));
}

function texts({ samples }: Answer, chalk: ChalkInstance, width: number): string {
  return samples
    .flatMap(({ index, text, said = text, thinking, finish }) => [
      `${chalk.bold(`Sample ${index + 1}`)}${finish === 'length' ? ' (cut off)' : ''}\n${wrap(plain(said.trim()), width)}`,
      ...thought(thinking, chalk).map(part => wrap(part, width)),
    ])
    .join('\n\n');
}

/** What a model wrote for itself stands apart from what it says. */
function thought(thinking: string | undefined, chalk: ChalkInstance): string[] {
  return thinking === undefined
    ? []
    : [`${chalk.bold('Its thinking, in which no answer is read')}\n${plain(thinking)}`];
}

function notes({ samples, cut, findings, plan, scores }: Answer, width: number): string {
  const numbers = (list: readonly { readonly index: number }[]) => list.map(({ index }) => index + 1).join(', ');
  const long = scores ? [] : samples.filter(({ finish }) => finish === 'length');
  const conflicting = samples.filter(({ conflict }) => conflict);
  const lines = [
    long.length > 0 && `Cut off at ${plan.maxTokens} tokens: sample ${numbers(long)}`,
    conflicting.length > 0 && `Named two answers, and the last was taken: sample ${numbers(conflicting)}`,
    cut.length > 0 && `Stopped before the end, not counted: sample ${numbers(cut)}`,
    ...findings.map(
      ({ where, kind, action, count, detail }) => `In ${where}: ${count} × ${kind} ${action} (${oneLine(detail)})`,
    ),
  ].filter(line => line !== false);
  return lines.map(line => wrap(line, width)).join('\n');
}

function sideBySide(left: string, right: string, width: number): string {
  const [a, b] = [left, right].map(text => wrap(text, width, { hard: true }).split('\n')) as [string[], string[]];
  const rows = Math.max(a.length, b.length);
  return Array.from({ length: rows }, (_, i) => {
    const cell = a[i] ?? '';
    return `${cell}${' '.repeat(width - stringWidth(cell))} │ ${b[i] ?? ''}`.trimEnd();
  }).join('\n');
}

function fitted(line: string, width: number): string {
  return stringWidth(line) <= width ? line : `${line.slice(0, width - 1)}…`;
}
