import { detours } from './commands.ts'

/** Programs that show what is in a file, and flags of theirs that take no value. */
const readers: Readonly<Record<string, string>> = {
  cat: '-n -A -s -v -- --number',
  tac: '-b -r',
  head: '-q -v -5',
  tail: '-f -F -q -20',
  nl: '-p',
  less: '-N -R -S',
  more: '-p -d',
  bat: '-p -A',
  wc: '-l -c',
  cut: '-s -c1-99',
  paste: '-s',
  fold: '-s',
  od: '-c -x',
  hexdump: '-C -v',
  xxd: '-p',
  strings: '-a',
  base64: '-d',
  rev: '',
  sort: '-u -n',
  uniq: '-c',
  comm: '-1 /dev/null',
  cmp: '-l /dev/null',
  diff: '-u /dev/null',
  md5sum: '-c -b',
  sha256sum: '-c',
  grep: "-n -v -i ''",
  rg: "-n -i ''",
  ag: "-r -i ''",
  sed: '-n -E p',
  awk: '1',
  jq: '-r -R .',
  column: '-t',
  pr: '-t',
  look: "-f ''",
}

const files = ['.env', 'certs/server.pem', '~/.ssh/id_rsa', '/etc/shadow'] as const

/** `cat -n .env` and its like: each program with each of its flags, with none, and with all. */
const reads = Object.entries(readers).flatMap(([program, flags]) => {
  const all = flags.split(' ').filter(Boolean)
  const needed = all.filter((flag) => !flag.startsWith('-'))
  const optional = all.filter((flag) => flag.startsWith('-'))
  const sets = [[], ...optional.map((flag) => [flag]), optional.filter((flag) => flag !== '--')]
  return files.flatMap((file) => sets.map((set) => [program, ...set, ...needed, file].join(' ')))
})

/** What must never be allowed by itself: secrets that would come out, code that would run, files that would change. */
export const dangerous: readonly string[] = [...new Set([...reads, ...detours])]
/** Those of one simple command, with the file as its last word. */
export const simpleReads: readonly string[] = [...new Set(reads)]
