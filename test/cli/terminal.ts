import { spawn, spawnSync } from 'node:child_process';
import { root } from './command.js';

/** Python's pty module is what opens a pseudo-terminal here. */
export const hasTerminal =
  process.platform !== 'win32' && spawnSync('python3', ['-c', 'import pty'], { stdio: 'ignore' }).status === 0;

/** Wait until this has been shown since the last step (a regular expression of Python), then type that. */
export type Step = readonly [shown: string, typed: string];

export interface Session {
  readonly code: number;
  /** All that was written to the terminal, escape sequences included. */
  readonly screen: string;
}

const program = `
import json, os, pty, re, select, sys, time
argv, steps, env = json.loads(sys.argv[1])
pid, fd = pty.fork()
if pid == 0:
    os.environ.pop('NO_COLOR', None)
    os.environ.pop('CI', None)
    os.environ.update(env)
    os.execvp(argv[0], argv)
screen, mark, deadline = b'', 0, time.time() + 50
def read(wait):
    global screen
    if not select.select([fd], [], [], wait)[0]: return True
    try: data = os.read(fd, 65536)
    except OSError: return False
    screen += data
    return len(data) > 0
alive = True
for shown, typed in steps:
    while alive and time.time() < deadline:
        found = re.search(shown.encode(), screen[mark:])
        if found: break
        alive = read(0.2)
    mark = len(screen) if not alive or not found else mark + found.end()
    if alive: os.write(fd, typed.encode())
while alive and time.time() < deadline: alive = read(0.2)
if alive: os.kill(pid, 9)
_, status = os.waitpid(pid, 0)
print(json.dumps({'code': os.waitstatus_to_exitcode(status), 'screen': screen.decode('utf8', 'replace')}))
`;

/** Runs the command in a pseudo-terminal of 80 by 24 and types into it. */
export function inTerminal(
  args: readonly string[],
  steps: readonly Step[],
  env: Readonly<Record<string, string>> = {},
): Promise<Session> {
  return typedInto([process.execPath, 'bin/meditron.js', ...args], steps, env);
}

/** The same with any program. */
export function typedInto(
  argv: readonly string[],
  steps: readonly Step[],
  env: Readonly<Record<string, string>>,
): Promise<Session> {
  const child = spawn('python3', ['-c', program, JSON.stringify([argv, steps, { TERM: 'xterm', ...env }])], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', piece => {
    text += piece;
  });
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', () => done(JSON.parse(text)));
  });
}
