import { Chalk, type ChalkInstance } from 'chalk';
import wrap from 'wrap-ansi';
import { measuredInWords } from '../../panel/measured.js';
import type { PanelAnswer, Position } from '../../panel/types.js';
import type { Question } from '../../prompt/question/question.js';
import { nameOf, ranked } from './answer.js';
import { oneLine, plain } from './plain.js';
import { hasColours, type Stream, widthOf } from './terminal.js';

type Member = PanelAnswer['members'][number];

/**
 * A panel as a person reads it: what is known of each model's accuracy, what each says and how far it agrees with itself, what the families say, every
 * answer with a reason for it, and last whether to rely on it.
 */
export function panelScreen(question: Question, answer: PanelAnswer, stream: Stream): string {
  const chalk = new Chalk({ level: hasColours(stream) ? 1 : 0 });
  const width = widthOf(stream);
  const { members, decision } = answer;
  const hanging = (lines: readonly string[]) => lines.map(line => indented(line, width)).join('\n');
  const blocks = [
    hanging([
      chalk.bold('How often each was right before'),
      ...members.map(each => `  ${oneLine(each.name)}: ${oneLine(measuredInWords(each.measured))}`),
    ]),
    hanging([chalk.bold('What each says'), ...members.flatMap(each => memberLines(question, each))]),
    decision === null
      ? texts(answer, chalk, width)
      : hanging([chalk.bold('Families'), ...familyLines(question, answer)]),
    answer.ranking === null ? '' : wrap(ranked(answer.ranking, 'family', 'families'), width, { trim: false }),
    ...positions(question, answer, chalk, width),
    wrap(verdict(question, answer, chalk), width),
    wrap(answer.notice, width),
  ];
  return `${blocks.filter(block => block !== '').join('\n\n')}\n`;
}

/** A line that goes on below its own beginning. */
function indented(line: string, width: number): string {
  const indent = /^ {0,12}/.exec(line)![0];
  return wrap(line.slice(indent.length), width - indent.length)
    .split('\n')
    .map(part => (part === '' ? '' : indent + part))
    .join('\n');
}

function memberLines(question: Question, { name, family, answer, error, state }: Member): string[] {
  const of = family === null ? '' : ` (${family.name}, ${familyBy[family.by]})`;
  const head = `  ${oneLine(name)}${oneLine(of)}`;
  if (state === 'failed') return [`${head} could not be asked: ${oneLine(error!.message)}`];
  if (answer === null) return [`${head} was not asked`];
  if (answer.decision === null) return [`${head}: its text stands below`];
  const counts = Object.entries(answer.votes).filter(
    ([label, count]) => count > 0 && label !== 'unparsed' && label !== 'notRun',
  );
  const dots = counts
    .sort(([, a], [, b]) => b - a)
    .map(([label, count]) => `${(label === answer.answer ? '●' : '·').repeat(Math.min(count, 20))} ${oneLine(label)}`)
    .join('  ');
  const said = answer.answer === null ? 'no answer' : nameOf(question, answer.answer);
  const word = { agree: '', split: ', and does not agree with itself', abstain: ', and has no answer to rely on' }[
    answer.decision
  ];
  return [`${head}: ${said}${word}`, `      ${dots}${dots && '   '}${oneLine(answer.summary)}`];
}

const familyBy = {
  caller: 'named so by whoever asks',
  name: 'by its name',
  base: 'by the base that its file names',
  architecture: 'by its architecture',
  vocabulary: 'by its vocabulary',
  fingerprint: 'its base is not known: counted with all of its architecture and vocabulary',
} as const;

function familyLines(question: Question, { families, members }: PanelAnswer): string[] {
  return families.map(({ family, answer, standing, members: places }) => {
    const names = places.map(i => members[i]!.name).join(', ');
    const said = {
      decided: answer === null ? '' : nameOf(question, answer),
      undecided: 'no answer that it agrees on with itself',
      'contradicts-itself': 'contradicts itself, and has no answer',
      unheard: 'not heard',
    }[standing];
    return `  ${oneLine(family)}: ${said}${places.length > 1 ? ` (${oneLine(names)}, counted once)` : ''}`;
  });
}

/** The reasons for every answer, that of the most families first. */
function positions(
  question: Question,
  { support, dissent }: PanelAnswer,
  chalk: ChalkInstance,
  width: number,
): string[] {
  const shown = (title: string, { answer, rationale, families, standing, members }: Position) => {
    const who = {
      decided: `${families.length === 1 ? 'family' : 'families'} ${families.join(', ')}`,
      undecided: `${members.join(', ')}; no family decides so`,
      minority: `a minority of the chains of ${members.join(', ')}`,
    }[standing];
    const head = `${chalk.bold(`${title} ${nameOf(question, answer)}`)} (${oneLine(who)})`;
    if (!rationale || rationale.text.trim().length <= 3) return wrap(head, width);
    const from = `${oneLine(rationale.member)}, sample ${rationale.sample + 1}:`;
    const said = plain(rationale.text.trim()).split('\n');
    return [wrap(`${head}\n${from}`, width), ...said.map(line => indented(line, width))].join('\n');
  };
  return [
    ...(support ? [shown('For', support)] : []),
    ...dissent.map(each => shown(support ? 'Against it, for' : 'For', each)),
  ];
}

function verdict(question: Question, { decision, answer, summary }: PanelAnswer, chalk: ChalkInstance): string {
  const said = oneLine(summary);
  if (decision === null) return said;
  const named = answer === null ? undefined : nameOf(question, answer);
  if (decision === 'abstain') return `${chalk.bold('NO ANSWER TO RELY ON')}: ${said}`;
  if (decision === 'split')
    return `${chalk.bold('NO AGREEMENT BETWEEN FAMILIES')}: ${said}${named ? `\nAhead: ${named}` : ''}`;
  return `${chalk.bold(named!)}\n${chalk.bold('agreement between families')}: ${said}. That is no proof that it is right`;
}

function texts({ members }: PanelAnswer, chalk: ChalkInstance, width: number): string {
  return members
    .flatMap(({ name, answer }) =>
      (answer?.samples ?? []).map(
        ({ index, text, finish }) =>
          `${chalk.bold(`${oneLine(name)}, sample ${index + 1}`)}${finish === 'length' ? ' (cut off)' : ''}\n${wrap(plain(text.trim()), width)}`,
      ),
    )
    .join('\n\n');
}
