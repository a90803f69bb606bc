/** A program that starts another one, given in its operands. */
export type Wrapper = {
  /** Options that take a value. */
  takes?: string
  /** Operands before the command starts. */
  skip?: number
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
    takes: '-u -C --unset --chdir -P --argv0 -a',
    assigns: true,
    bare: 'secrets.environment',
    enters: '-C --chdir',
  },
  'timeout gtimeout': { takes: '-k -s --kill-after --signal', skip: 1, bare: 'info' },
  'nice gnice': { takes: '-n --adjustment', bare: 'info' },
  ionice: { takes: '-c -n -p -P -u --class --classdata --pid', bare: 'process.kill' },
  chrt: { takes: '-T -P -D', skip: 1 },
  taskset: { skip: 1 },
  'time gtime': { takes: '-f --format', writes: '-o --output', bare: 'info' },
  'nohup setsid unbuffer caffeinate eatmydata dbus-run-session rlwrap catchsegv fakeroot linux32 linux64 winpty noglob nocorrect chronic':
    { takes: '-t -b', bare: 'info' },
  stdbuf: { takes: '-i -o -e --input --output --error', bare: 'info' },
  'builtin command': { bare: 'info' },
  exec: { takes: '-a', bare: 'info' },
  'numactl prlimit setpriv cpulimit cgexec choom': { takes: '-l -N -m -C -g', bare: 'process.kill' },
  'xvfb-run xauth-run': { takes: '-s -n -e -f -p' },
  strace: {
    takes: '-e -p -s -u -E -O -S -a -b -I -P',
    writes: '-o --output',
    effect: 'process.trace',
    bare: 'process.trace',
  },
  flock: {
    takes: '-w -E --timeout --wait --conflict-exit-code',
    shellText: '-c --command',
    skip: 1,
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
  watch: { takes: '-n --interval', joins: true },
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
