import type { DoubleQuotedChild, ParameterExpansionPart, ParsedScript, Word, WordPart } from 'unbash'
import { HOLE, HOLES, hasGlob, NAME, NET_HOLE, QUERY, QUOTED, SPLIT, STAR } from './marks.ts'
import { joinTexts, maxAlternatives, type ShellState, unite } from './state.ts'

/** What expansion needs from the walk: the state, the home, and a way to look into command substitutions. */
export type Expander = {
  state: ShellState
  home: string
  /** Judges the script of a substitution; its output where that is plain, else a hole. */
  substitute: (script: ParsedScript | undefined) => readonly string[]
  /** Looks into expansions that are not followed, for the commands they hold. */
  visit: (part: WordPart) => void
  /** Is told of what only bash understands: another shell may read it otherwise. */
  bashOnly: (part: WordPart) => void
  /** Is told of what shells and parsers read each in their own way. */
  unclear: (part: WordPart) => void
}

/**
 * Expands a word as a shell would. Each alternative is a list of words, since an unquoted expansion may split.
 */
export function expandWord(word: Word, expander: Expander): string[][] {
  return braceVariants(word.parts ?? [bareWord(word)]).reduce<string[][]>(
    (lists, parts) => cross(lists, expandParts(parts, expander).map(splitFields)),
    [[]],
  )
}

/** Expands where the shell does not split: the value of an assignment, the target of a redirection. */
export function expandValue(word: Word, expander: Expander): readonly string[] {
  const parts = word.parts ?? [bareWord(word)]
  return expandParts(parts, expander).map((text) => text.replaceAll(QUOTED, ''))
}

function bareWord(word: Word): WordPart {
  return { type: 'Literal', pos: word.pos, end: word.end, value: word.value, text: word.text }
}

function cross(lists: string[][], next: string[][]): string[][] {
  if (lists.length * next.length > maxAlternatives) return [[...(lists[0] ?? []), HOLES]]
  return lists.flatMap((list) => next.map((more) => [...list, ...more]))
}

function expandParts(parts: readonly WordPart[], expander: Expander): readonly string[] {
  return parts.reduce<readonly string[]>(
    (texts, part, i) => {
      return joinTexts(texts, expandPart(part, i === 0, expander)) ?? [HOLES]
    },
    [''],
  )
}

function splitFields(text: string): string[] {
  return text
    .split(SPLIT)
    .filter((field) => field !== '')
    .map((field) => field.replaceAll(QUOTED, ''))
}

function expandPart(part: WordPart, first: boolean, expander: Expander): readonly string[] {
  switch (part.type) {
    case 'Literal':
      return [first ? expandTilde(part.text, part.value, expander) : part.value]
    case 'SingleQuoted':
      return [QUOTED + part.value]
    case 'AnsiCQuoted':
      expander.bashOnly(part)
      return [QUOTED + part.value]
    case 'LocaleString':
      expander.bashOnly(part)
      return expandPart({ ...part, type: 'DoubleQuoted' }, first, expander)
    case 'DoubleQuoted':
      return part.parts.reduce<readonly string[]>(
        (texts, child) => joinTexts(texts, expandQuoted(child, expander)) ?? [HOLE],
        [QUOTED],
      )
    case 'Glob':
      return [part.kind === 'star' ? STAR : QUERY]
    case 'ExtendedGlob':
      expander.bashOnly(part)
      expander.visit(part)
      return [STAR]
    case 'BraceExpansion':
      if (/[<>|&;()]/.test(part.text)) expander.unclear(part)
      expander.visit(part)
      return [HOLES]
    case 'ProcessSubstitution':
      expander.bashOnly(part)
      return expander
        .substitute(part.script)
        .map((text) => `/dev/fd/${text.includes(NET_HOLE) ? NET_HOLE : NAME}`)
    case 'SimpleExpansion':
    case 'ParameterExpansion':
    case 'CommandExpansion':
    case 'ArithmeticExpansion':
      return expandDollar(part, expander).map(splitValue)
  }
}

function expandQuoted(part: DoubleQuotedChild, expander: Expander): readonly string[] {
  if (part.type === 'Literal') return [part.value]
  return expandDollar(part, expander).map((value) =>
    isAllArguments(part) ? value : value.replaceAll(HOLES, HOLE).replaceAll(SPLIT, ' '),
  )
}

