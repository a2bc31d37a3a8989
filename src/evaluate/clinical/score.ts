import type { Random } from './random.js';

/** A clinical score that questions can be drawn about. */
export interface Score {
  /** As it is written on the command line and in question ids. */
  readonly name: ScoreName;
  /** The sentence that ends the question. */
  readonly ask: string;
  /** The smallest and largest total the rules allow. */
  readonly range: readonly [min: number, max: number];
  /** Draws a patient and tells what is known about them. */
  draw(random: Random): Vignette;
}

export type ScoreName = 'cha2ds2-vasc' | 'curb-65' | 'gcs' | 'has-bled' | 'qsofa' | 'wells-dvt';

/** A patient in words, and what each thing said is worth, in the order in which it is said. */
export interface Vignette {
  readonly text: string;
  readonly steps: readonly Step[];
}

/** One line of the sum: `{ label: 'Age 76', points: 2 }`. */
export interface Step {
  readonly label: string;
  readonly points: number;
}

/** One thing the vignette says. What the score does not count (denied, irrelevant) has no step. */
export interface Finding {
  readonly text: string;
  readonly step?: Step;
}

export function totalOf(steps: readonly Step[]): number {
  return steps.reduce((sum, step) => sum + step.points, 0);
}

/** A finding that is present and counted: the text itself, capitalised, is its label. */
export function counted(text: string, points: number, label: string = capitalised(text)): Finding {
  return { text, step: { label, points } };
}

/**
 * A condition that is present, denied or not mentioned. One that is absent is denied one time in three, so that a
 * mention alone proves nothing.
 */
export function condition(random: Random, present: boolean, phrases: readonly string[], points: number): Finding[] {
  const phrase = random.pick(phrases);
  if (present) return [counted(phrase, points)];
  return random.chance(33) ? [{ text: `no ${phrase}` }] : [];
}

/**
 * Findings in the order of the score's own list, as the chain goes through them, with up to two things put in anywhere
 * that are true, plausible and beside the point.
 */
export function withAsides(random: Random, findings: readonly Finding[], asides: readonly string[]): Finding[] {
  const all = [...findings];
  const count = random.pick([0, 1, 1, 2]);
  for (const text of random.shuffled(asides).slice(0, count)) all.splice(random.below(all.length + 1), 0, { text });
  return all;
}

/** Findings as a sentence of a clinical note: `Confusion, no chest pain, urea 8 mmol/l.` */
export function note(findings: readonly Finding[]): string {
  return `${capitalised(listed(findings))}.`;
}

export function listed(findings: readonly Finding[]): string {
  return findings.map(finding => finding.text).join(', ');
}

export function stepsOf(findings: readonly Finding[]): Step[] {
  return findings.flatMap(finding => finding.step ?? []);
}

/** The article before `{age}-year-old`: an 18-year-old, an 80-year-old, a 76-year-old. */
export function article(age: number): 'A' | 'An' {
  return age === 18 || (age >= 80 && age <= 89) ? 'An' : 'A';
}

export function sexOf(female: boolean): 'woman' | 'man' {
  return female ? 'woman' : 'man';
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
