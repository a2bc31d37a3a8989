/** What has to be known of an output stream to write to it. */
export type Stream = Pick<NodeJS.WriteStream, 'columns' | 'hasColors' | 'isTTY'>;

/**
 * Whether escape sequences may be written: on a terminal that understands them, and where nobody asked for none. With
 * `TERM=dumb` or `NO_COLOR` nothing is coloured, redrawn or animated.
 */
export function hasEscapes({ isTTY }: Pick<Stream, 'isTTY'>): boolean {
  return Boolean(isTTY) && process.env.TERM !== 'dumb' && !process.env.NO_COLOR;
}

export function hasColours(stream: Stream): boolean {
  return hasEscapes(stream) && Boolean(stream.hasColors?.());
}

/** The columns at which text is wrapped: those of the terminal up to 140, and 100 where there is none. */
export function widthOf({ columns }: Pick<Stream, 'columns'>): number {
  return Math.min(columns || 100, 140);
}
