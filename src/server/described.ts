import type * as v from 'valibot';

/** A route as the OpenAPI description has it. */
export interface RouteDescription {
  readonly method: 'get' | 'post' | 'delete';
  /** As routes are written: `/v1/meditron/asks/:id`, `:id{.+}` where it may have slashes. */
  readonly path: string;
  /** One sentence without its full stop. */
  readonly summary: string;
  /** Whether it needs the page's key; `some`: for some requests. */
  readonly page: boolean | 'some';
  /** What its body is checked with. */
  readonly body?: v.GenericSchema;
  /** Fields of the body that are checked elsewhere, with what they say. */
  readonly options?: Readonly<Record<string, string>>;
  /** Fields behind the question mark, with what they say. */
  readonly query?: Readonly<Record<string, string>>;
  /** Type of the answer in `src/server/meditron/protocol.ts`, and of the events where a stream is asked for. */
  readonly answer: string;
  readonly events?: string;
}
