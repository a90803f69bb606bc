import type { Parameter } from '../planning/playbook.ts'
import { tidyRequest } from '../planning/tidyRequest.ts'
import { saysNothing } from '../planning/words.ts'

/** One piece of a tidied request: what stands before, the word itself without quotes, what stands after. */
export type Token = { before: string; text: string; after: string; quoted: boolean }

/** Something a request says that another request could say otherwise. `first`, `last`: its tokens. */
export type Value = { first: number; last: number; text: string; name: string; parameter: Parameter }

/** Words that say of what kind the word beside them is, with the name a parameter gets by it. */
const kinds: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    'branch file folder package service port user host version release tag remote url issue ticket module component container image script key label environment env region level day hour minute line commit theme class function table column title name message'
      .split(' ')
      .map((word) => [word, word]),
  ),
  branche: 'branch',
  zweig: 'branch',
  rama: 'branch',
  datei: 'file',
  fichier: 'file',
  archivo: 'file',
  ordner: 'folder',
  dossier: 'folder',
  carpeta: 'folder',
  directory: 'folder',
  dir: 'folder',
  path: 'path',
}
/** Words that only say what follows them. */
const introductions: Readonly<Record<string, string>> = {
  named: 'name',
  called: 'name',
  titled: 'title',
  saying: 'text',
  text: 'text',
}
/** Words that a quoted value may have when the next request leaves the quotes out: few, so that matching stays quick. */
const MAX_WORDS = 4
/** After these, all that follows can be one text. */
const beforeText = /^(?:message|saying|says|titled|text|note|title|subject|reading|description)$/i

const number = /^\d{1,9}$/
const version = /^v?\d+(?:\.\d+)+[A-Za-z0-9.+-]*$/
const address = /^https?:\/\/\S+$/i
const branch =
  /^(?:feature|feat|fix|bugfix|hotfix|release|chore|docs|test|refactor|dependabot|renovate)\/\S+$/
const file = /^(?!.*:\/\/)(?:\.{0,2}\/\S*|~\/\S*|\S+\/\S*|[\w-]+(?:\.[\w-]+)*\.[A-Za-z]\w{0,9}|\.[a-z]\w+)$/

/** The words of a tidied request, with the marks around them set apart. Pure. */
export function tokensOf(request: string): Token[] {
  const pieces = tidyRequest(request).match(/"[^"]+"|'[^']+'|`[^`]+`|\S+/g) ?? []
  return pieces.map((piece) => {
    if (/^(["'`]).+\1$/s.test(piece))
      return { before: '', text: piece.slice(1, -1).trim(), after: '', quoted: true }
    const [, before = '', text = '', after = ''] = /^([([{<]*)(.*?)([,;:!?)\]}>]*|\.)$/s.exec(piece) ?? []
    return text === ''
      ? { before: '', text: piece, after: '', quoted: false }
      : { before, text, after, quoted: false }
  })
}

/** Whether a word stands for itself alone: a path, a number, a name with signs or capitals in it. */
function isSpecific(text: string, first: boolean): boolean {
  if (/[\d/_~@\\]|\w[.:]\w|^\.\w/.test(text)) return true
  return /[a-z][A-Z]|^[A-Z]{2}/.test(text) || (!first && /^[A-Z][a-z]+|\w-\w/.test(text))
}

const singular = (word: string): string => (/[^s]s$/.test(word) ? word.slice(0, -1) : word)
const kindOf = (token: Token | undefined): string | undefined =>
  token && !token.quoted ? kinds[singular(token.text.toLowerCase())] : undefined

const isEnd = (token: Token | undefined): boolean =>
  token === undefined || (!token.quoted && saysNothing(token.text.toLowerCase()))

/** What the words beside a value say that it is: `branch main`, `the main branch`, `20 lines`. */
function hintAt(tokens: readonly Token[], at: number): string | undefined {
  const previous = tokens[at - 1]
  const before =
    previous?.after === '' || previous?.after === ':'
      ? (kindOf(previous) ?? introductions[previous.text.toLowerCase()])
      : undefined
  // In "stop service nginx" the word before "service" is none.
  const noun = tokens[at]?.after === '' && isEnd(tokens[at + 2]) && at > 0
  const counted = /^\d+$/.test(tokens[at]?.text ?? '')
  return before ?? (noun || counted ? kindOf(tokens[at + 1]) : undefined)
}

function parameterFor(
  text: string,
  quoted: boolean,
  hint: string | undefined,
): Pick<Value, 'name' | 'parameter'> {
  if (address.test(text))
    return { name: 'url', parameter: { type: 'string', max_words: 1, pattern: 'https?://\\S+' } }
  if (number.test(text) && (text === '0' || !text.startsWith('0')))
    return {
      name: hint ?? 'number',
      parameter: {
        type: 'int',
        min: text === '0' ? 0 : 1,
        max: Number(text) > 1_000_000 ? 999_999_999 : 1_000_000,
      },
    }
  if (version.test(text) && hint !== 'file')
    return {
      name: hint ?? 'version',
      parameter: { type: 'string', max_words: 1, pattern: 'v?\\d[A-Za-z0-9.+-]*' },
    }
  if (hint === 'branch' || (branch.test(text) && !/\.[A-Za-z]\w{0,4}$/.test(text)))
    return {
      name: 'branch',
      parameter: { type: 'string', max_words: 1, pattern: '[A-Za-z0-9][A-Za-z0-9._/-]*' },
    }
  if (hint === 'file' || hint === 'folder' || hint === 'path' || (file.test(text) && !/\s/.test(text)))
    return { name: hint ?? 'path', parameter: { type: 'path' } }
  return {
    name: hint ?? (quoted ? 'text' : 'name'),
    parameter: { type: 'string', max_words: quoted ? MAX_WORDS : 1 },
  }
}

/** The rest of a sentence after "message" and the like, as one text. */
function textsOf(tokens: readonly Token[]): Value[] {
  return tokens.flatMap((token, i) => {
    const rest = tokens.slice(i + 1)
    const starts = !token.quoted && (beforeText.test(token.text) || token.after === ':')
    if (!starts || rest.length < 2 || rest.some(({ quoted }) => quoted)) return []
    const text = rest.map((t) => t.before + t.text + t.after).join(' ')
    const hint = kindOf(token) ?? introductions[token.text.toLowerCase()]
    return [
      {
        first: i + 1,
        last: tokens.length - 1,
        text,
        name: hint ?? 'text',
        parameter: { type: 'text' as const },
      },
    ]
  })
}

/**
 * What a request says that the next one could say otherwise: names, paths, branches, versions, numbers, quoted words, and
 * the text after "message". Whether it is a parameter is decided by the plan that was made of it. A word that is said twice
 * is none. Pure.
 */
export function valuesOf(tokens: readonly Token[]): Value[] {
  const single = tokens.flatMap((token, i): Value[] => {
    const { text, quoted } = token
    const hint = hintAt(tokens, i)
    const twice = tokens.filter((other) => other.text === text).length > 1
    if (twice || text.length > 200 || text.startsWith('-') || !/[\p{L}\p{N}]/u.test(text)) return []
    if (!quoted && kindOf(token) && !isSpecific(text, i === 0)) return []
    if (!quoted && !isSpecific(text, i === 0) && (hint === undefined || saysNothing(text.toLowerCase())))
      return []
    return [{ first: i, last: i, text, ...parameterFor(text, quoted, hint) }]
  })
  return [...textsOf(tokens), ...single]
}
