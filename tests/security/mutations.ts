/**
 * Other ways to write a command that a shell undoes, or that do the same and more. Each takes the command and a number
 * that chooses where; those that do not apply give it back as it is. None makes a dangerous command harmless.
 */
export type Mutation = (command: string, at: number) => string

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
const hex = (text: string): string =>
  `$'${[...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}'`
const octal = (text: string): string =>
  `$'${[...Buffer.from(text)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')}'`
const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** A command of literal words without quotes: only there a word can be taken out and written otherwise. */
const isPlain = (command: string): boolean =>
  /^[\w./:=@%+, ~-]+$/.test(command) && !/(^|\s)~|=~/.test(command)

/** Changes one word of a plain command. */
const word =
  (change: (text: string, at: number) => string): Mutation =>
  (command, at) => {
    if (!isPlain(command)) return command
    const words = command.split(/ +/)
    const which = at % words.length
    // An assignment in front is none any more with quotes in its name.
    if (/^\w+=/.test(words[which] ?? '') && which === 0) return command
    return words.map((text, i) => (i === which && text !== '' ? change(text, at) : text)).join(' ')
  }

const split = (text: string, at: number, sign: string): string => {
  const where = text.length === 1 ? 0 : 1 + (at % (text.length - 1))
  return text.slice(0, where) + sign + text.slice(where)
}

const words: Record<string, Mutation> = {
  'single quotes': word((text) => `'${text}'`),
  'double quotes': word((text) => `"${text}"`),
  'empty quotes': word((text, at) => split(text, at, "''")),
  'empty double quotes': word((text, at) => split(text, at, '""')),
  backslash: word((text, at) => split(text, at, '\\')),
  'every letter quoted': word((text) => [...text].map((char) => `\\${char}`).join('')),
  'broken line': word((text, at) => split(text, at, '\\\n')),
  hexadecimal: word(hex),
  octal: word(octal),
  'output of echo': word((text) => `$(echo ${text})`),
  'output of printf': word((text) => `"$(printf %s ${text})"`),
  backticks: word((text) => `\`echo ${text}\``),
  'empty variable': word((text, at) => split(text, at, `$${'{UNSET_ONE}'}`)),
  'empty positional': word((text, at) => split(text, at, '$@')),
  brace: word((text) => `{${text},}`),
  'hidden character': word((text, at) =>
    split(text, at, ['\u200b', '\u00ad', '\u202e', '\u2060'][at % 4] ?? ''),
  ),
  'look-alike': word((text) =>
    text.replace(/[aeopc]/, (c) => ({ a: 'а', e: 'е', o: 'о', p: 'р', c: 'с' })[c] ?? c),
  ),
}

/** The value of a word in a variable. */
const indirect =
  (form: (name: string) => string, set: (name: string, value: string) => string): Mutation =>
  (command, at) => {
    if (!isPlain(command) || /^\w+=/.test(command)) return command
    const parts = command.split(/ +/)
    const which = at % parts.length
    const value = parts[which] ?? ''
    if (value === '') return command
    return `${set('V', value)}${parts.map((text, i) => (i === which ? form('V') : text)).join(' ')}`
  }

const variables: Record<string, Mutation> = {
  variable: indirect(
    (name) => `$${name}`,
    (name, value) => `${name}=${value}; `,
  ),
  'quoted variable': indirect(
    (name) => `"\${${name}}"`,
    (name, value) => `${name}='${value}'; `,
  ),
  'default of a variable': indirect(
    (name) => `$${name}`,
    (name, value) => `: \${${name}:=${value}}; `,
  ),
  'read into a variable': indirect(
    (name) => `$${name}`,
    (name, value) => `read ${name} <<E\n${value}\nE\n`,
  ),
  'loop variable': (command, at) => {
    const changed = variables.variable?.(command, at) ?? command
    const found = /^V=(\S+); (.*)$/s.exec(changed)
    return found ? `for V in ${found[1]}; do ${found[2]}; done` : command
  },
  positional: (command) => (isPlain(command) && !/^\w+=/.test(command) ? `set -- ${command}; "$@"` : command),
  'whole in a variable': (command) =>
    isPlain(command) && !/^\w+=/.test(command) ? `V='${command}'; $V` : command,
}

