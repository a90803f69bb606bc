import type { ProgramTable } from './program.ts'

/** What a shell has of its own, and what shows or sets its variables. */
export const lookShell: ProgramTable = {
  'echo printf : true false test [ sleep pwd basename dirname seq expr yes exit return break continue shift times umask tty logname factor':
    {
      free: true,
      examples: { allow: ['echo hi', 'true', 'sleep 30', 'test -f x', 'printf "%s\\n" a', 'echo $HOME'] },
    },
  wait: { plain: '-nf', examples: { allow: ['wait'], ask: ['wait -p PATH -n'] } },
  ulimit: { plain: '-aHScdefilmnpqrstuvx', examples: { allow: ['ulimit -a', 'ulimit -n'] } },
  disown: { plain: '-ahr' },
  type: { plain: '-atpPfS', examples: { allow: ['type ls', 'type -a node'] } },
  help: { plain: '-dms', examples: { allow: ['help cd'] } },
  printenv: {
    plain: '-0 --null',
    bare: 'secrets.environment',
    examples: { allow: ['printenv PATH'], ask: ['printenv', 'printenv -0'] },
  },
  env: { effect: 'secrets.environment', examples: { ask: ['env'] } },
  history: {
    effect: 'secrets.environment',
    flags: { '-c -w -d -a -r': 'fs.write-option' },
    examples: { ask: ['history'] },
  },
  'export declare typeset readonly local': {
    bare: 'secrets.environment',
    flags: { '-p': 'secrets.environment' },
    examples: {
      allow: ['export NODE_ENV=test'],
      ask: [
        'export',
        'export -p',
        'export PATH=/x:$PATH',
        "export 'PATH=/x'",
        'declare "PATH=/x"',
        'declare -x',
        'readonly PATH=/x',
      ],
    },
  },
  'read getopts mapfile readarray unset let jobs hash set shopt': {
    bare: 'info',
    examples: {
      allow: ['set -e', 'set -euo pipefail', 'unset X', 'read X', 'jobs'],
      ask: [
        'set',
        'set -k',
        'read PATH',
        'unset PATH',
        'let PATH=0',
        'hash -p /tmp/x ls',
        'jobs -x ls',
        'shopt -s lastpipe',
      ],
    },
  },
}
