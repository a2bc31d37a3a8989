/** What a model is called by its file: its name without `.gguf`, and of a split model without the number of its part. */
export function modelName(path: string): string {
  return fileName(path)
    .replace(/\.gguf$/i, '')
    .replace(/-\d{5}-of-\d{5}$/, '');
}

/**
 * A name in the form in which known ones are compared: `epfl-llm_Meditron-7B.i1-Q4_K_M.gguf` is `meditron-7b`. Small letters, words joined by
 * `-`; without folders, without how the weights are stored and by whom, and without what caches, browsers and Ollama add. Nothing else is left
 * out: a word more or less is another model. Of a file that is only called `model.gguf` or by its quantization, the folder's name counts.
 */
export function plainName(name: string): string {
  const own = cacheName(fileName(name)) ?? plainPart(fileName(name));
  return nameless.test(own) && own !== name ? plainPart(folderName(name)) : own;
}

/** Who converts models for others, and who publishes MEDITRON: a prefix that says nothing of the weights. */
const owners = [
  ...['epfl-llm', 'epfllm', 'epflight', 'openmeditron', 'malhajar'],
  ...[
    'thebloke',
    'quantfactory',
    'mradermacher',
    'bartowski',
    'unsloth',
    'lmstudio-community',
    'maziyarpanahi',
    'richarderkhov',
  ],
  ...['tensorblock', 'ggml-org', 'ccarrez', 'joshnader', 'chrohi', 'loleg', 'devquasar', 'library', 'models'],
].sort((a, b) => b.length - a.length);
const owner = new RegExp(`^(?:${owners.join('|')})[-.](?=.)`);

/** How weights are stored, at the end of a name: `-ud-q4-k-xl`, `.i1-iq3-xxs`, `-f16`, `-gguf`, `-4bit`. */
const storage = new RegExp(
  `[-.](?:${[
    '(?:i?q|tq)\\d(?:-?(?:\\d{1,2}(?![a-z])|k|nl|xxs|xs|s|m|l|xl))*',
    'b?fp?(?:8|16|32)',
    'mxfp4(?:-moe)?',
    '[48]-?bits?',
    'int[48]',
    'ud|i1|imat|imatrix|gguf|ggml|qat|latest',
  ].join('|')})$`,
);

/** Names that say nothing but how weights are stored, or nothing at all. */
const nameless = /^(?:|(?:ggml-)?model|ud|i1|imat|imatrix|ggml|gguf|(?:i?q|tq)\d[-\w]*|b?fp?(?:16|32)|mxfp4)$/;

/** What browsers and desktops add to the name of a copy, in the languages of Europe: ` (1)`, ` - Copy (2)`, ` copy 2`, `Copia de `. */
const copyWord = '(?:copy|kopie|kopia|copie|copia|c[oó]pia|kopi)';
const copied = new RegExp(
  `^(?:another )?${copyWord} (?:of|von|de|di|van|av|af) |(?: ?\\((?:\\d+|(?:another |\\d+\\w* )?${copyWord})\\)| -? ?${copyWord}(?: \\d+| \\(\\d+\\))?)(?=(?:\\.gguf)?$)`,
  'gi',
);

function plainPart(name: string): string {
  let plain = modelName(name.trim().replace(copied, ''))
    .toLowerCase()
    .replace(/[\s_:[\]()]+/g, '-')
    .replace(/-{2,}/g, '-')
    .replace(/-?\.-?/g, '.')
    .replace(/^-|-$/g, '')
    .replace(/(?<=\d)\.0b(?![a-z0-9])/, 'b');
  for (;;) {
    const less = plain.replace(storage, '').replace(owner, '');
    if (less === plain) return plain;
    plain = less;
  }
}

/**
 * The model of a file in a cache that joins owner, repository and file with `_`, as llama.cpp's does, whoever the owner is: both repository
 * and file have to name it. Undefined for every other name.
 */
function cacheName(name: string): string | undefined {
  if (name.length > longest) return undefined;
  const places = [...name.matchAll(/_/g)].map(({ index }) => index);
  for (const end of places) {
    if (!/-gguf$/i.test(name.slice(0, end))) continue;
    const own = plainPart(name.slice(end + 1));
    if (places.some(start => start < end && plainPart(name.slice(start + 1, end)) === own)) return own;
  }
  return undefined;
}

/** No file system bears longer ones. */
const longest = 255;

function fileName(path: string): string {
  return parts(path).at(-1) ?? '';
}

/** The folder a file lies in; in Hugging Face's cache, the repository that it was fetched from. */
function folderName(path: string): string {
  const folders = parts(path).slice(0, -1);
  const repository = folders.findLast(folder => folder.startsWith('models--'));
  return (repository ?? folders.at(-1) ?? '').replace(/^models--.*?--/, '');
}

function parts(path: string): readonly string[] {
  return path.split(/[/\\]/).filter(part => part !== '');
}