const isAllArguments = (part: DoubleQuotedChild): boolean =>
  (part.type === 'SimpleExpansion' && part.text === '$@') ||
  (part.type === 'ParameterExpansion' && part.text.includes('@'))

/**
 * What an unquoted value turns into: blanks split it and its stars are patterns. The name of a file that a pattern
 * found before may have blanks, and words behind them that are patterns themselves.
 */
function splitValue(value: string): string {
  const more = hasGlob(value) ? `${SPLIT}${STAR}` : ''
  return `${splitBlanks(value)}${more}`
}

function splitBlanks(value: string): string {
  return value
    .replaceAll('*', STAR)
    .replaceAll('?', QUERY)
    .replace(/[ \t\n]+/g, SPLIT)
}

function expandDollar(
  part: Exclude<DoubleQuotedChild, { type: 'Literal' }>,
  expander: Expander,
): readonly string[] {
  switch (part.type) {
    case 'SimpleExpansion':
      return lookUp(part.text.slice(1), expander)
    case 'ParameterExpansion':
      return expandParameter(part, expander)
    case 'CommandExpansion':
      return expander.substitute(part.script)
    case 'ArithmeticExpansion':
      expander.visit(part)
      return ['1']
  }
}

function lookUp(name: string, { state }: Expander): readonly string[] {
  if (/^[?#]$/.test(name)) return ['1']
  // A process of this task, such as the one that `kill $!` ends.
  if (/^[$!]$/.test(name)) return ['4242']
  if (name === 'PWD' && !state.vars.has('PWD')) return state.cwds.length > 0 ? state.cwds : [HOLES]
  return state.vars.get(name) ?? (name === 'IFS' ? [' '] : [HOLES])
}

function expandParameter(part: ParameterExpansionPart, expander: Expander): readonly string[] {
  expander.visit(part)
  if (part.prefix === '#') return ['1']
  if (part.prefix || part.index) {
    expander.bashOnly(part)
    return [HOLES]
  }
  const values = lookUp(part.parameter, expander)
  if (!part.operation) return values
  return part.operation.type === 'Default'
    ? expandDefault(part.operation, part.parameter, values, expander)
    : [HOLES]
}

function expandDefault(
  operation: Extract<ParameterExpansionPart['operation'], { type: 'Default' }>,
  name: string,
  values: readonly string[],
  expander: Expander,
): readonly string[] {
  if (operation.operator.endsWith('?')) return values
  const fallback = expandValue(operation.operand, expander)
  if (operation.operator.endsWith('=')) expander.state.vars.set(name, unite(values, fallback))
  return operation.operator.endsWith('+') ? unite([''], fallback) : unite(values, fallback)
}

/** `~` and `~/x` at the start of a word, unless quoted. The home of another user is guessed from its name. */
function expandTilde(text: string, value: string, expander: Expander): string {
  const found = /^~([\w.-]*)(?=\/|$)/.exec(text)
  if (!found) return value.startsWith('~+') || value.startsWith('~-') ? HOLE : value
  const user = found[1] ?? ''
  const home =
    user === '' ? (expander.state.vars.get('HOME')?.[0] ?? HOLE) : user === 'root' ? '/root' : `/home/${user}`
  return home + value.slice(found[0].length)
}

/** `a{b,c}` is two words; anything less plain stays one part, and unknown. */
function braceVariants(parts: readonly WordPart[]): WordPart[][] {
  const at = parts.findIndex((part) => part.type === 'BraceExpansion')
  const brace = parts[at]
  const items = brace
    ? /^\{([^{}$`'"\\<>()]*,[^{}$`'"\\<>()]*)\}$/.exec(brace.text)?.[1]?.split(',')
    : undefined
  if (!brace || !items || items.length > 16) return [[...parts]]
  return items.map((item) => [...parts.slice(0, at), literalItem(item, brace), ...parts.slice(at + 1)])
}

function literalItem(item: string, brace: WordPart): WordPart {
  const value = item.replaceAll('*', STAR).replaceAll('?', QUERY)
  return { type: 'Literal', pos: brace.pos, end: brace.end, value, text: value }
}
