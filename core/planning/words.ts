import { tidyRequest } from './tidyRequest.ts'

/** Words that tell nothing about what is wanted. */
const empty = new Set(
  `a an the this that these those my our your its it is are was were be been am do does did have has had can could would
  will shall should i we you me us they them he she to of in on at by for from with without and or but not no yes if then
  so as into out up off over under there here what which who whom whose when how why all any some every each
  please thanks just now today again still also very too much many more most than about like let lets
  repo repository project code place app der die das den dem ein eine und le la les un une et el los las y qué que se sich
  hat ist sind teh thsi hte called titled named saying containing message`.split(/\s+/),
)

/** Verbs that go with anything: alone they make nothing alike. */
const verbs = new Set(
  `show get list see view give tell print display read open run start launch execute kick begin do make create build add
  new write put set check look find search locate grep where want need use try plan propose suggest prepare perform trigger
  repeat go take change update fetch work save last latest recent current next first whole full own`
    .split(/\s+/)
    .map(stem),
)

const kin: readonly string[] = [
  'folder directory dir',
  'disk drive storage ssd hdd space',
  'memory ram mem',
  'test spec testsuite suite pytest vitest jest',
  'package dependency dep library module',
  'large big huge biggest largest heavy',
  'find search look locate grep seek where',
  'commit committed checkin',
  'diff difference',
  'push upload',
  'pull download',
  'note memo reminder remind remember',
  'show view print display read open see cat',
  'create make write',
  'bug fault error defect',
  'fix mend repair solve',
  'log logfile',
  'build compile',
  'container docker',
  'outdated stale old upgrade',
  'lint linter eslint',
  'machine computer server box pc',
  'history log',
]
const kinOf = new Map(
  kin
    .toReversed()
    .flatMap((line) => line.split(' ').map((word) => [stem(word), stem(line.split(' ')[0] ?? '')])),
)

/** A word without its ending, roughly: `tests`, `testing` and `tested` are one. Pure. */
function stem(word: string): string {
  const bare = word
    .replace(/(?<=.{2})ies$/, 'y')
    .replace(/(?<=[^s].)s$/, '')
    .replace(/(?<=.{3})(?:ing|ed)$/, '')
    .replace(/(?<=.{2})e$/, '')
  return bare.replace(/([bdgklmnprt])\1$/, '$1')
}

/** One word of a request: as written, and what it is compared by. */
export type Word = { text: string; root: string; weak: boolean }

/** The words of a text that say something, in order. Pure. */
export function wordsOf(text: string): Word[] {
  const found = tidyRequest(text).match(/[\p{L}\p{N}][\p{L}\p{N}'_./-]*/gu) ?? []
  return found
    .map((word) => word.replace(/(?:'s|[.'/-]+)$/, ''))
    .filter((word) => !empty.has(word.toLowerCase()))
    .map((text) => ({ text, ...rootOf(text.toLowerCase()) }))
}

/** What a word is compared by. */
export function rootOf(word: string): { root: string; weak: boolean } {
  const own = stem(word)
  return { root: kinOf.get(own) ?? own, weak: verbs.has(own) }
}

/** Words that mean about the same as this one, itself aside. Pure. */
export function kinWords(word: string): string[] {
  const own = stem(word.toLowerCase())
  return kin.flatMap((line) => {
    const words = line.split(' ')
    return words.some((one) => stem(one) === own) ? words.filter((one) => stem(one) !== own) : []
  })
}

/** Words that tell nothing about what is wanted, such as `the`. */
export const saysNothing = (word: string): boolean => empty.has(word)

/** Whether two words are the same but for one slip of the thumb: a letter too many, missing, wrong, or two swapped. Pure. */
export function isSlip(a: string, b: string): boolean {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a]
  if (long.length - short.length > 1 || short.length < 3 || long.length < 4 || short[0] !== long[0])
    return false
  let i = 0
  while (i < short.length && short[i] === long[i]) i++
  if (short.length < long.length) return short.slice(i) === long.slice(i + 1)
  const swapped = short[i] === long[i + 1] && short[i + 1] === long[i]
  return short.slice(i + 1) === long.slice(i + 1) || (swapped && short.slice(i + 2) === long.slice(i + 2))
}
