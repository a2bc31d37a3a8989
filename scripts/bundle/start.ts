// What a person opens to start it. Nothing is installed, no setting of the system is changed, nothing but what stands here is run.

const program = 'app/node_modules/meditron/bin/meditron.js';

/** For Windows. Lines are ended as cmd wants them; a path may hold any sign, so nothing is expanded twice and nothing later than at once. */
export const startCmd = `@echo off
setlocal EnableExtensions DisableDelayedExpansion
title Meditron
set "HERE=%~dp0"
set "NODE_OPTIONS="
set "NODE_PATH="
if exist "%HERE%state\\" set "MEDITRON_STATE=%HERE%state"
if exist "%HERE%no state\\" set "MEDITRON_STATE=none"
if not exist "%HERE%node\\node.exe" goto incomplete
if not exist "%HERE%${program.replaceAll('/', '\\')}" goto incomplete
"%HERE%node\\node.exe" "%HERE%${program.replaceAll('/', '\\')}" menu
if "%ERRORLEVEL%"=="0" exit /b 0
echo.
echo Meditron has stopped with code %ERRORLEVEL%. If nothing stands above, Windows did
echo not let it start. "Read me first.txt" says what can be done.
pause
exit /b 1
:incomplete
echo This folder is not complete. Copy all of it again.
pause
exit /b 1
`.replaceAll('\n', '\r\n');

/** For Linux and macOS: POSIX sh and nothing besides, not even dirname. */
export const startSh = `#!/bin/sh
# Starts Meditron from this folder. Nothing is installed.
case $0 in */*) here=\${0%/*} ;; *) here=. ;; esac
here=$(CDPATH='' cd -- "$here" && pwd -P) || exit 1
node=$here/node/node
program=$here/${program}
unset NODE_OPTIONS NODE_PATH
if [ -d "$here/state" ]; then MEDITRON_STATE=$here/state; export MEDITRON_STATE; fi
if [ -d "$here/no state" ]; then MEDITRON_STATE=none; export MEDITRON_STATE; fi
if [ ! -f "$node" ] || [ ! -f "$program" ]; then
  echo 'This folder is not complete. Copy all of it again.' >&2
  exit 3
fi
# Some sticks and archives lose the permission to run a file.
[ -x "$node" ] || chmod u+x "$node" 2>/dev/null
if ! why=$("$node" --version 2>&1); then
  echo "$why" >&2
  echo 'Meditron cannot be run from here. Most often programs may not be run from this' >&2
  echo 'stick: copy the whole folder into your home folder, and start it there. Else this' >&2
  echo 'folder is for another kind of computer: "Read me first.txt" says for which.' >&2
  exit 7
fi
if [ $# -eq 0 ]; then set -- menu; fi
exec "$node" "$program" "$@"
`;
