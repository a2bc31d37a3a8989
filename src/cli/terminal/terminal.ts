/** What has to be known of an output stream to write to it. */
export type Stream = Pick<NodeJS.WriteStream, 'columns' | 'hasColors' | 'isTTY'>;

/**
 * Whether escape sequences may be written: on a terminal that understands them. With `TERM=dumb` nothing is coloured, redrawn or
 * animated.
 */
export function hasEscapes({ isTTY }: Pick<Stream, 'isTTY'>): boolean {
  return Boolean(isTTY) && process.env.TERM !== 'dumb';
}

/** Also with `NO_COLOR` nothing is coloured (https://no-color.org). */
export function hasColours(stream: Stream): boolean {
  return hasEscapes(stream) && !process.env.NO_COLOR && Boolean(stream.hasColors?.());
}

/** The columns at which text is wrapped: those of the terminal up to 140, and 100 where there is none. */
export function widthOf({ columns }: Pick<Stream, 'columns'>): number {
  return Math.min(columns || 100, 140);
}
