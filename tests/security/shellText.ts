import fc from 'fast-check'

const danger = ['touch x', '$(touch x)', '`touch x`', ';touch x;', '\ntouch x\n']
const signs = [
  ...[
    '"',
    "'",
    '\\',
    '`',
    '$',
    '$(',
    ')',
    '))',
    '((',
    '$((',
    '${X:-',
    '${X#',
    '${X%%',
    '${X/',
    '}',
    '{',
    '{a,',
  ],
  ...[
    '(',
    ';',
    '&',
    '|',
    '\n',
    ' ',
    '#',
    ' #',
    '\\\n',
    '<<EOF',
    '<<-EOF',
    "<<'EOF'",
    '<<\\EOF',
    '\nEOF\n',
    '\nE\n',
  ],
  ...[
    'a',
    'ls',
    'echo',
    '$X',
    '~',
    '*',
    '[',
    ']',
    '!',
    '=',
    "$'",
    '$"',
    "\\'",
    '\\"',
    '\\x27',
    '\t',
    '<',
    '<(',
    '>(',
  ],
  ...[
    '2>&1',
    '$#',
    '$$',
    '${#',
    '${!',
    '1',
    'case x in',
    'esac',
    'x)',
    ';;',
    'if',
    'then',
    'fi',
    'do',
    'done',
    '[[',
    '#)',
  ],
]

/** Boxes that keep what is in them from being run, as long as it does not get out. */
const boxes: readonly ((inside: string, also: string) => string)[] = [
  ...['"', "'", ''].map((mark) => (p: string) => `echo ${mark}${p}${mark}`),
  (p) => `echo $'${p}'`,
  (p) => `cat <<'EOF'\n${p}\nEOF\n`,
  (p) => `cat <<EOF\n${p}\nEOF\n`,
  (p) => `cat <<-\\EOF\n\t${p}\n\tEOF\n`,
  (p, q) => `cat <<'A'; echo "${q}"\n${p}\nA\n`,
  (p, q) => `ls # ${p}\n${q}`,
  (p) => `echo \${X:-${p}}`,
  (p) => `echo "\${X#${p}}"`,
  (p, q) => `case ${p} in ${q}) ls;; esac`,
  (p) => `echo $((${p}))`,
  (p) => `echo "$(echo "${p}")"`,
  (p) => `echo \`echo ${p}\``,
  (p) => `sh -c 'echo ${p}'`,
  (p) => `echo "$(cat <<'EOF'\n${p}\nEOF\n)"`,
  (p) => `f() { echo ${p}; }; f`,
  (p) => `for i in ${p}; do echo "$i"; done`,
  (p) => `X="${p}"; echo "$X"`,
  (p) => `set -- "${p}"; echo $1`,
  (p) => `echo {a,${p}}`,
  (p) => `echo '${p}' # ${p}`,
  (p) => `[ "${p}" = x ]`,
]

const scraps = (max: number): fc.Arbitrary<string> =>
  fc
    .array(
      fc.oneof(
        { weight: 1, arbitrary: fc.constantFrom(...danger) },
        { weight: 6, arbitrary: fc.constantFrom(...signs) },
      ),
      {
        minLength: 1,
        maxLength: max,
      },
    )
    .map((list) => list.join(''))

const boxed: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom(...boxes), scraps(6), scraps(4))
  .map(([box, p, q]) => box(p, q))

/** Shell text that would run `touch x` wherever a reader and a real shell do not agree where quoting ends. */
export const trickyText: fc.Arbitrary<string> = fc.oneof(
  { weight: 1, arbitrary: scraps(10) },
  { weight: 6, arbitrary: boxed },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom(...boxes), boxed, scraps(2)).map(([box, p, q]) => box(p, q)),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(boxed, fc.constantFrom('\n', ';', ' '), boxed).map((parts) => parts.join('')),
  },
)
