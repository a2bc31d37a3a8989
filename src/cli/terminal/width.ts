/** The columns at which text is wrapped: those of the terminal up to 140, and 100 where there is none. */
export function widthOf({ columns }: Pick<NodeJS.WriteStream, 'columns'>): number {
  return Math.min(columns ?? 100, 140);
}
