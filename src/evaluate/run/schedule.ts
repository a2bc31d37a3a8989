/** Answers without a death after which the number in flight is doubled again. */
const goodStretch = 20;
/** Crashes under a question alone that put it aside. */
const enough = 2;

/**
 * Which questions are asked next, and how many at once, while the engine's process may die under them. What was in flight is
 * asked again:
 *
 * - If the process was ended from outside and nothing was answered since the last time, half as many are in flight, then an
 *   eighth of that, and so on down to one: soon something ends before the next. After 20 answers without a death the number
 *   doubles, up to what it was.
 * - After a crash each question that was in flight is asked alone. One that crashes the engine twice is at fault: it is given
 *   up, and the number in flight is what it was. If none does, their number was at fault: half of it is the most from then on.
 * - A question is given up only when another was answered after its second crash: an engine that answers nothing is itself at
 *   fault.
 *
 * Pure.
 */
export class Schedule<T> {
  readonly #waiting: T[];
  /** They were in flight in a crash and are asked alone, before the others. */
  readonly #suspects: T[] = [];
  /** They crashed the engine twice, alone, and are asked once more only if nothing else is left. */
  readonly #aside: T[] = [];
  /** Crashes under a suspect alone. */
  readonly #crashes = new Map<T, number>();
  readonly #refused = new Set<T>();
  /** Questions in flight, and how many there were at most while each was. */
  readonly #flying = new Map<T, number>();
  #width: number;
  #most: number;
  /** Width and most before the last crash under several. */
  #before: readonly [width: number, most: number] | undefined;
  /** Since the last death. */
  #answers = 0;
  #failures = 0;
  /** Deaths in a row without an answer before them. */
  #barren = 0;

  constructor(items: readonly T[], width: number) {
    this.#waiting = [...items];
    this.#width = width;
    this.#most = width;
  }

  /** Questions in flight at once, where none has to be asked alone. */
  get width(): number {
    return this.#width;
  }

  /** Crashes and refusals since the last answer; an end from outside counts a quarter, because whoever sends it may stop. */
  get failures(): number {
    return this.#failures;
  }

  /** Whether all that is left crashed the engine twice, and nothing was answered since. */
  get stuck(): boolean {
    const others = this.#waiting.length + this.#suspects.length + this.#flying.size;
    return this.#aside.length > 0 && others === 0;
  }

  /** The question to ask now; undefined if none may be asked beside those in flight, or none is left. */
  next(): T | undefined {
    const item = this.#take();
    if (item === undefined) return undefined;
    this.#flying.set(item, 1);
    for (const [each, most] of this.#flying) this.#flying.set(each, Math.max(most, this.#flying.size));
    return item;
  }

  /** Most questions in flight at once since this one is, itself counted. */
  beside(item: T): number {
    return this.#flying.get(item) ?? 0;
  }

  /** The engine answered it. */
  answered(item: T): void {
    this.#flying.delete(item);
    this.#failures = 0;
    this.#barren = 0;
    if (++this.#answers % goodStretch === 0) this.#width = Math.min(this.#most, 2 * this.#width);
  }

  /** It cannot be asked; nothing is known of the engine. */
  dropped(item: T): void {
    this.#flying.delete(item);
  }

  /** The engine's process died and ended the work of these; `crash` unless it was ended from outside. */
  died(under: readonly T[], crash: boolean): void {
    const beside = Math.max(...under.map(item => this.beside(item)));
    for (const item of under) this.#flying.delete(item);
    this.#failures += crash ? 1 : 0.25;
    if (this.#answers === 0) this.#barren++;
    if (!crash) {
      if (this.#barren > 0) this.#width = Math.max(1, this.#width >> (2 * this.#barren - 1));
      for (const item of under) this.#putBack(item);
    } else if (beside > 1) {
      this.#before = [this.#width, this.#most];
      this.#most = beside >> 1;
      this.#width = Math.min(this.#width, this.#most);
      for (const item of under) this.#suspect(item);
    } else {
      for (const item of under) this.#accuse(item);
    }
    this.#answers = 0;
  }

  /**
   * The engine does not take a question, because it was in flight at two deaths. That may have been by chance, so it is asked
   * once more, and then alone, before it is believed.
   */
  refused(item: T): void {
    const beside = this.beside(item);
    this.#flying.delete(item);
    this.#failures++;
    if (!this.#refused.has(item) && !this.#crashes.has(item)) this.#waiting.push(item);
    else if (beside > 1) this.#suspect(item);
    else this.#setAside(item);
    this.#refused.add(item);
  }

  /** Takes the questions that were put aside out of what is left: the engine answers others, or nothing else is left to try. */
  giveUp(): readonly T[] {
    const given = this.#aside.splice(0);
    if (given.length > 0 && this.#before) {
      [this.#width, this.#most] = this.#before;
      this.#before = undefined;
    }
    return given;
  }

  #take(): T | undefined {
    const flying = [...this.#flying.keys()];
    if (flying.some(item => this.#crashes.has(item))) return undefined;
    if (this.#suspects.length > 0) return flying.length === 0 ? this.#suspects.shift() : undefined;
    if (this.#waiting.length > 0) return flying.length < this.#width ? this.#waiting.shift() : undefined;
    return flying.length === 0 ? this.#aside.shift() : undefined;
  }

  #putBack(item: T): void {
    const crashes = this.#crashes.get(item);
    if (crashes === undefined) this.#waiting.push(item);
    else if (crashes < enough) this.#suspects.push(item);
    else this.#aside.push(item);
  }

  #suspect(item: T): void {
    this.#crashes.set(item, this.#crashes.get(item) ?? 0);
    this.#putBack(item);
  }

  /** It crashed the engine alone. Asked again at once it has the longest time before whoever ends the engine does so again. */
  #accuse(item: T): void {
    const crashes = (this.#crashes.get(item) ?? 0) + 1;
    this.#crashes.set(item, crashes);
    if (crashes < enough) this.#suspects.unshift(item);
    else this.#aside.push(item);
  }

  #setAside(item: T): void {
    this.#crashes.set(item, enough);
    this.#aside.push(item);
  }
}
