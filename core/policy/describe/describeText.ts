import type { Fact, Invocation } from '../facts.ts'
import { resolvePath } from '../paths/resolvePath.ts'
import { HOLE, isLiteral, STAR } from '../shell/marks.ts'
import { type Label, pathFacts } from './describeByTable.ts'
import { isFloor } from './describeShell.ts'
import { type Arguments, byName, parseArguments } from './parseArguments.ts'
import { scanCode } from './scanCode.ts'

const sedShape = {
  plain:
    '-nEruszai --quiet --silent --regexp-extended --unbuffered --separate --null-data --posix --sandbox --follow-symlinks --binary',
  takes: '-l --line-length',
  texts: '-e --expression',
  files: { '-f --file': 'read' as const },
  flags: { '-i --in-place': 'write' },
}

/** An option that is none of the program's own. */
const strange = ({ options }: Arguments, label: Label): Fact[] =>
  options.every((option) => option.known) ? [] : [{ ...label, effect: 'shell.unknown-option' }]

/** sed: reads, or with `-i` changes, its files; its script may also write files and run commands. */
export function describeSed(args: readonly string[], invocation: Invocation): Fact[] {
  const label: Label = { program: 'sed', options: args.filter((arg) => arg.startsWith('-')) }
  const parsed = parseArguments(splitInPlace(args), sedShape)
  const { options, operands, unknown } = parsed
  const scripts = options
    .filter((option) => option.name === '-e' || option.name === '--expression')
    .map((option) => option.value ?? HOLE)
  const fromFile = options.some((option) => option.name === '-f' || option.name === '--file')
  const inline = scripts.length > 0 || fromFile ? scripts : operands.slice(0, 1)
  const files = scripts.length > 0 || fromFile ? operands : operands.slice(1)
  const inPlace = options.some((option) => byName(sedShape.flags).get(option.name) === 'write')
  return [
    { ...label, effect: 'info' },
    ...(fromFile ? [{ ...label, effect: 'code.inline' }] : []),
    ...(inPlace ? [{ ...label, effect: 'fs.write-option' }, ...backupFacts(args, label, invocation)] : []),
    ...inline.flatMap((script) => sedScriptFacts(script, label, invocation)),
    ...[...files, ...parsed.doubtful].flatMap((file) =>
      pathFacts(inPlace ? 'write' : 'read', file, label, invocation),
    ),
    ...strange(parsed, label),
    ...(unknown.length + parsed.patterns.length > 0 ? [{ ...label, effect: 'shell.unknown-word' }] : []),
  ]
}

/** With a slash in it, the suffix of `-i` is another place. */
function backupFacts(args: readonly string[], label: Label, invocation: Invocation): Fact[] {
  return args
    .map((arg) => /^(?:-[nErsuz]*i|--in-place=)(.*\/.*)$/s.exec(arg)?.[1] ?? '')
    .filter((suffix) => suffix !== '')
    .flatMap((suffix) => pathFacts('write', suffix.replaceAll('*', STAR), label, invocation))
}

/** `-i.bak` and `-i` take no further word; `-ni` is a bundle. */
function splitInPlace(args: readonly string[]): readonly string[] {
  return args.map((arg) =>
    /^-[nErsuz]*i./.test(arg) ? '-i' : arg.startsWith('--in-place=') ? '--in-place' : arg,
  )
}

function sedScriptFacts(script: string, label: Label, invocation: Invocation): Fact[] {
  if (isHarmlessSed(script)) return []
  const writes = [...script.matchAll(/(?:^|[;{}\n/\dgpI$])\s*[wW]\s+([^\n;}]+)/g)].flatMap((found) =>
    pathFacts('write', (found[1] ?? '').trim(), label, invocation),
  )
  return [
    { ...label, effect: 'code.inline' },
    ...writes.filter(isFloor),
    ...scanCode(script, invocation.context),
  ]
}

/** Only commands that print, delete or substitute, by a grammar of their own; anything else is code. */
function isHarmlessSed(script: string): boolean {
  if (!isLiteral(script) || script.length > 2000) return false
  let rest = script
  while (rest !== '') {
    const next = eatSedCommand(rest.replace(/^[\s;{}]+/, ''))
    if (next === null) return false
    rest = next
  }
  return true
}

