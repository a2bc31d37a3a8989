/** Variables that a process of ours has no use for: it opens no connection, loads no library of anybody's choice and tells nobody what Node does inside. */
const dropped =
  /^(https?_proxy|all_proxy|no_proxy|ggml_backend_path|node_channel_fd|node_unique_id|node_debug(_native)?|node_redirect_warnings|node_v8_coverage)$/i;

/** Node options that open a port or write memory to disk. With `=`, or the value as the next word. */
const unwanted =
  /^--(inspect|.*-inspection|.*-inspect-|debug|report|heap-?snapshot|heap-prof|cpu-prof|diagnostic-dir|abort-on-uncaught-exception|trace|redirect-warnings|prof$|prof[-=]|perf|track-heap-objects|max-semi)/;

/** The environment of a process of ours: the caller's, without what could let text out of it. */
export function childEnvironment(env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value !== undefined && !dropped.test(name)) kept[name] = value;
  const options = wanted(env.NODE_OPTIONS);
  if (options) kept.NODE_OPTIONS = options;
  else delete kept.NODE_OPTIONS;
  // Without this llama.cpp starts a debugger on itself when an assertion fails, and waits for it.
  kept.GGML_NO_BACKTRACE = '1';
  if (process.versions.electron !== undefined) kept.ELECTRON_RUN_AS_NODE = '1';
  return kept;
}

function wanted(options: string | undefined): string {
  const words = (options ?? '').match(/"(?:\\.|[^"\\])*"|\S+/g) ?? [];
  const kept: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    // Node takes quotation marks away, and underscores for hyphens.
    if (!unwanted.test(word.replace(/^"|"$/g, '').replaceAll('_', '-'))) kept.push(word);
    else if (!word.includes('=') && words[i + 1]?.startsWith('-') === false) i++; // its value
  }
  return kept.join(' ');
}
