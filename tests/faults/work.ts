import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/*
 * The work under test. A line `key execution-id start|end|overlap` goes to one file, opened for appending, so that
 * what ran is counted from outside, and the order of lines is the order of what happened. The execution id stands
 * for the attempt and its claim token: an attempt has exactly one. The kernel's locks, which end with the processes
 * that hold them, tell whether two of them own the same file at once.
 *
 * It comes under two names: `effect`, which the policy does not know and asks about (it writes), and `basename`,
 * which the policy takes for the program that only looks, so that it may be repeated.
 */

export type Work = {
  key: string
  effect: 'read' | 'write'
  /** How long it takes. From `PACED_S` on it prints a line every half second, and does not end when it is asked to. */
  seconds: number
  /** Lines it prints, `key number` each. */
  lines: number
  /** The directory it owns; with `file` a file in it. */
  dir: string
  file: string
  code: number
}

/** The exit code of a work that fails at its first start only, by a network that was away. */
export const ONCE_CODE = 7

/** Work that takes longer shows that it goes on. */
export const PACED_S = 1
/** Work that takes longer goes on while its agent is unheard of for long. */
export const LONG_S = 10

export const commandOf = ({ key, effect, seconds, lines, dir, file, code }: Work): string =>
  `${effect === 'read' ? 'basename' : 'effect'} ${[key, seconds, lines, dir, file, code, seconds >= PACED_S ? 'paced' : ''].join('-')}`

/** The key in a command of `commandOf`; null for any other command. */
export const keyOf = (command: string): string | null =>
  /^(?:basename|effect) (\w+)-/.exec(command)?.[1] ?? null

/** What a work prints. */
export const printed = ({ key, lines }: Pick<Work, 'key' | 'lines'>): string =>
  Array.from({ length: lines }, (_, i) => `${key} ${i + 1}\n`).join('')

const scriptIn = (dir: string): string => `#!/bin/sh
IFS=-
set -- $1
IFS=' '
say() { printf '%s\\n' "$key $SKYNET_EXECUTION_ID $1" >> '${dir}/lines'; }
key=$1
say start
if [ "$5" ]; then
  exec 9>>"${dir}/locks/$4" 8>>"${dir}/locks/$4.$5"
  flock -sn 9 && flock -xn 8 || say overlap
elif [ "$4" ]; then
  exec 9>>"${dir}/locks/$4"
  flock -xn 9 || say overlap
fi
if [ "$7" ]; then
  trap '' TERM
  i=0
  while [ $i -lt $3 ]; do
    i=$((i + 1))
    printf '%s\\n' "$key $i"
    sleep 0.5
  done
else
  seq -f "$key %.0f" 1 $3
  sleep $2
fi
say end
if [ "$6" = ${ONCE_CODE} ]; then
  [ -e "${dir}/locks/$key.tried" ] && exit 0
  : > "${dir}/locks/$key.tried"
  echo 'connect ECONNRESET' >&2
fi
exit $6
`

export class Effects {
  readonly bin: string
  readonly #file: string

  /** Puts the programs into `dir`/bin. */
  constructor(dir: string) {
    this.bin = join(dir, 'bin')
    this.#file = join(dir, 'lines')
    mkdirSync(join(dir, 'locks'), { recursive: true })
    mkdirSync(this.bin)
    writeFileSync(this.#file, '')
    for (const name of ['effect', 'basename'])
      writeFileSync(join(this.bin, name), scriptIn(dir), { mode: 0o755 })
  }

  /** What happened so far, in order. */
  read(): { key: string; execution: string; what: string }[] {
    return readFileSync(this.#file, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => {
        const [key = '', execution = '', what = ''] = line.split(' ')
        return { key, execution, what }
      })
  }
}