function eatSedCommand(text: string): string | null {
  if (text === '') return ''
  const body = text.replace(
    /^(\d+|\$|\/(\\.|[^/\\\n])*\/[IM]?)(,\s*(\d+|\$|\+\d+|~\d+|\/(\\.|[^/\\\n])*\/[IM]?)|~\d+)?\s*!?\s*/,
    '',
  )
  const simple = /^[pdDgGhHxnNPl=qQ]\d*\s*(?=[;}\n]|$)/.exec(body)
  if (simple) return body.slice(simple[0].length)
  if (body.startsWith('{')) return body.slice(1)
  return eatSubstitution(body)
}

function eatSubstitution(body: string): string | null {
  const mark = body[1]
  if (!/^[sy]/.test(body) || mark === undefined || /[\w\s\\;]/.test(mark)) return null
  let at = 2
  for (let seen = 0; seen < 2; at++) {
    if (at >= body.length) return null
    if (body[at] === '\\') at++
    else if (body[at] === mark) seen++
  }
  const flags = /^[gpiIm\d]*\s*(?=[;}\n]|$)/.exec(body.slice(at))
  return flags ? body.slice(at + flags[0].length) : null
}

const awkShape = {
  plain:
    '-bcnOPrsStVhgC --characters-as-bytes --traditional --non-decimal-data --optimize --no-optimize --posix --re-interval --sandbox --lint --use-lc-numeric --csv',
  takes: '-F -v -e --field-separator --assign --source',
  files: {
    '-f --file -E --exec -i --include': 'read' as const,
  },
  flags: { '-l --load': '' },
}

/** awk: its program may run commands and write files; only one that plainly does neither is a reader. */
export function describeAwk(args: readonly string[], invocation: Invocation): Fact[] {
  const label: Label = { program: 'awk' }
  const parsed = parseArguments(args, awkShape)
  const { options, operands, unknown } = parsed
  const loads = options.some((option) => /^(-[fEile]|--(file|exec|include|load|source))$/.test(option.name))
  const code = loads ? [] : operands.slice(0, 1)
  const files = operands.slice(loads ? 0 : 1).filter((operand) => !/^[A-Za-z_]\w*=/.test(operand))
  const harmless = code.every(isHarmlessAwk) && !loads
  return [
    { ...label, effect: harmless ? 'info' : 'code.inline' },
    ...code.flatMap((text) => (harmless ? [] : scanCode(text, invocation.context))),
    ...code.flatMap((text) => runsInAwk(text, invocation)),
    ...[...files, ...parsed.doubtful].flatMap((file) => pathFacts('read', file, label, invocation)),
    ...strange(parsed, label),
    ...(unknown.length > 0 ? [{ ...label, effect: 'shell.unknown-word' }] : []),
  ]
}

/** True when nothing in the text could start a command, write a file or read another. */
function isHarmlessAwk(text: string): boolean {
  if (!isLiteral(text) || /system|getline|ENVIRON|ARG[VC]|SYMTAB|FUNCTAB|@|close|fflush|\|&|\\\n/.test(text))
    return false
  const slashes = text.includes('/')
  // With both, a quote may stand in a pattern and a slash in a text: too much to tell apart here.
  if (slashes && text.includes('"')) return !/(?<!\|)\|(?!\|)/.test(text) && !/print[\s\S]*>/.test(text)
  const bare = slashes
    ? text.replace(/(^|[~(,!&|{};\n])\s*\/(\\.|[^/\\\n])*\//g, '$1 R ')
    : text.replace(/"(\\.|[^"\\\n])*"/g, '""')
  return !/(?<!\|)\|(?!\|)/.test(bare) && !(bare.includes('/') ? /print[\s\S]*>/ : /print[^;}]*>/).test(bare)
}

function runsInAwk(text: string, invocation: Invocation): Fact[] {
  const commands = [
    ...text.matchAll(/system\s*\(\s*"((?:\\.|[^"\\])*)"|\|\s*"((?:\\.|[^"\\])*)"|"((?:\\.|[^"\\])*)"\s*\|/g),
  ].map((found) => found[1] ?? found[2] ?? found[3] ?? '')
  return commands.flatMap((command) => [...invocation.runText(command, { quiet: true })].filter(isFloor))
}

