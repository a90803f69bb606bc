/** The words to the bot that are worth recognising with a slip of the thumb. */
const known =
  'stop cancel abort pause resume continue proceed retry again approve deny reject status progress doing failed running finished changed everything'.split(
    ' ',
  )
/** Real words that are a slip away from one of those and mean something else. */
const real = new Set(
  'stoop stomp top shop step spot stopper canal camel cancer chancel about abbot parse paste phase passe pauses cause resumes resumed entry retro retrial stats state statuses process progresses agains against gain fail fails failing faded going dying doings ruining runing-in change changes charged cabled aboard abort-on denny dent dense project'.split(
    ' ',
  ),
)

/** One slip: two letters swapped, one missing, one too many, and in longer words one wrong. Never of the first letter. */
function isSlip(written: string, meant: string): boolean {
  if (written[0] !== meant[0] || Math.abs(written.length - meant.length) > 1) return false
  let at = 0
  while (written[at] === meant[at] && at < meant.length) at += 1
  const [w, m] = [written.slice(at), meant.slice(at)]
  if (w.length === m.length)
    return (
      (w.slice(2) === m.slice(2) && w[0] === m[1] && w[1] === m[0]) ||
      (meant.length >= 6 && w.slice(1) === m.slice(1))
    )
  return w.length > m.length ? w.slice(1) === m : w === m.slice(1)
}

/** A text with its slips mended; null when there is nothing to mend. Pure. */
export function mended(words: string): string | null {
  const mend = (word: string): string =>
    word.length < 3 || known.includes(word) || real.has(word)
      ? word
      : (known.find((one) => isSlip(word, one)) ?? word)
  const text = words.split(' ').map(mend).join(' ')
  return text === words ? null : text
}
