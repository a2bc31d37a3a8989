// Preloaded with `node --import`: writes every import and `require` of the process, as `specifier from importer`, and at its end
// every module of Node's own that was loaded, a line each to the file that MEDITRON_TEST_MODULES names.
import { appendFileSync } from 'node:fs';
import Module, { register } from 'node:module';

const file = process.env.MEDITRON_TEST_MODULES;

const hooks = `
  import { appendFileSync } from 'node:fs';
  let file;
  export function initialize(given) { file = given; }
  export function resolve(specifier, context, next) {
    appendFileSync(file, specifier + ' from ' + (context.parentURL ?? 'the command line') + '\\n');
    return next(specifier, context);
  }`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`, { data: file });

const load = Module._load;
Module._load = function (specifier, parent, ...rest) {
  appendFileSync(file, `${specifier} from ${parent?.filename ?? 'the command line'}\n`);
  return load.call(this, specifier, parent, ...rest);
};

let told = false;
const tell = () => {
  if (!told) appendFileSync(file, process.moduleLoadList.map(name => `${name} in the end\n`).join(''));
  told = true;
};
process.on('exit', tell);
process.on('disconnect', tell); // an engine's process may end itself then
