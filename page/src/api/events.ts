/** An event of a stream: its data as it was sent, and the id to go on behind. */
export interface ServerEvent {
  readonly id: string | undefined;
  readonly data: string;
}

/** Reads `text/event-stream` as its pieces come, wherever they are cut. */
export class EventReader {
  readonly #decoder = new TextDecoder();
  #rest = '';
  #id: string | undefined;
  #data: string[] = [];

  /** The events that are complete with this piece. */
  read(piece: Uint8Array): ServerEvent[] {
    this.#rest += this.#decoder.decode(piece, { stream: true });
    const events: ServerEvent[] = [];
    // A carriage return at the end may be half of a line end.
    const lines = this.#rest.split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop()!;
    for (const line of lines) {
      const event = this.#line(line);
      if (event) events.push(event);
    }
    return events;
  }

  #line(line: string): ServerEvent | undefined {
    if (line === '') {
      const data = this.#data;
      this.#data = [];
      return data.length > 0 ? { id: this.#id, data: data.join('\n') } : undefined;
    }
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line)!;
    if (field === 'data') this.#data.push(value!);
    if (field === 'id') this.#id = value;
    return undefined;
  }
}
