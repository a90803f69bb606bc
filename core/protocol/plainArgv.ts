/** Words that mean something to a shell when they come first: what a shell does itself is left to it. */
const shellWords = new Set(
  '. : [ alias bg bind break builtin caller case cd chdir command compgen complete compopt continue coproc declare dirs disown do done echo elif else enable esac eval exec exit export false fc fg fi for function getopts hash help history if in jobs kill let local logout mapfile popd printf pushd pwd read readarray readonly return select set shift shopt source suspend test then time times trap true type typeset ulimit umask unalias unset until wait while'.split(
    ' ',
  ),
)

const firstWord = /^[A-Za-z0-9_./+][\w./+-]*$/
/** Pieces of a word that every shell reads alike: plain signs, quoted text without expansions, a quoted sign. */
const piece = /([\w./:=@%+,-]+)|'([^'\n]*)'|"([^"$`\\\n]*)"|\\([ ;(){}!*?[\]#&|<>$"'\\~])/y

/**
 * The program and arguments of a command of literal words alone, as every shell reads them; null for any other, which
 * takes a shell. Pure. Policy, spec and agent use this one function: what is judged is what is started.
 */
export function plainArgv(command: string): [string, ...string[]] | null {
  const words: string[] = []
  let at = skipBlanks(command, 0)
  while (at < command.length) {
    const word = readWord(command, at)
    if (word === null || words.length > 4096) return null
    words.push(word.text)
    at = skipBlanks(command, word.end)
  }
  const [name, ...args] = words
  // A name with quotes in it is legal, and a way to hide: it takes a shell.
  const plain = name !== undefined && firstWord.test(name) && command.trim().split(/[ \t]/)[0] === name
  return plain && !shellWords.has(name) ? [name, ...args] : null
}

function skipBlanks(text: string, from: number): number {
  let at = from
  while (text[at] === ' ' || text[at] === '\t') at++
  return at
}

/** `{}` and `!` are words of their own, as `find` takes them; else they are left to a shell. */
function readWord(text: string, from: number): { text: string; end: number } | null {
  const alone = /(\{\}|!)(?=[ \t]|$)/y
  alone.lastIndex = from
  const sign = alone.exec(text)?.[1]
  if (sign !== undefined) return { text: sign, end: from + sign.length }
  let word = ''
  let at = from
  while (at < text.length && text[at] !== ' ' && text[at] !== '\t') {
    piece.lastIndex = at
    const found = piece.exec(text)
    if (!found) return null
    word += found[1] ?? found[2] ?? found[3] ?? found[4] ?? ''
    at += found[0].length
  }
  return { text: word, end: at }
}

/** True when `argv` is exactly what the command says, or is left out. */
export function argvFits(command: string, argv: readonly string[] | undefined): boolean {
  if (argv === undefined) return true
  const said = plainArgv(command)
  return said !== null && said.length === argv.length && said.every((word, i) => word === argv[i])
}
