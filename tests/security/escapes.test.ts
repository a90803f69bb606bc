import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ConfinedMachine, planted } from '../support/confinedMachine.ts'

/*
 * What a command could do, once it runs, to what is not its own: each probe is a real process. Where the same probe gets
 * through without walls on this machine, that is shown as well, so that a probe that could never succeed is not counted
 * for one that was held.
 */

const isRoot = process.getuid?.() === 0
let machine: ConfinedMachine
let tcp: Server
let abstract: Server
let bystander: ChildProcess
const temporary = `/tmp/skynet-planted-${process.pid}`
const shared = `/dev/shm/skynet-planted-${process.pid}`
const abstractName = `skynet-planted-${process.pid}`

const listen = (server: Server, on: string | number): Promise<void> =>
  new Promise((resolve) => {
    if (typeof on === 'string') server.listen(on, resolve)
    else server.listen(on, '127.0.0.1', resolve)
  })

beforeAll(async () => {
  machine = new ConfinedMachine()
  writeFileSync(temporary, machine.mark)
  writeFileSync(shared, machine.mark)
  const answer = (socket: import('node:net').Socket) => socket.on('error', () => {}).end(machine.mark)
  tcp = createServer(answer)
  abstract = createServer(answer)
  const daemon = createServer(answer)
  await Promise.all([
    listen(tcp, 0),
    listen(abstract, `\0${abstractName}`),
    listen(daemon, join(machine.outside, 'daemon.sock')),
  ])
  daemon.unref()
  bystander = spawn('sleep', ['600'], { env: { SECRET_OF_IT: machine.mark } })
})

afterAll(() => {
  bystander.kill('SIGKILL')
  tcp.close()
  abstract.close()
  rmSync(temporary, { force: true })
  rmSync(shared, { force: true })
  machine.remove()
})

/** Words in a probe that stand for what only the machine knows. */
const fill = (command: string): string =>
  command
    .replaceAll('HOME', machine.home)
    .replaceAll('DATA', machine.data)
    .replaceAll('OUTSIDE', machine.outside)
    .replaceAll('OTHER', machine.other)
    .replaceAll('WORK', machine.work)
    .replaceAll('PORT', String((tcp.address() as AddressInfo).port))
    .replaceAll('BYSTANDER', String(bystander.pid))
    .replaceAll('ABSTRACT', abstractName)
    .replaceAll('SHARED', shared)
    .replaceAll('TEMPORARY', temporary)

const connectTo = (address: string): string =>
  `perl -MSocket -e 'socket(S, ${address.includes('sockaddr_un') ? 'PF_UNIX' : 'PF_INET'}, SOCK_STREAM, 0) or exit 1; connect(S, ${address}) or exit 2; print <S>'`

test('bubblewrap works here: the rest would prove nothing', () => {
  expect(machine.sandbox.kind).toBe('bwrap')
})

/** What the machine's first process sees depends on the machine. */
const ofFirst = /\/proc\/1\//

