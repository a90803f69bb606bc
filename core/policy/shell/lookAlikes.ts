/*
 * Letters and signs that are drawn like ASCII ones. A rule of our own: the tables of Unicode's confusables that npm has
 * are unmaintained single versions that also pair ASCII with ASCII (l, 1). What Unicode itself folds to ASCII (full width,
 * mathematical letters, Roman numerals) is not listed: NFKC says it.
 */

/** Letters drawn the same in most fonts. */
const exact: readonly (readonly [string, string])[] = [
  // Cyrillic
  ['асԁеһіјӏорԛѕѵԝхуү', 'acdehijlopqsvwxyy'],
  ['АВСЕНІЈКМОРЅТҮХУԜԚѴӀԌ', 'ABCEHIJKMOPSTYXYWQVIG'],
  // Greek
  ['αγικνορυχϲϳ', 'ayikvopuxcj'],
  ['ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹ', 'ABEZHIKMNOPTYXC'],
  // Armenian
  ['օհոսցզՕՍԼՏ', 'ohnugqOULS'],
  // Cherokee
  ['ᎪᎬᎩᎷᎻᎳᎠᎡᎢᎫᏚᏀᏞᏟᏢᏦᏴᏃᏙ', 'AEYMHWDRTJSGLCPKBZV'],
  // Lisu
  ['ꓐꓑꓒꓓꓔꓖꓗꓙꓚꓜꓝꓞꓟꓠꓡꓢꓣꓥꓦꓧꓪꓫꓬꓮꓰꓲꓳꓴ', 'BPdDTGKJCZFFMNLSRAVHWXYAEIOU'],
  // Latin letters of other uses
  ['ıɑɡɩȷʟɪʏᴄᴏᴠᴡᴢꞮƅƨƽ', 'iagijlIYcovwzIbs5'],
]

/** Letters that are only near: enough for a mask within a word, and for a guess at what was meant. */
const near: readonly (readonly [string, string])[] = [
  ['мгтикнвпѐёӓӧԍ', 'mrtuknbneeaoG'],
  ['τκεηωσ', 'tkenwo'],
]

/** Signs drawn like those that a shell or a path reads. */
const signs: readonly (readonly [string, string])[] = [
  ['\u2010\u2011\u2012\u2212\ufe58\u02d7', '------'],
  ['\u2044\u2215\u29f8\u2571\u27cb\u3033', '//////'],
  ['\u2216\u29f5\u29f9', '\\\\\\'],
  ['\u2236\ua789\u02d0', ':::'],
  ['\u2217\u204e', '**'],
  ['\u204f', ';'],
  ['\u201a', ','],
  ['\u2223\u01c0\u23d0\u2758', '||||'],
  ['\u02cb\u1fef', '``'],
  ['\u02b9\u02bc\u02c8\u2032', "''''"],
  ['\u223c\u02dc', '~~'],
  ['\u2039\u02c2\u1438', '<<<'],
  ['\u203a\u02c3\u1433', '>>>'],
  ['\ua4f8', '.'],
]

const table = (rows: readonly (readonly [string, string])[]): ReadonlyMap<string, string> =>
  new Map(rows.flatMap(([from, to]) => [...from].map((letter, i) => [letter, [...to][i] ?? letter] as const)))

const exactTwins = table(exact)
const nearTwins = table(near)
const signTwins = table(signs)

/** Signs and forms that Unicode folds to ASCII and that plain text uses all the time. */
const everyday = new Set([...'ªº¹²³™№…¼½¾'])

/** What Unicode folds to printable ASCII: full width, mathematical letters, Roman numerals, circled letters. */
function folded(letter: string): string | null {
  if (everyday.has(letter)) return null
  const plain = letter.normalize('NFKC')
  return plain !== letter && /^[\x21-\x7e]+$/.test(plain) ? plain : null
}

/** The ASCII letter that this one is drawn like; null where it is like none. */
export const letterTwin = (letter: string): string | null => exactTwins.get(letter) ?? null

/** The same, where it need only be near. */
export const nearTwin = (letter: string): string | null =>
  exactTwins.get(letter) ?? nearTwins.get(letter) ?? null

/** The ASCII sign or letter that this character stands in for wherever it is; null where there is none. */
export const signTwin = (letter: string): string | null => signTwins.get(letter) ?? folded(letter)
