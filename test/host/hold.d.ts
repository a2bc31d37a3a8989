export function holdable(
  file: string,
  env?: NodeJS.ProcessEnv,
): { readonly MEDITRON_TEST_HOLD: string; readonly NODE_OPTIONS: string };
export function holdAt(file: string, what: 'load' | 'tokenize' | 'queued' | 'prompt' | 'text' | 'end'): void;
export function held(file: string): Promise<number>;