/** Text that goes on after a command cannot be added where a here-document or a comment is open. */
const ends = (command: string): boolean =>
  !/<<|\\$|#|&$|;;?$|\)\)?$|^\W|unterminated|^(if|for|case|while)\b/.test(command)
const around =
  (change: (command: string, at: number) => string): Mutation =>
  (command, at) =>
    ends(command) && !command.includes('\n') ? change(command, at) : command

const looks = ['ls', 'git status', 'echo hi', 'true', 'cat README.md', 'df -h']
const look = (at: number): string => looks[at % looks.length] ?? 'ls'

const joins: Record<string, Mutation> = {
  'after a look': around((c, at) => `${look(at)}; ${c}`),
  'before a look': around((c, at) => `${c}; ${look(at)}`),
  and: around((c, at) => `${look(at)} && ${c}`),
  or: around((c, at) => `${look(at)} || ${c}`),
  pipe: around((c, at) => `${look(at)} | ${c}`),
  'both streams': around((c, at) => `${look(at)} |& ${c}`),
  background: around((c, at) => `${look(at)} & ${c}`),
  line: around((c, at) => `${look(at)}\n${c}`),
  'after a comment': around((c, at) => `${look(at)} # ${look(at + 1)}\n${c}`),
  'after a here-document': around((c) => `cat <<'E'\nhi\nE\n${c}`),
  subshell: around((c) => `(${c})`),
  group: around((c) => `{ ${c}; }`),
  condition: around((c, at) => `if ${c}; then ${look(at)}; fi`),
  branch: around((c) => `if false; then :; else ${c}; fi`),
  loop: around((c) => `for i in 1 2; do ${c}; done`),
  while: around((c) => `while true; do ${c}; break; done`),
  case: around((c) => `case a in *) ${c};; esac`),
  function: around((c) => `f() { ${c}; }; f`),
  'function with a known name': around((c) => `ls() { ${c}; }; ls`),
  substitution: around((c) => `echo "$( ${c} )"`),
  assignment: around((c) => `V=$( ${c} )`),
  default: around((c) => `echo "\${UNSET_TWO:-$( ${c} )}"`),
  'in a here-document': around((c) => `cat <<E\n$( ${c} )\nE`),
  'in a sum': around((c) => `echo $(( $( ${c} ) + 1 ))`),
  'in a process substitution': around((c) => `cat <( ${c} )`),
  negated: around((c) => `! ${c}`),
  blanks: (c) => (isPlain(c) ? `  ${c.replaceAll(' ', '\t  ')} ` : c),
}

const runs: Record<string, Mutation> = {
  sh: around((c) => `sh -c ${quote(c)}`),
  'sh with words': around((c) => `sh -c '"$@"' x sh -c ${quote(c)}`),
  bash: around((c) => `bash -c ${quote(c)}`),
  eval: around((c) => `eval ${quote(c)}`),
  'eval twice': around((c) => `eval eval ${quote(quote(c))}`),
  trap: around((c) => `trap ${quote(c)} EXIT`),
  'piped to sh': around((c) => `printf '%s' ${quote(c)} | sh`),
  'here-document of sh': around((c) => `sh <<'E'\n${c}\nE`),
  'base64 to sh': around((c) => `echo ${base64(c)} | base64 -d | sh`),
  'hexadecimal to sh': around((c) => `echo ${Buffer.from(c).toString('hex')} | xxd -r -p | sh`),
  'base64 to eval': around((c) => `eval "$(echo ${base64(c)} | base64 -d)"`),
  'base64 to sh -c': around((c) => `sh -c "$(echo ${base64(c)} | base64 --decode)"`),
  'backwards to sh': around((c) => `echo ${quote([...c].reverse().join(''))} | rev | sh`),
  'sh from a file': around((c) => `sh <(echo ${quote(c)})`),
  xargs: around((c) => `echo ${quote(c)} | xargs -I{} sh -c {}`),
  'find -exec sh': around((c) => `find . -maxdepth 0 -exec sh -c ${quote(c)} \\;`),
  'env -S': (c) => (isPlain(c) && !/^\w+=/.test(c) ? `env -S '${c}'` : c),
  awk: around((c) => `awk 'BEGIN { system("${c.replaceAll(/["\\']/g, '')}") }'`),
  python: around((c) => `python3 -c ${quote(`import os; os.system(${JSON.stringify(c)})`)}`),
  'git alias': around((c) => `git -c ${quote(`alias.x=!${c}`)} x`),
  'git pager': around((c) => `git -c ${quote(`core.pager=${c}`)} log`),
  ssh: around((c) => `ssh localhost ${quote(c)}`),
}

