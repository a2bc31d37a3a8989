import { createReadStream } from 'node:fs';
import { addAbortSignal, type Readable } from 'node:stream';
import { type Decoder, decodeText, textDecoder } from '../check/encoding.js';
import { MeditronError } from '../check/errors.js';
import { systemCodePage } from '../native/codepage.js';
import { warn } from './terminal/warning.js';

export interface TextFlags {
  readonly prompt?: string;
  readonly file?: string;
}

const standardInput = 'standard input';

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
  const text = await collect(process.stdin, standardInput, signal);
  if (text === '')
    throw new MeditronError(
      'ERR_OPTION',
      `Nothing came on standard input: give ${option} or --file FILE, or pipe one in`,
    );
  return withoutLastBreak(text);
}

/** @throws MeditronError `ERR_INPUT` if the file cannot be read, is longer than 4 MB, or is in no encoding that is read */
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
    return decodeText(Buffer.concat(chunks), codePageFor(name));
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof MeditronError) throw cause;
    throw unreadable(name, cause);
  }
}

/** What comes on standard input, as it comes. @throws MeditronError `ERR_INPUT` if it is in no encoding that is read */
export async function* pipedText(): AsyncGenerator<string> {
  let decoder: Decoder | undefined;
  try {
    for await (const chunk of process.stdin) {
      decoder ??= textDecoder(chunk, codePageFor(standardInput));
      yield decoder.decode(chunk);
    }
    if (decoder) yield decoder.decode();
  } catch (cause) {
    throw cause instanceof MeditronError ? cause : unreadable(standardInput, cause);
  }
}

function codePageFor(name: string) {
  const isPipe = name === standardInput;
  const hint = isPipe ? '; in a console, `chcp 65001` has what programs pipe be UTF-8' : '';
  return systemCodePage(isPipe ? 'pipe' : 'file', message => warn(`${name}: ${message}${hint}`));
}

function unreadable(name: string, cause: unknown): MeditronError {
  return new MeditronError('ERR_INPUT', `${name} could not be read: ${(cause as Error).message}`, { cause });
}

function withoutLastBreak(text: string): string {
  return text.replace(/\r?\n$/, '');
}