describe('what is hidden is not read', () => {
  const reads: [name: string, command: string][] = [
    ...planted.map((name): [string, string] => [`~/${name}`, `cat HOME/${name}`]),
    ['a token in ~/.npmrc', 'cat HOME/.npmrc'],
    ['a helper in ~/.gitconfig', 'cat HOME/.gitconfig'],
    ['SKYNET’s secrets', 'cat DATA/secrets.json'],
    ['the agent’s credential', 'cat DATA/agent-x/enrolment.json'],
    ['a file outside', 'cat OUTSIDE/secret'],
    ['a file outside, over ..', 'cat ../../outside/secret'],
    ['over a link to a file', 'cat link-to-key'],
    ['over a link to a directory', 'cat link-to-home/.ssh/id_rsa'],
    ['over a link to a link', 'cat link-to-link/secret'],
    ['over a link to the data directory', 'cat link-to-data/secrets.json'],
    ['over a link made by the command', 'ln -sf HOME/.ssh/id_rsa made; cat made; rm made'],
    ['over the root of the first process', 'cat /proc/1/rootHOME/.ssh/id_rsa'],
    ['over the root of itself', 'cat /proc/self/rootHOME/.ssh/id_rsa'],
    [
      'over the directory of the first process',
      'cat /proc/1/cwd/../outside/secret; cat /proc/1/cwdOUTSIDE/secret',
    ],
    ['in any process’s environment', 'cat /proc/[0-9]*/environ'],
    ['in a bystander’s environment', 'cat /proc/BYSTANDER/environ'],
    [
      'by looking everywhere',
      'grep -rsh --exclude-dir=proc --exclude-dir=sys PLANTED HOME OUTSIDE /tmp/skynet-planted* /dev/shm',
    ],
    ['in the machine’s /tmp', 'cat TEMPORARY'],
    ['in the machine’s shared memory', 'cat SHARED'],
    ['by a tool that searches for keys', 'find HOME OUTSIDE -name id_rsa -exec cat {} + 2>/dev/null'],
    ['by tar, over links', 'tar chf - link-to-home/.ssh 2>/dev/null | tr -d "\\0"'],
    ['from a socket outside', connectTo('sockaddr_un("OUTSIDE/daemon.sock")')],
    ['from a socket outside, over a link', connectTo('sockaddr_un("link-to-outside/daemon.sock")')],
    ['from the network', connectTo('sockaddr_in(PORT, INADDR_LOOPBACK)')],
    ['from an abstract socket', connectTo('pack_sockaddr_un("\\0ABSTRACT")')],
  ]
  test.each(reads)('%s', async (_, command) => {
    const free = await machine.shell(fill(command), { confined: false })
    if (!ofFirst.test(command)) expect(free.text, 'without walls').toContain(machine.mark)
    for (const network of [false, true]) {
      if (network && command.includes('PORT')) continue
      const { text } = await machine.shell(fill(command), { network })
      expect(text, `network: ${network}`).not.toContain(machine.mark)
    }
  })
})

describe('what is not its own is not written', () => {
  const writes: [name: string, command: string, file: string][] = [
    ['~/.bashrc', 'echo x >> HOME/.bashrc', 'home/.bashrc'],
    ['a new ~/.profile', 'echo x > HOME/.profile', 'home/.profile'],
    ['who may log in', 'mkdir -p HOME/.ssh; echo x > HOME/.ssh/authorized_keys', 'home/.ssh/authorized_keys'],
    [
      'what the desktop starts',
      'mkdir -p HOME/.config/autostart; echo x > HOME/.config/autostart/x.desktop',
      'home/.config/autostart/x.desktop',
    ],
    [
      'what systemd starts',
      'mkdir -p HOME/.config/systemd/user; echo x > HOME/.config/systemd/user/x.service',
      'home/.config/systemd/user/x.service',
    ],
    ['a program on the search path', 'echo x > HOME/.local/bin/ls', 'home/.local/bin/ls'],
    ['another program there', 'echo x > HOME/.local/bin/tool', 'home/.local/bin/tool'],
    [
      'the same by another name',
      'mv HOME/.local/bin HOME/.local/nib; mkdir HOME/.local/bin; echo x > HOME/.local/bin/tool',
      'home/.local/bin/tool',
    ],
    ['what git runs', 'git config --file HOME/.gitconfig core.pager x', 'home/.gitconfig'],
    [
      'the person’s package cache',
      'mkdir -p HOME/.npm/_npx; echo x > HOME/.npm/_npx/planted',
      'home/.npm/_npx/planted',
    ],
    [
      'the person’s other caches',
      'mkdir -p HOME/.cache; echo x > HOME/.cache/planted',
      'home/.cache/planted',
    ],
    ['a root that it does not need', 'echo x > OTHER/notes', 'home/other/notes'],
    ['outside, over a link', 'echo x > link-to-outside/made', 'outside/made'],
    ['outside, over ..', 'echo x > ../../outside/made2', 'outside/made2'],
    ['outside, by the first process’s root', 'echo x > /proc/1/rootOUTSIDE/made3', 'outside/made3'],
    [
      'SKYNET’s data',
      'echo x > DATA/agent-x/enrolment.json',
      'home/.local/share/skynet/agent-x/enrolment.json',
    ],
    [
      'the home, by moving the root',
      'mv WORK HOME/elsewhere; mkdir WORK; mv HOME/elsewhere/* WORK',
      'home/elsewhere',
    ],
  ]
  test.each(writes)('%s', async (_, command, name) => {
    const file = join(machine.dir, name)
    const read = (): string | null =>
      existsSync(file) ? (statSync(file).isFile() ? readFileSync(file, 'utf8') : 'there') : null
    const before = read()
    await machine.shell(fill(command))
    expect(read()).toBe(before)
    if (command.startsWith('mv')) return
    await machine.shell(fill(command), { confined: false })
    if (!ofFirst.test(command)) expect(read(), 'without walls').not.toBe(before)
    if (before === null) rmSync(file, { recursive: true, force: true })
    else writeFileSync(file, before)
  })

  test.each([
    ['/usr/local/bin', '/usr/local/bin/skynet-planted'],
    ['/etc/cron.d', '/etc/cron.d/skynet-planted'],
    ['/opt', '/opt/skynet-planted'],
    ['the root directory', '/skynet-planted'],
    ['/var', '/var/skynet-planted'],
  ])('%s', async (_, file) => {
    const { exitCode } = await machine.shell(`echo x > ${file}`)
    expect(exitCode).not.toBe(0)
    expect(existsSync(file)).toBe(false)
  })

  test.each([
    ['what the kernel runs for a crash', '/proc/sys/kernel/core_pattern'],
    ['what the host is called', '/proc/sys/kernel/hostname'],
    ['how the kernel gives memory', '/proc/sys/vm/overcommit_memory'],
  ])('%s', async (_, file) => {
    const before = readFileSync(file, 'utf8')
    const { exitCode } = await machine.shell(`printf %s '${before.trim()}' > ${file}`)
    expect(exitCode).not.toBe(0)
  })
})