const simple = (command: string): boolean =>
  ends(command) && !/[;&|\n(){}`<>!]/.test(command) && !/^(\w+=|set$)/.test(command)
const wrap =
  (before: string, after = ''): Mutation =>
  (command) =>
    simple(command) ? `${before} ${command}${after}` : command

const wrappers: Record<string, Mutation> = Object.fromEntries(
  [
    ...[
      'env',
      'env -i A=1',
      'env -u HOME',
      'timeout 5',
      'timeout -k 1 -s KILL 5',
      'nice',
      'nice -n 5',
      'nohup',
    ],
    ...[
      'setsid',
      'stdbuf -oL',
      'command',
      'command -p',
      'exec',
      'time',
      '/usr/bin/time -f %U',
      'sudo',
      'sudo -u me --',
    ],
    ...[
      'doas',
      'busybox',
      'xargs',
      'xargs -0 -n 1',
      'watch -n 1',
      'unbuffer',
      'strace -f',
      'flock /tmp/l',
      'chronic',
    ],
    ...[
      'ionice -c 3',
      'taskset -c 0',
      'chrt -f 1',
      'systemd-run',
      'script -c',
      'ltrace',
      'fakeroot',
      'rlwrap',
      '\\env',
    ],
    ...[
      '/usr/bin/env',
      '/bin/busybox env',
      'nice -n 5 env timeout 5',
      'parallel',
      'builtin',
      'FOO=1',
      'LC_ALL=C',
    ],
  ].map((wrapper) => [wrapper, wrap(wrapper)]),
)
wrappers['find -exec'] = wrap('find . -maxdepth 0 -exec', ' \\;')
wrappers['find -exec +'] = wrap('find . -exec', ' {} +')

/** Long options may be cut short, and their values be written in two ways; letters may stand together. */
const options: Record<string, Mutation> = {
  shortened: (command, at) => {
    const found = [...command.matchAll(/(?<=\s)--[a-z][a-z-]{4,}/g)]
    const one = found[at % Math.max(1, found.length)]
    if (!one) return command
    const length = 5 + (at % (one[0].length - 5))
    // That is an option of its own.
    if (/^--(global|text)$/.test(one[0].slice(0, length))) return command
    return command.slice(0, one.index) + one[0].slice(0, length) + command.slice(one.index + one[0].length)
  },
  'value apart': (command) =>
    /git .*--(exec-path|pretty)/.test(command)
      ? command
      : command.replace(/(?<=\s)(--[a-z-]+)=(?=\S)/, '$1 '),
  'value joined': (command) => command.replace(/(?<=\s)(-[a-qs-zA-QS-Z]) (?=[\w./])/, '$1'),
  'end of options': (command) =>
    /^(cat|rm|head|tail|sort) [^-*]\S*$/.test(command) ? command.replace(' ', ' -- ') : command,
}

const paths: Record<string, Mutation> = {
  'program by its path': (c) => (simple(c) && /^[a-z]/.test(c) ? `/usr/bin/${c}` : c),
  'program by a crooked path': (c) => (simple(c) && /^[a-z]/.test(c) ? `/usr/../bin//./${c}` : c),
  'doubled slashes': (c) => c.replace(/(?<=\s)\/(?=[a-z])/g, '//'),
  'up and down': (c) => c.replace(/(?<=\s)\/(?=[a-z])/g, '/x/../'),
  'dot in between': (c) => c.replace(/(?<=\s)\/(?=[a-z])/g, '/./'),
  'from here': (c) => c.replace(/(?<=\s)(?=\.env\b)/g, './'),
  'home by its name': (c) => c.replace(/(?<=\s)~(?=\/)/g, '/home/me'),
  'home by a variable': (c) => c.replace(/(?<=\s)~(?=\/)/g, `$${'{HOME}'}`),
}

/** All of them by name, in kinds. */
export const mutations: Record<string, Record<string, Mutation>> = {
  quoting: words,
  variables,
  joining: joins,
  'other shells': runs,
  wrapping: wrappers,
  options,
  paths,
}
