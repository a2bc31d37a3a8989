import { createReadStream } from 'node:fs';
import { addAbortSignal, type Readable } from 'node:stream';
import { decodeText } from '../check/encoding.js';
import { MeditronError } from '../check/errors.js';

export interface TextFlags {
  readonly prompt?: string;
  readonly file?: string;
}

/** No model here has a context that holds more. */
const maxBytes = 4 << 20;

/**
 * The text a command works on: given on the command line, in a file, or on standard input. Of what is read, one line break at
 * the end is dropped, since editors and `echo` add it and a model would take it for part of the text.
 */
export async function textFrom(flags: TextFlags, option: string, signal: AbortSignal): Promise<string> {
  if (flags.prompt !== undefined) return flags.prompt;
  if (flags.file !== undefined) return withoutLastBreak(await readText(flags.file, signal));
  if (process.stdin.isTTY)
    throw new MeditronError('ERR_OPTION', `Expected a text: give ${option} or --file FILE, or pipe one in`);
  const text = await collect(process.stdin, 'standard input', signal);
  if (text === '')
    throw new MeditronError(
      'ERR_OPTION',
      `Nothing came on standard input: give ${option} or --file FILE, or pipe one in`,
    );
  return withoutLastBreak(text);
}

/** @throws MeditronError `ERR_INPUT` if the file cannot be read, is longer than 4 MB, or is neither UTF-8 nor UTF-16 with its mark */
export function readText(path: string, signal: AbortSignal): Promise<string> {
  return collect(createReadStream(path), path, signal);
}

async function collect(stream: Readable, name: string, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of addAbortSignal(signal, stream)) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > maxBytes)
        throw new MeditronError('ERR_INPUT', `Expected at most ${maxBytes} bytes of text in ${name}`);
    }
    return decodeText(Buffer.concat(chunks));
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof MeditronError) throw cause;
    throw new MeditronError('ERR_INPUT', `${name} could not be read: ${(cause as Error).message}`, { cause });
  }
}

function withoutLastBreak(text: string): string {
  return text.replace(/\r?\n$/, '');
}
