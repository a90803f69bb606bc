/** A program that starts another one, given in its operands. */
export type Wrapper = {
  /** Options without a value: `-abc` for letters, `-#` for numbers. Any other asks. */
  plain?: string
  /** Options that take a value. */
  takes?: string
  /** Options whose value, if any, stands in the same word. */
  maybe?: string
  /** Operands before the command starts. */
  skip?: number
  /** The operand before the command is a file it makes. */
  creates?: boolean
  /** An effect of its own. */
  effect?: string
  /** NAME=value words may stand before the command. */
  assigns?: boolean
  /** Options with which it starts a shell, or that give a command as text. */
  shellText?: string
  /** Its operands are joined and handed to a shell. */
  joins?: boolean
  /** What it does without a command. */
  bare?: string
  network?: boolean
  /** Options whose value is a file it writes. */
  writes?: string
  /** Options whose value is the directory the command starts in. */
  enters?: string
}

const wrapperTable: Readonly<Record<string, Wrapper>> = {
  sudo: {
    plain: '-AbBeEHiKklnNPSsVv',
    takes: '-u -g -h -p -C -r -t -T -U -D -R --user --group --host --prompt --chdir --chroot',
    assigns: true,
    effect: 'privilege.raise',
    bare: 'privilege.raise',
    enters: '-D --chdir -R --chroot',
  },
  'doas pkexec run0 sudo-rs': { takes: '-u -C --user', effect: 'privilege.raise', bare: 'privilege.raise' },
  'gosu su-exec': { skip: 1, effect: 'privilege.raise', bare: 'privilege.raise' },
  runuser: {
    takes: '-u -g -G -s',
    shellText: '-c --command',
    effect: 'privilege.raise',
    bare: 'privilege.raise',
  },
  su: {
    takes: '-s -g -G --shell --group',
    shellText: '-c --command',
    effect: 'privilege.raise',
    bare: 'privilege.raise',
    skip: 9,
  },
  env: {
    plain: '-i0v --ignore-environment --null --debug',
    // A name of its own (`-a`, `--argv0`) makes another program of one that is many, such as busybox.
    takes: '-u -C --unset --chdir',
    assigns: true,
    bare: 'secrets.environment',
    enters: '-C --chdir',
  },
  'timeout gtimeout': {
    plain: '-fpv --foreground --preserve-status --verbose',
    takes: '-k -s --kill-after --signal',
    skip: 1,
    bare: 'info',
  },
  'nice gnice': { plain: '-#', takes: '-n --adjustment', bare: 'info' },
  ionice: { plain: '-t --ignore', takes: '-c -n -p -P -u --class --classdata --pid', bare: 'process.kill' },
  chrt: { plain: '-abdfiormRv', takes: '-T -P -D', skip: 1 },
  taskset: { plain: '-ac --cpu-list --all-tasks', skip: 1 },
  'time gtime': {
    plain: '-apvqV --append --portability --verbose --quiet',
    takes: '-f --format',
    writes: '-o --output',
    bare: 'info',
  },
  'nohup eatmydata catchsegv linux32 linux64 winpty noglob nocorrect': { bare: 'info' },
  setsid: { plain: '-cfw --ctty --fork --wait', bare: 'info' },
  unbuffer: { plain: '-p', bare: 'info' },
  chronic: { plain: '-ev', bare: 'info' },
  caffeinate: { plain: '-dimsu', takes: '-t -w', bare: 'info' },
  'dbus-run-session rlwrap fakeroot': { bare: 'info' },
  stdbuf: { takes: '-i -o -e --input --output --error', bare: 'info' },
  builtin: { bare: 'info' },
  command: { plain: '-p', bare: 'info' },
  exec: { plain: '-l', bare: 'info' },
  'numactl prlimit setpriv cpulimit cgexec choom': { effect: 'process.kill', bare: 'process.kill' },
  'xvfb-run xauth-run': { plain: '-a --auto-servernum' },
  strace: {
    takes: '-e -p -s -u -E -O -S -a -b -I -P',
    writes: '-o --output',
    effect: 'process.trace',
    bare: 'process.trace',
  },
  flock: {
    plain: '-sxenuoFv --shared --exclusive --nonblock --nb --unlock --close --no-fork --verbose',
    takes: '-w -E --timeout --wait --conflict-exit-code',
    shellText: '-c --command',
    skip: 1,
    creates: true,
    bare: 'info',
  },
  script: {
    shellText: '-c --command',
    takes: '-O -I -B -T -m -E -o -t',
    effect: 'fs.write-transcript',
    skip: 1,
  },
  chroot: { takes: '--userspec --groups', skip: 1, effect: 'privilege.raise' },
  'unshare nsenter bwrap firejail systemd-nspawn proot': {
    takes: '-t -R -w -S -G --root --wd --target --chdir --bind --ro-bind',
    effect: 'privilege.raise',
    bare: 'privilege.raise',
  },
  'systemd-run': {
    takes:
      '-u -p -E -t --unit --property --setenv --on-active --on-calendar --uid --gid --working-directory -M -H -d --slice --description',
    effect: 'schedule.change',
  },
  watch: {
    plain:
      '-dtbegcCpxrw --differences --no-title --beep --errexit --chgexit --color --no-color --precise --exec --no-rerun --no-wrap',
    takes: '-n -q --interval --equexit',
    joins: true,
  },
  'torsocks torify proxychains proxychains4 tsocks': { effect: 'network.unusual', network: true },
  'busybox toybox': { bare: 'info' },
  'poetry-run dotenv direnv-exec': { effect: 'code.run-project' },
}

/** Wrappers by name. Those with rules of their own (xargs, find, ssh, shells) are in describe/. */
export const wrappers: ReadonlyMap<string, Wrapper> = new Map(
  Object.entries(wrapperTable).flatMap(([names, wrapper]) =>
    names.split(' ').map((name) => [name, wrapper] as const),
  ),
)
