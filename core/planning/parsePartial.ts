/** How much of a broken end is given up, piece by piece, before nothing is made of a text. */
const MAX_CUTS = 6

type Cut = { at: number; open: string }

/**
 * What a JSON text that is still being written says so far: strings and brackets that are open are closed, and what
 * cannot be kept at its end is left out. Undefined when it says nothing yet. Pure.
 */
export function parsePartial(text: string): unknown {
  const from = text.indexOf('{')
  if (from < 0) return undefined
  const json = text.slice(from)
  const { open, inString, cuts } = scan(json)
  const whole = inString ? `${json.replace(/\\(?:u[0-9a-fA-F]{0,3})?$/, '')}"` : json
  const tries = [
    whole + open,
    ...cuts
      .slice(-MAX_CUTS)
      .toReversed()
      .map((cut) => json.slice(0, cut.at) + cut.open),
  ]
  for (const one of tries) {
    try {
      return JSON.parse(one)
    } catch {
      // The next one gives up a little more of the end.
    }
  }
  return undefined
}

/** What closes the brackets that are open at the end, and places where the text could be cut: before each comma, after each bracket. */
function scan(json: string): { open: string; inString: boolean; cuts: Cut[] } {
  let open = ''
  let inString = false
  const cuts: Cut[] = []
  for (let i = 0; i < json.length; i++) {
    const char = json[i]
    if (inString) {
      if (char === '\\') i++
      else if (char === '"') inString = false
    } else if (char === '"') inString = true
    else if (char === ',') cuts.push({ at: i, open })
    else if (char === '{' || char === '[') {
      open = (char === '{' ? '}' : ']') + open
      cuts.push({ at: i + 1, open })
    } else if (char === '}' || char === ']') {
      open = open.slice(1)
      if (open === '') return { open, inString, cuts: [{ at: i + 1, open }] }
    }
  }
  return { open, inString, cuts }
}
