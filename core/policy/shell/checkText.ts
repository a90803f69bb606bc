import type { Fact } from '../facts.ts'
import { nearTwin, signTwin } from './lookAlikes.ts'

/** Letters of other scripts that look like Latin ones, and full-width forms. */
const lookalikes =
  /[\u0370-\u03ff\u0400-\u052f\u0531-\u058f\u13a0-\u13ff\uff01-\uff5e\u{1d400}-\u{1d7ff}\u2100-\u214f\u2010\u2011\u2212\u2215\u2044\u29f8\ua4d0-\ua4ff\u01c0\u02b9-\u02d0\u1d00-\u1d2b\u204e\u204f\u205a\u2217\u2223\u2236\u223c\u2758\ua789\ufe50-\ufe6b]/u
const invisible =
  /\u034f|\u17b4|\u17b5|[\ufe00-\ufe0f]|[\u180b-\u180e]|[\u00ad\u061c\u115f\u1160\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\uffff\u{e0000}-\u{e0fff}\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}]/u
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/
const oddSpace = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/
const phoneMarks =
  /[\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u2033\u2032\u00ab\u00bb\u2013\u2014\u2015\u2026]/
const loneSurrogate = /\p{Surrogate}/u

/** Looks at the characters of a command, before it is read as one. */
export function checkText(text: string): Fact[] {
  if (control.test(text) || invisible.test(text) || loneSurrogate.test(text))
    return [{ effect: 'shell.invisible-characters' }]
  if (oddSpace.test(text)) return [{ effect: 'shell.odd-characters' }]
  if (phoneMarks.test(text)) return [{ effect: 'shell.phone-characters' }]
  return lookalikeWords(text) ? [{ effect: 'shell.odd-characters' }] : []
}

/** Text in another script is fine as a word of its own; beside Latin letters or signs, or as a name, it is a mask. */
function lookalikeWords(text: string): boolean {
  if (!lookalikes.test(text)) return false
  const words = text.split(/[\s;&|()]+/)
  return (
    words.some((word) => lookalikes.test(word) && !/^(["']?)\p{L}{2,}\1$/u.test(word)) ||
    words.some((word) => lookalikes.test(word) && /[A-Za-z]/.test(word)) ||
    lookalikes.test(words.find((word) => word !== '') ?? '')
  )
}

/**
 * The command as it was probably meant: phone marks as plain ones, invisible characters gone, look-alikes as what
 * they look like. Only judged for what must be denied, never run and never allowed.
 */
export function plainForm(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/\\\r?\n/g, '')
    .replace(/[\u2018\u2019\u201a\u201b\u2032]/g, "'")
    .replace(/[\u201c\u201d\u201e\u2033\u00ab\u00bb]/g, '"')
    .replace(/\u2014|\u2015/g, '--')
    .replace(/[\u2010-\u2013\u2212]/g, '-')
    .replace(/[\u2215\u2044\u29f8]/g, '/')
    .replace(new RegExp(invisible.source, 'gu'), '')
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
    .replace(/[^\p{ASCII}]/gu, (letter) => nearTwin(letter) ?? signTwin(letter) ?? letter)
}
