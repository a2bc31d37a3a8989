import type { Platform } from '../platforms.js';

/** One page for whoever opens the folder, in plain words; with a mark and line ends that Notepad shows rightly. */
export function sheet(platform: Platform, version: string): string {
  return `\uFEFF${text(platform, version)}`.replaceAll('\n', '\r\n');
}

const systems: Readonly<Record<Platform['name'], string>> = {
  'win32-x64': 'Windows 10 or 11 with an Intel or AMD processor',
  'linux-x64': 'Linux with an Intel or AMD processor (Debian 12, Ubuntu 22.04, or newer)',
  'linux-arm64': 'Linux with an ARM processor (Debian 12, Ubuntu 22.04, or newer)',
  'darwin-arm64': 'a Mac with Apple silicon',
  'darwin-x64': 'a Mac with an Intel processor',
};

const starts: Readonly<Record<Platform['os'], string>> = {
  win32: `Double-click "Start Meditron.cmd". No administrator is needed.
Windows may say "Windows protected your PC" or "unknown publisher": this program
is not signed. Check the files (below); then More info, Run anyway. Where your
clinic forbids programs from a stick, ask who looks after the computers.`,
  darwin: `Double-click "Start Meditron.command". macOS may say that it cannot be checked:
this program is not signed. Check the files (below); then open Terminal, type
xattr -dr com.apple.quarantine
and a space, drag this folder into the window, press Enter, and start it again.`,
  linux: `Open a terminal in this folder, type
sh "Start Meditron.sh"
and press Enter. If it says that programs may not be run from the stick, copy the
whole folder into your home folder and start it there.`,
};

const places: Readonly<Record<Platform['os'], string>> = {
  win32: '%LOCALAPPDATA%\\meditron',
  darwin: 'Library/Application Support/meditron in your home folder',
  linux: '.local/state/meditron in your home folder',
};

const checks: Readonly<Record<Platform['os'], string>> = {
  win32: 'certutil -hashfile FILE SHA256',
  darwin: 'shasum -a 256 -c SHA256SUMS',
  linux: 'sha256sum -c SHA256SUMS',
};

const text = ({ name, os }: Platform, version: string) => `Meditron ${version} in a folder, for
${systems[name]}

WHAT IT IS, AND WHAT IT IS NOT
Meditron runs medical language models on this computer. It asks a model the same
question several times and counts how far the answers agree. It is for health
professionals, to check and to learn. It is a research tool: not a medical device,
not for emergencies, not for treating patients. Decisions stay with whoever
examines the patient. The model inside is a demonstration: it adds up six clinical
scores, and knows nothing else.

HOW TO START
${starts[os]}
Nothing is installed, no network is used, and the folder may lie on a medium that
cannot be written to. A menu appears: type a number and press Enter, or type p and
press Enter to ask in the browser.

WHAT IS KEPT, AND WHERE
Nothing you type and nothing that is answered. Which graphics cards can compute is
remembered in ${places[os]}.
Make a folder named "state" beside this sheet, and it is kept there; a folder
named "no state", and it is kept nowhere.

HOW TO ADD A MODEL
Copy a file whose name ends in .gguf into the folder "models"; in the menu, choose
another model. A stick formatted as FAT32 holds no file of 4 GB or more: format it
as exFAT. The computer needs free memory of the size of the file, and a little more.

HOW TO CHECK THE FILES
In the menu: check that all files are there and unchanged. After copying, take the
stick out and put it in again first. Without starting anything:
${checks[os]}
The licences of all that is inside are in the folder "licenses".

HOW TO REMOVE IT
Delete this folder, and the folder
${places[os]}
`;
