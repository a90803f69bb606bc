/** What stands for a value without being one. */
const placeholder =
  /^(?:[$%<{*#]|\[redacted|\\?\$\{|process\.env|os\.environ|import\.meta|x{4,}|\.{3}|…|your[-_ ]|my[-_ ]?(?:secret|token|key|password)|example|changeme|placeholder|secrets?\.|vault:|env:|file:|ref:|arn:)/i
const plainWord =
  /^(?:true|false|null|nil|none|undefined|string|str|bytes?|number|boolean|object|required|optional|missing|invalid|expired|empty|unset|default|hidden|masked|redacted|password|secret|token|bearer|basic|unknown|provided|not)$/i
/** Code that gets the value from elsewhere: `config.password`, `getToken()`, `tokens[0]`. */
const expression =
  /^(?:await\s|new\s|!?[A-Za-z_$][\w$]*(?:(?:\?\.|\.|::|->)[A-Za-z_$][\w$]*)+$|!?[A-Za-z_$][\w$.]*[([])/
/** Names in words: `default-token`, `my_service.account`, with at most short numbers in them. */
const wordy = /^[A-Za-z]+(?:[-_.:/ ][A-Za-z]{2,}|[-_.:/ ]?\d{1,3}(?![\dA-Za-z]))*$/
const pathLike = /^(?:~?\.{0,2}\/[\w.@-]+(?:\/[\w.@-]*)*$|[A-Za-z]:\\|[a-z][a-z0-9+.-]*:\/\/)/

/** Bits a character, by how often each occurs in the text itself. Pure. */
export function entropyOf(text: string): number {
  const counts = new Map<string, number>()
  for (const c of text) counts.set(c, (counts.get(c) ?? 0) + 1)
  let bits = 0
  for (const n of counts.values()) bits -= (n / text.length) * Math.log2(n / text.length)
  return bits
}

/** Whether letters and digits are mixed as no person would. Pure. */
export function looksRandom(value: string, least: number): boolean {
  if (value.length < least || !/\d/.test(value) || !/[A-Za-z]/.test(value) || /\s/.test(value)) return false
  if (wordy.test(value) || pathLike.test(value)) return false
  return entropyOf(value.slice(0, 256)) >= Math.min(3.2, Math.log2(value.length) * 0.7)
}

/** How a value was set: within quotes, or right behind the sign. */
type Manner = 'quoted' | 'tight' | 'loose'

/**
 * Whether the value of a name that speaks of secrets is one. `strong`: the name says so without doubt (`password`);
 * then a value set plainly counts, random or not. Pure.
 */
export function looksSecret(value: string, strong: boolean, manner: Manner): boolean {
  if (value.length < 6 || placeholder.test(value) || plainWord.test(value) || expression.test(value))
    return false
  if (!strong) return looksRandom(value, /[a-z]/.test(value) && /[A-Z]/.test(value) ? 8 : 10)
  if (pathLike.test(value)) return false
  if (manner === 'loose') return /\d/.test(value) && /[A-Za-z]/.test(value)
  return !/^\d{1,5}$/.test(value)
}
