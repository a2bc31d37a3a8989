import { join } from 'node:path';
import type { Candidate } from './backends.js';
import { bindingOf } from './binding.js';
import type { Build } from './build.js';
import { recall, remember } from './memory.js';
import { type ProbeSettings, probeBackend } from './prober.js';
import { isAccidental, type ProbeReport } from './report.js';

export interface VerdictSettings extends ProbeSettings {
  /** Try again, whatever is remembered. */
  readonly again?: boolean | undefined;
}

/**
 * What a probe of a backend finds, or found before in the same state of things. Several candidates are those of one addon.
 *
 * @throws the signal's reason if it was aborted
 */
export async function verdictOn(
  root: string,
  build: Build,
  candidates: readonly Candidate[],
  settings: VerdictSettings = {},
): Promise<ProbeReport> {
  const backend = candidates[0]!.path;
  const model = join(root, 'models', 'probe.gguf');
  const program = join(root, 'dist', 'native', 'probe.js');
  const files = [build.addon, model, program, ...(backend === null ? [] : [backend])];
  const bound = { files, libraries: candidates.flatMap(candidate => candidate.libraries) };

  const known = settings.again ? undefined : recall(bindingOf(bound));
  if (known) return known;
  if (startsAnApp())
    return untried(
      'it cannot be tried from a process of Electron; load the model with `isolate: { execPath }` of a plain Node',
    );
  const subject = { program, addon: build.addon, libraries: build.libraries, backend, model };
  try {
    const report = await probeBackend(subject, settings);
    // Bound to what is there now: a driver may make its device files when it is first used.
    if (!isAccidental(report)) await remember(bindingOf(bound), report);
    return report;
  } catch (error) {
    settings.signal?.throwIfAborted();
    return untried(`no process could be started to try it: ${(error as Error).message}`);
  }
}

/** In Electron's own processes the program that runs need not be able to run as Node, and would start the app again. */
function startsAnApp(): boolean {
  return process.versions.electron !== undefined && process.env.ELECTRON_RUN_AS_NODE === undefined;
}

function untried(text: string): ProbeReport {
  return { at: new Date().toISOString(), failure: { outcome: 'refuses', text }, devices: [] };
}