describe('what is outside is not touched', () => {
  test.each([
    ['kill a process', 'kill -9 BYSTANDER'],
    ['kill all processes', 'kill -9 -1; true'],
    ['trace a process', 'perl -e "exit(syscall(101, 16, BYSTANDER, 0, 0) == 0 ? 0 : 1)"'],
    ['read a process’s memory', 'head -c 1 /proc/BYSTANDER/mem'],
    ['slow a process down', 'renice -n 19 -p BYSTANDER'],
  ])('%s', async (_, command) => {
    await machine.shell(fill(command))
    expect(bystander.exitCode).toBe(null)
    expect(bystander.signalCode).toBe(null)
    expect(execFileSync('ps', ['-o', 'ni=', '-p', String(bystander.pid)], { encoding: 'utf8' }).trim()).toBe(
      '0',
    )
  })

  test('shared memory of System V', async () => {
    const made = execFileSync('ipcmk', ['-M', '64'], { encoding: 'utf8' })
    const id = /\d+/.exec(made)?.[0] ?? ''
    try {
      expect((await machine.shell('ipcs -m', { confined: false })).text).toContain(` ${id} `)
      expect((await machine.shell('ipcs -m')).text).not.toContain(` ${id} `)
    } finally {
      execFileSync('ipcrm', ['-m', id])
    }
  })

  test('a UDP packet', async () => {
    const { exitCode } = await machine.shell(
      `perl -MSocket -e 'socket(S, PF_INET, SOCK_DGRAM, 0); exit(defined(send(S, "x", 0, sockaddr_in(53, inet_aton("192.0.2.1")))) ? 0 : 1)'`,
    )
    expect(exitCode).not.toBe(0)
  })

  test('no interface but its own loopback', async () => {
    const { text } = await machine.shell('cat /proc/net/dev')
    expect(text.match(/^\s*\w+:/gm)?.map((name) => name.trim())).toEqual(['lo:'])
  })
})

