import { plainForm } from '../policy/shell/checkText.ts'
import { codePoint, invisibleIn, isForeign, maskedWords } from './hiddenCharacters.ts'

/** Something in a text that whoever reviews it should look at. `line`: from 1. */
export type Remark = { line: number; what: string; excerpt: string }

/**
 * What is pointed out, with what it looks like. It proves nothing: honest texts have some of it, and orders can be put in
 * words that are not here. Policy and approval hold either way.
 */
const suspicions: readonly (readonly [what: string, RegExp])[] = [
  [
    'tells its reader to pass over other instructions',
    /\b(?:ignore|disregard|forget|override|supersedes?)\b.{0,60}\b(?:instructions?|rules?|prompts?|polic(?:y|ies)|guidelines|above|previous|prior|earlier)\b/i,
  ],
  [
    'wants something kept from people',
    /\b(?:do not|don['’]?t|never|without|avoid)\b.{0,30}\b(?:tell(?:ing)?|mention(?:ing)?|inform(?:ing)?|reveal(?:ing)?|notify(?:ing)?|report(?:ing)?|warn(?:ing)?|ask(?:ing)?)\b|\b(?:silently|secretly|quietly|unnoticed)\b/i,
  ],
  [
    'speaks of going round approval or policy',
    /\b(?:skip|bypass|avoid|disable|circumvent|turn off|no need for|auto[- ]?)\b.{0,40}\b(?:approv\w*|confirm\w*|polic(?:y|ies)|permissions?|reviews?|sandbox|checks?)\b|\bwithout\b.{0,30}\b(?:approval|confirmation|permission|review)\b/i,
  ],
  [
    'says that something is allowed already',
    /\b(?:already|pre-?)\s?(?:approved|authori[sz]ed|allowed)\b|\b(?:user|owner|admin\w*|operator)\s+(?:has\s+|have\s+)?(?:already\s+)?(?:approved|agreed|authori[sz]ed|allowed|consented)\b/i,
  ],
  [
    'poses as the system',
    /^\W{0,4}(?:system|assistant|developer)\s*(?::|prompt\b|message\b)|<\/?\s*(?:system|data|instructions?|request|place)\b|<\|\w|\[\/?INST\]|"role"\s*:/i,
  ],
  [
    'runs what it loads or unpacks',
    /\b(?:curl|wget|iwr|irm|invoke-webrequest)\b.{0,300}(?:\|\s*(?:sudo\s+)?(?:env\s+)?(?:\w*sh|python\d?|node|perl|ruby|iex)\b|\$\(|`)|(?:\w*sh|source|eval|\.)\s+(?:-c\s+)?["']?(?:<\(|\$\(|`)\s*(?:curl|wget)|\bbase64\s+(?:-d|-D|--decode)|\bxxd\s+-r/i,
  ],
  [
    'reaches for keys or passwords',
    /[~\w}]\/\.(?:ssh|aws|gnupg|kube|docker|azure|config\/(?:gh|gcloud))\b|\bid_(?:rsa|ed25519|ecdsa)\b|(?:^|[\s'"`/(])\.(?:env|netrc|pgpass|npmrc|pypirc)\b|\/etc\/(?:passwd|shadow|sudoers)|\b(?:printenv|keychain|credential helper)\b/i,
  ],
  [
    'sends something away',
    /\bcurl\b.{0,300}\s(?:-[a-z]*[dFT]\b|--(?:data|form|upload-file|json))|\bwget\b.{0,300}--(?:post|body)|\b(?:nc|ncat|netcat|socat)\b\s+\S|\bgit\s+push\s+(?:-\S+\s+)*(?:https?:|git@|ssh:)/i,
  ],
  [
    'deletes or overwrites for good',
    /\brm\s+(?:-\w+\s+)*-\w*[rRf]|\bmkfs|\bdd\s+if=|\bshred\b|push\s+(?:\S+\s+)*(?:--force\b|-f\b)|reset\s+--hard|\bclean\s+-\w*f|\bdrop\s+(?:table|database)\b/i,
  ],
  ['wants more rights', /\bsudo\b|\bsu\s+-|\bchmod\s+(?:-\w+\s+)*(?:777|[ug]?\+s)|\bsetcap\b/i],
  [
    'changes what starts by itself',
    /\bcrontab\b|\bsystemctl\s+enable|\/etc\/cron|\.(?:bashrc|zshrc|profile|bash_profile)\b|\bauthorized_keys\b|core\.hooksPath|\.git\/hooks/i,
  ],
  ['is not shown where Markdown is rendered', /<!--|^\[[^\]]*\]:\s*#|\bdisplay\s*:\s*none|<details\b/i],
  [
    'is encoded: what it says cannot be read',
    /[A-Za-z0-9+/=_-]{160,}|(?:\\x[0-9a-f]{2}){12,}|(?:%[0-9a-f]{2}){20,}/i,
  ],
  [
    'speaks of files beside it, which are never fetched, given to a machine or run',
    /(?:^|[\s(`'"/])(?:scripts|references|assets|templates)\/[\w.-]+/,
  ],
]

/** Longer lines hide things at their end. */
const LONG_LINE = 1000
/** A line is looked through in windows of this size, which overlap. */
const WINDOW = 2000
const OVERLAP = 400
const MOST = 40

function* windowsOf(line: string): Generator<string> {
  for (let at = 0; at === 0 || at < line.length - OVERLAP; at += WINDOW - OVERLAP)
    yield line.slice(at, at + WINDOW)
}

/** Some text around the place, in which nothing is hidden any more. */
function excerptOf(text: string, at: number): string {
  const start = Math.max(0, at - 20)
  return text
    .slice(start, start + 120)
    .replace(/\p{Default_Ignorable_Code_Point}/gu, (c) => `⟨${codePoint(c)}⟩`)
    .trim()
}

function suspicious(line: string, number: number): Remark[] {
  const found = new Map<string, Remark>()
  for (const window of windowsOf(line))
    for (const text of new Set([window, plainForm(window)]))
      for (const [what, pattern] of suspicions) {
        const hit = found.has(what) ? null : pattern.exec(text)
        if (hit) found.set(what, { line: number, what, excerpt: excerptOf(text, hit.index) })
      }
  return [...found.values()]
}

function characters(line: string, number: number, foreign: boolean): Remark[] {
  const invisible = invisibleIn(line)
  const masked = maskedWords(line, foreign)
  const excerpt = excerptOf(line, 0)
  return [
    ...(invisible.length > 0
      ? [
          {
            line: number,
            what: `has characters that show nothing (${invisible.slice(0, 5).join(', ')})`,
            excerpt,
          },
        ]
      : []),
    ...(masked.length > 0
      ? [
          {
            line: number,
            what: 'has letters that look like others',
            excerpt: masked.slice(0, 3).map(spelt).join(', '),
          },
        ]
      : []),
    ...(line.length > LONG_LINE
      ? [{ line: number, what: `is ${line.length} characters long: read it to its end`, excerpt }]
      : []),
  ]
}

/** `pаypal (а is U+0430)` */
function spelt(word: string): string {
  const odd = [...new Set([...word].filter((c) => /[^\u0000-\u024f]/u.test(c)))]
  return `${word.slice(0, 40)} (${odd
    .slice(0, 4)
    .map((c) => `${c} is ${codePoint(c)}`)
    .join(', ')})`
}

/**
 * What in a text asks to be looked at before it is taken into use: orders to its reader, hidden and disguised characters,
 * what reaches for secrets. Characters first. At most forty, in time linear to its length. Pure.
 */
export function lookOver(text: string): Remark[] {
  const lines = text.split('\n')
  const foreign = isForeign(text)
  return [
    ...lines.flatMap((line, i) => characters(line, i + 1, foreign)),
    ...lines.flatMap((line, i) => suspicious(line, i + 1)),
  ].slice(0, MOST)
}
