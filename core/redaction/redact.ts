import { buildAutomaton } from './automaton.ts'
import { watches } from './formats.ts'
import { knownForms, lookForKnown } from './knownValues.ts'
import { keyEnds } from './privateKey.ts'
import { lookByRule, ruleWords } from './ruleSet.ts'
import { joined, PRIVATE_KEY, RANK, replaced, type Span } from './spans.ts'
import type { Form } from './turnedForms.ts'

/** What is done about a word that was found; `job` tells words of one kind from others. */
type Job = { kind: 'watch'; index: number } | { kind: 'rule'; name: string } | { kind: 'known'; form: Form }

type Finder = (text: string) => Span[]

function jobsOf(known: readonly Form[]): { word: string; job: Job }[] {
  return [
    ...watches.flatMap(({ words }, index) =>
      words.map((word) => ({ word, job: { kind: 'watch' as const, index } })),
    ),
    ...Object.entries(ruleWords).flatMap(([name, { words }]) =>
      words.map((word) => ({ word, job: { kind: 'rule' as const, name } })),
    ),
    ...known.flatMap((form) =>
      [...new Set(form.anchors)].map((word) => ({ word, job: { kind: 'known' as const, form } })),
    ),
  ]
}

/**
 * One pass over the text finds the words that secrets have in or before them; only there is looked any closer. Each
 * closer look is bounded, so that the time it all takes grows with the text and no faster.
 */
function finderOf(known: readonly Form[]): Finder {
  const table = jobsOf(known)
  const automaton = buildAutomaton(table.map(({ word }) => word))
  return (text) => {
    const spans: Span[] = []
    const seen = new Map<object, number>()
    automaton.scan(text, (index, end) => {
      const { word, job } = table[index] as (typeof table)[number]
      const start = end - word.length
      if (job.kind === 'watch') {
        const span = watches[job.index]?.look(text, start, end)
        if (span) spans.push(span)
      } else if (job.kind === 'rule') {
        const rule = ruleWords[job.name] as object
        if ((seen.get(rule) ?? -1) >= end) return
        const found = lookByRule(job.name, text, start, end)
        seen.set(rule, found.seen)
        spans.push(...found.spans)
      } else spans.push(...lookForKnown(job.form, text, start, end))
    })
    return spans.length > 1 ? joined(spans) : spans
  }
}

/** Takes secrets out of what comes in pieces. */
export type StreamRedactor = {
  /** Gives back what can be said already: whole lines, or most of a line that has become very long. */
  push(chunk: string): string
  /** Gives back the rest. */
  end(): string
  /** What is held back, as it came and not redacted, for who goes on with it elsewhere. Nothing is held after it. */
  release(): string
}

export type Redactor = {
  /** A text that stands for itself. Idempotent. */
  redact(text: string): string
  /** Texts that follow each other: what is split over them is found, and each keeps its place. */
  pieces(texts: readonly string[]): string[]
  /** Blocks of whole lines, one after the other: remembers a key that goes on, and a secret folded over two of them. */
  lines(): (block: string) => string
  /** Text cut anywhere. Holds back an unfinished line, at most `LONG_LINE` characters of it. */
  stream(): StreamRedactor
}

/** A line without end is let go, but for what a secret could begin in, when it is longer than this. */
const LONG_LINE = 64 * 1024
const HOLD_BACK = 4096
/**
 * Characters that are remembered of the lines before, by which a known secret that was folded into lines is found: as
 * many as one may have where the last line looked like the beginning of one, else a few.
 */
const CONTEXT = { open: 1024, plain: 48 }

const finders = new Map<string, Finder>()

/** The finder for a list of secrets; the few lists there are in a process are made ready once each. */
function finderFor(known: readonly string[]): Finder {
  const key = JSON.stringify(known)
  const ready = finders.get(key)
  if (ready) return ready
  const finder = finderOf(knownForms(known))
  if (finders.size > 20) finders.clear()
  finders.set(key, finder)
  return finder
}

/**
 * Takes out of texts what must not leave: known formats of tokens and keys, values behind names that speak of secrets,
 * and the `known` secrets in any encoding. Each becomes `[redacted: kind]`.
 */
export function createRedactor({ known }: { known: readonly string[] }): Redactor {
  let find: Finder = (text) => {
    find = finderFor(known)
    return find(text)
  }
  const spansOf: Finder = (text) => find(text)
  const redact = (text: string): string => {
    const spans = spansOf(text)
    return spans.length === 0 ? text : replaced(text, spans)
  }
  return {
    redact,
    pieces: (texts) => (texts.length === 1 ? [redact(texts[0] as string)] : redactPieces(spansOf, texts)),
    lines: () => linesOf(spansOf),
    stream: () => streamOf(spansOf),
  }
}

function redactPieces(find: Finder, texts: readonly string[]): string[] {
  const spans = find(texts.join(''))
  let from = 0
  return texts.map((text) => {
    const to = from + text.length
    const own = spans
      .filter((span) => span.start < to && span.end > from)
      .map((span) => ({
        ...span,
        kind: span.start < from ? '' : span.kind,
        start: Math.max(span.start, from) - from,
        end: Math.min(span.end, to) - from,
      }))
    from = to
    return replaced(text, own)
  })
}

/** Whether the last private key of a text goes on behind its end. */
const keyIsOpen = (text: string, spans: readonly Span[]): boolean => {
  const last = spans.at(-1)
  return (
    last?.kind === PRIVATE_KEY &&
    last.end === text.length &&
    !/-----END[^\n]*$/.test(text.slice(-80).trimEnd())
  )
}

function linesOf(find: Finder): (block: string) => string {
  let before = ''
  let inKey = false
  return (block) => {
    const text = before + block
    const spans = find(text)
    if (inKey) {
      const { end, open } = keyEnds(block, 0, true)
      inKey = open
      spans.push({ start: before.length, end: before.length + end, kind: '', rank: RANK.known })
    }
    inKey ||= keyIsOpen(text, spans)
    const own = joined(spans).filter((span) => span.end > before.length)
    const out = replaced(text, own, before.length)
    const isOpen = own.some((span) => span.end >= text.trimEnd().length)
    before = text.slice(-(isOpen ? CONTEXT.open : CONTEXT.plain))
    return own.length === 0 ? block : out
  }
}

function streamOf(find: Finder): StreamRedactor {
  const lines = linesOf(find)
  let rest = ''
  const take = (upTo: number): string => {
    const block = rest.slice(0, upTo)
    rest = rest.slice(upTo)
    return lines(block)
  }
  /** A place in a long line that no secret covers, if there is one before what is held back. */
  const safeCut = (): number => {
    const cut = rest.length - HOLD_BACK
    const start = find(rest).find((span) => span.start < cut && span.end >= cut)?.start ?? cut
    return start > HOLD_BACK ? start : cut
  }
  return {
    push(chunk) {
      rest += chunk
      const end = rest.lastIndexOf('\n') + 1
      if (end > 0) return take(end)
      return rest.length > LONG_LINE ? take(safeCut()) : ''
    },
    end: () => take(rest.length),
    release: () => {
      const held = rest
      rest = ''
      return held
    },
  }
}

/** `createRedactor` for who needs the one function only. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  return createRedactor({ known: secrets }).redact
}