const tarPlain =
  '-cxtruAdvzjJZaapmkOWSlhoPsUwBGniM --create --extract --get --list --append --update --catenate --concatenate --diff --compare --delete --verbose --gzip --bzip2 --xz --zstd --lzma --lzip --compress --auto-compress --preserve-permissions --same-permissions --touch --keep-old-files --overwrite --to-stdout --totals --no-recursion --one-file-system --dereference --absolute-names --numeric-owner --same-owner --no-same-owner --no-same-permissions --wildcards --no-wildcards --anchored --ignore-case --full-time --utc --sparse --remove-files --exclude-vcs --exclude-vcs-ignores --exclude-backups --exclude-caches --sort --format --hard-dereference --verify --no-auto-compress --skip-old-files --unlink-first --recursive-unlink'
const tarTakes =
  '-f -C -T -X -b -H -K -N -V -L -F -I --file --directory --files-from --exclude --exclude-from --transform --strip-components --owner --group --mode --mtime --use-compress-program --to-command --checkpoint-action --info-script --new-volume-script --rsh-command --rmt-command'

const tarShape = { plain: tarPlain, takes: tarTakes }

/** tar: lists, packs or unpacks; some options run programs. */
export function describeTar(args: readonly string[], invocation: Invocation): Fact[] {
  const label: Label = { program: 'tar', options: args.filter((arg) => arg.startsWith('-')) }
  const dashed = /^[A-Za-z]+$/.test(args[0] ?? '') ? oldStyle(args) : args
  const parsed = parseArguments(dashed, tarShape)
  const { options, operands, unknown } = parsed
  const names = options.map((option) => option.name)
  const has = (pattern: RegExp): boolean => names.some((name) => pattern.test(name))
  const value = (pattern: RegExp): string[] =>
    options.filter((option) => pattern.test(option.name)).map((option) => option.value ?? HOLE)
  const runs = has(/^(-I|-F|--(use-c|to-c|checkpoint-a|info|new-v|rsh|rmt).*)$/)
  const writes = has(/^(-[cruA]|--(create|append|update|cat.*|concat.*|delete))$/)
  const unpacks = has(/^(-x|--(extract|get))$/)
  const entered = value(/^(-C|--directory)$/)
  const from =
    entered.length > 0
      ? {
          ...invocation,
          state: {
            ...invocation.state,
            cwds: entered.every(isLiteral)
              ? entered.flatMap((dir) => invocation.state.cwds.map((cwd) => resolvePath(dir, cwd)))
              : [],
          },
        }
      : invocation
  const archive = value(/^(-f|--file)$/).filter((file) => file !== '-')
  return [
    { ...label, effect: runs ? 'code.inline' : unpacks ? 'fs.unpack' : 'info' },
    ...value(/^(-I|-F|--(use-c|to-c|checkpoint-a|info|new-v|rsh|rmt).*)$/).flatMap((text) =>
      [...invocation.runText(text.replace(/^exec=/, ''), { quiet: true })].filter(isFloor),
    ),
    ...archive
      .filter((file) => /^[^/]*:/.test(file))
      .map(() => ({ ...label, effect: 'network.remote', network: true })),
    ...archive.flatMap((file) => pathFacts(writes ? 'write' : 'read', file, label, invocation)),
    ...value(/^(-C|--directory)$/).flatMap((dir) =>
      pathFacts(unpacks ? 'write' : 'list', dir, label, invocation),
    ),
    ...value(/^(-T|-X|--files-from|--exclude-from)$/).flatMap((file) =>
      pathFacts('read', file, label, invocation),
    ),
    ...(writes ? operands : []).flatMap((file) => pathFacts('read', file, label, from)),
    ...(writes && archive.length === 0 ? [{ ...label, effect: 'fs.search-all' }] : []),
    ...strange(parsed, label),
    ...(unpacks && has(/^(-P|--absolute-names)$/)
      ? [{ ...label, effect: 'fs.write', place: 'outside' as const }]
      : []),
    ...(has(/^--remove-files$/)
      ? operands.flatMap((file) => pathFacts('delete-tree', file, label, invocation))
      : []),
    ...(unknown.length + parsed.patterns.length > 0 ? [{ ...label, effect: 'shell.unknown-word' }] : []),
  ]
}

/** `tar xzf a.tgz`: letters without a dash, whose values follow in order. */
function oldStyle(args: readonly string[]): readonly string[] {
  const letters = [...(args[0] ?? '')]
  const rest = args.slice(1)
  const given = letters.flatMap((letter) =>
    /[fCTXbgIFHKLNV]/.test(letter) ? [`-${letter}`, rest.shift() ?? ''] : [`-${letter}`],
  )
  return [...given, ...rest]
}
