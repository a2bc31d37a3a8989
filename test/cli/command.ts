import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

export const root = resolve(import.meta.dirname, '..', '..');
/** The model of children's stories, for what needs texts known beforehand; the default is `models/meditron-mini.gguf`. */
export const model = resolve(root, 'models', 'stories260K.gguf');

/** Of `ask`: so many samples one by one, none of them left out, that it does not end by itself while it is interrupted. */
export const endless = ['-n', '256', '--width', '1', '--stop-rule', 'none'] as const;

/** Of `run`: samples as long as the model's context, which take many times as long as a test needs to end them. */
export const endlessly = [
  ...['run', '-m', resolve(root, 'models', 'meditron-mini.gguf'), '-p', 'Once upon a time', '-n', '16'],
  ...['--max-tokens', '2000', '--ignore-end', '--threads', '1'],
] as const;

/** Variables besides those of this process. */
export type Environment = Readonly<Record<string, string>>;

/** A file of this folder that is loaded first by the command, and by its engine's process. */
export function preloaded(file: string, env: Environment = {}): Environment {
  return { ...env, NODE_OPTIONS: `--import ${pathToFileURL(resolve(import.meta.dirname, file))}` };
}

/** The command is sent SIGINT as soon as it has been told so many ends of samples, however busy the machine is. */
export const interruptedAfter = (ends: number): Environment =>
  preloaded('interrupting.mjs', { MEDITRON_TEST_HEARD: String(ends) });

export interface Ended {
  /** Null if a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command as a user would, and waits for its end. */
export function meditron(args: readonly string[], input: string | Buffer = '', env?: Environment): Promise<Ended> {
  const { child, ended } = start(args, { env });
  child.stdin!.on('error', () => {}); // it may end without reading
  child.stdin!.end(input);
  return ended;
}

/** Starts the command with its input left open. */
export function start(
  args: readonly string[],
  { env, detached = false }: { readonly env?: Environment | undefined; readonly detached?: boolean } = {},
): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, ['bin/meditron.js', ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    detached,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', text => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', text => {
    stderr += text;
  });
  const ended = new Promise<Ended>(done => {
    child.on('close', code => done({ code, stdout, stderr }));
  });
  return { child, ended };
}
