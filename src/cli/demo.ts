import { basename } from 'node:path';
import { Command } from 'commander';
import wrap from 'wrap-ansi';
import { interrupts } from './interrupt.js';
import { defaultModel, load } from './load.js';
import { generate } from './samples.js';
import { streamsFor } from './streams.js';

const prompt = 'Once upon a time';
const samples = 4;
const maxTokens = 64;

/** What the model that ships is, and what it is not. */
const about =
  "This model is tiny (260 thousand weights) and was trained on children's stories. It shows that the engine works; it knows no medicine.";

export function demo(): Command {
  return new Command('demo')
    .description(`Loads the model that ships and streams ${samples} samples of one prompt; what \`npm start\` runs.`)
    .addHelpText('after', '\nExample:\n  meditron demo')
    .action(show);
}

async function show(): Promise<void> {
  using interrupt = interrupts();
  const { signal } = interrupt;
  await using model = await load({ model: defaultModel }, signal);
  const tokens = await model.tokenize(prompt);
  await using engine = await model.createEngine({
    contextSize: tokens.length + samples * maxTokens,
    maxSequences: samples,
    threads: 1, // a model this small is not worth the threads' waiting for each other
  });
  process.stdout.write(
    paragraphs(
      `Loaded ${basename(defaultModel)} on ${model.info.devices.map(device => device.name).join(', ')} (threads: ${engine.settings.threads}).`,
      about,
      `It now continues “${prompt}” ${samples} times at temperature 0.8:`,
    ),
  );
  const streams = streamsFor(samples);
  const samplers = Array.from({ length: samples }, () => ({ temperature: 0.8 }));
  const outcome = await generate(engine, { prompt: tokens, samplers, maxTokens, signal }, streams);
  streams.close();
  if (outcome.interrupted) throw outcome.interrupted;
  process.stdout.write(
    `\nThe prompt was evaluated once (${engine.counters.promptTokens} tokens) for all ${samples} samples; ` +
      `${outcome.sampledTokens} tokens came at ${Math.round(outcome.tokensPerSecond ?? 0)} a second.\n\n${next}`,
  );
}

function paragraphs(...lines: string[]): string {
  return `${lines.map(line => wrap(line, process.stdout.columns ?? 100)).join('\n')}\n\n`;
}

const next = `What to try next:
  npx meditron run -p "The little dog" --samples 3 --seed 7
  npx meditron devices
  npx meditron run -m path/to/meditron-7b.Q4_K_M.gguf -p "Aspirin is used to"
`;