describe('rights are not got back', () => {
  /** What a system call answers, by Perl: 0 or the error. */
  const call = (number: number, ...args: (number | string)[]): string =>
    `perl -e 'my $text = "text"; my $r = syscall(${[number, ...args].join(', ')}); print $r < 0 ? "errno " . ($! + 0) : "done"'`
  const x64 = process.arch === 'x64'

  test('no capability, no way to new ones, a filter', async () => {
    const { text } = await machine.shell('cat /proc/self/status')
    expect(text).toMatch(/^CapEff:\t0+$/m)
    expect(text).toMatch(/^CapPrm:\t0+$/m)
    expect(text).toMatch(/^NoNewPrivs:\t1$/m)
    expect(text).toMatch(/^Seccomp:\t2$/m)
  })

  test.each([
    ['a user namespace', 'unshare --user true'],
    ['a user namespace with a mount namespace', 'unshare --user --map-root-user --mount true'],
    ['a mount namespace', 'unshare --mount true'],
    ['the namespaces of the first process', 'nsenter --target 1 --mount --pid true'],
    ['another root directory', 'chroot / true'],
    ['a mount', 'mount -t tmpfs none /tmp'],
    ['a mount bound elsewhere', 'mount --bind / /tmp'],
    ['a writable system', 'mount -o remount,rw,bind /usr'],
    ['what is below a cover', 'umount DATA'],
    ['a device', 'mknod disk b 8 0 || mknod disk b 254 0'],
    ['the clock', 'date -s 2020-01-01'],
    ['the host’s name', 'hostname skynet-planted'],
    ['a file that runs as root', 'cp /bin/sh ./rooted && chown 1:1 ./rooted'],
    ['the kernel’s log', 'dmesg'],
    ['the magic keys', 'echo h > /proc/sysrq-trigger'],
  ])('%s', async (_, command) => {
    const { exitCode } = await machine.shell(fill(command))
    expect(exitCode).not.toBe(0)
  })

  test.runIf(x64).each([
    ['keys of the session', call(250, 0, -3, 0), 1],
    ['a key', call(248, '$text', '$text', '$text', 4, -3), 1],
    ['a program in the kernel', call(321, 0, 0, 0), 1],
    ['counters of the processor', call(298, 0, 0, -1, -1, 0), 1],
    ['faults handled by a process', call(323, 0), 1],
    ['another way of input and output', call(425, 1, 0), 38],
    ['files by handle', call(304, -100, 0, 0), 1],
    ['memory of another process', call(310, 1, 0, 0, 0, 0, 0), 1],
    ['words into a terminal', call(16, 0, 0x5412, '$text'), 1],
    ['a clone that hides its flags', call(435, 0, 0), 38],
    ['a socket to the machine’s host', call(41, 40, 1, 0), 97],
    ['a socket for the kernel’s ciphers', call(41, 38, 5, 0), 97],
    ['a raw socket', call(41, 17, 3, 0), 97],
    ['calls of the other numbering', call(0x40000000 + 39), 38],
  ])('%s', async (_, command, errno) => {
    expect((await machine.shell(command)).text).toBe(`errno ${errno}`)
  })

  test.runIf(isRoot)('what others cannot read, though it is root’s', async () => {
    expect((await machine.shell('cat /etc/shadow', { confined: false })).text).toContain('root:')
    expect((await machine.shell('cat /etc/shadow')).text).not.toContain('root:')
  })
})

describe('what is its own works', () => {
  test('its root, its temporary files, its caches, tools of the home, its own loopback', async () => {
    const { text, error } = await machine.shell(
      [
        'echo a > file && mkdir -p d && mv file d && cat d/file && rm -r d',
        'echo b > /tmp/x && cat /tmp/x',
        'echo c > ~/.npm/x && cat ~/.npm/x',
        'tool',
        'git config --global user.name',
        'cat OTHER/notes',
        'test -w /dev/null && head -c 4 /dev/urandom | wc -c',
        `perl -MSocket -e 'socket(S, PF_INET, SOCK_STREAM, 0); bind(S, sockaddr_in(0, INADDR_LOOPBACK)) && listen(S, 1) && print "listens\\n"'`,
        `perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0); bind(S, sockaddr_un("/tmp/s")) && listen(S, 1) && print "here\\n"'`,
      ]
        .map(fill)
        .join(' && '),
    )
    expect(error).toBe(null)
    expect(text).toBe('a\nb\nc\na tool\nAna\nas they were\n4\nlistens\nhere\n')
  })

  test('the network, where the verdict gives it', async () => {
    expect(
      (await machine.shell(fill(connectTo('sockaddr_in(PORT, INADDR_LOOPBACK)')), { network: true })).text,
    ).toBe(machine.mark)
  })

  test('temporary files stay for the steps of a run, and are another run’s never', async () => {
    const runId = 'run'
    await machine.shell('echo kept > /tmp/step', { runId })
    expect((await machine.shell('cat /tmp/step', { runId })).text).toBe('kept\n')
    expect((await machine.shell('ls -A /tmp', { runId: 'another' })).text).toBe('')
  })

  test('one that fails by its walls says so', async () => {
    const { text } = await machine.shell('echo x > OTHER/notes'.replace('OTHER', machine.other))
    expect(text).toContain(`[confined: only ${machine.work} can be written]`)
  })

  test('caches stay for a root', async () => {
    await machine.shell('echo kept > ~/.cargo/registry/x')
    expect((await machine.shell('cat ~/.cargo/registry/x')).text).toBe('kept\n')
  })
})
