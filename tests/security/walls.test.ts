import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { searchPath } from '../../agent/sandbox/environment.ts'
import { memoryOf } from '../../agent/sandbox/watchTree.ts'
import { ConfinedMachine } from '../support/confinedMachine.ts'
import { Pair } from '../unit/agent/startPair.ts'

const made: { remove(): void }[] = []
const machineWith = (...options: ConstructorParameters<typeof ConfinedMachine>): ConfinedMachine => {
  const machine = new ConfinedMachine(...options)
  made.push(machine)
  return machine
}
afterEach(() => {
  for (const machine of made.splice(0)) machine.remove()
})

const bins = mkdtempSync(join(tmpdir(), 'skynet-bins-'))
afterAll(() => rmSync(bins, { recursive: true }))

/** A search path with what is needed here, and without bubblewrap. */
function pathWithout(): string {
  const dir = join(bins, 'without')
  mkdirSync(dir, { recursive: true })
  for (const name of ['sh', 'sleep', 'setpriv', 'unshare', 'true', 'cat', 'mkfifo'])
    if (!existsSync(join(dir, name)))
      symlinkSync(execFileSync('which', [name]).toString().trim(), join(dir, name))
  return dir
}

describe('without bubblewrap', () => {
  const pair = new Pair()
  afterAll(() => pair.stop())

  test('`required` does not start; `auto` does, and says that nothing is confined', async () => {
    await pair.startControl()
    await pair.startGateway()
    pair.env.SKYNET_AGENT_SANDBOX = 'required'
    await expect(pair.startAgent({ env: { ...process.env, PATH: pathWithout() } })).rejects.toThrow(
      /^SKYNET_AGENT_SANDBOX: got "required", but bubblewrap .+ does not work here/,
    )
    pair.env.SKYNET_AGENT_SANDBOX = 'auto'
    await pair.startAgent({ env: { ...process.env, PATH: pathWithout() } })
    const { facts } = pair.control.hellos.at(-1) ?? {}
    expect(facts?.containment).toBe('unshare')
    expect(facts).not.toHaveProperty('confined')
  })

  test('a bubblewrap that does not do all that is asked of it does not count for one', () => {
    const dir = join(bins, 'old')
    mkdirSync(dir)
    writeFileSync(join(dir, 'bwrap'), '#!/bin/sh\necho "bwrap: Unknown option --perms" >&2\nexit 1\n', {
      mode: 0o755,
    })
    expect(machineWith({ path: `${dir}:${searchPath(process.env.PATH)}` }).sandbox.kind).not.toBe('bwrap')
  })

  test('one that is gone later lets nothing through', async () => {
    const dir = join(bins, 'later')
    mkdirSync(dir)
    const bwrap = join(dir, 'bwrap')
    copyFileSync(execFileSync('which', ['bwrap']).toString().trim(), bwrap)
    chmodSync(bwrap, 0o755)
    const machine = machineWith({ path: `${dir}:${searchPath(process.env.PATH)}` })
    expect((await machine.shell('echo here')).text).toBe('here\n')
    rmSync(bwrap)
    const { error, text } = await machine.shell('touch ran; echo here')
    expect(error).toMatch(/could not be started/)
    expect(text).toBe('')
    expect(existsSync(join(machine.work, 'ran'))).toBe(false)
  })
})

describe('limits', () => {
  const MB = 1024 * 1024
  /** Four processes that take 60 MB each and stay; a double fork takes two of them out of the group. */
  const many = `for i in 1 2 3 4; do
    if [ $i -gt 2 ]; then (setsid perl -e 'my $t = "x" x 60_000_000; sleep 60' &) else perl -e 'my $t = "x" x 60_000_000; sleep 60' & fi
  done; sleep 60`

  test.each([true, false])('of the memory of all processes together (confined: %s)', async (confined) => {
    const machine = machineWith({ env: { SKYNET_AGENT_MAX_MEMORY_MB: '150' } })
    const { error } = await machine.shell(many, { confined })
    expect(error).toMatch(/its processes together took \d+ MB, more than the 150 MB they may/)
    const fits = await machine.shell(`perl -e 'my $t = "x" x 60_000_000; sleep 1; print length $t'`, {
      confined,
    })
    expect([fits.error, fits.text]).toEqual([null, '60000000'])
  })

  test.each([true, false])(
    'of the number of its processes, also where the kernel counts none (confined: %s)',
    async (confined) => {
      const machine = machineWith({ env: { SKYNET_AGENT_MAX_PROCESSES: '40' } })
      const { error, text } = await machine.shell('for i in $(seq 60); do sleep 60 & done; sleep 60', {
        confined,
      })
      expect(error === null ? text : error + text).toMatch(
        /more than the 40 it may|cannot fork|Resource temporarily unavailable/i,
      )
      const fits = await machine.shell('for i in $(seq 20); do sleep 0.5 & done; wait; echo all', {
        confined,
      })
      expect([fits.error, fits.text]).toEqual([null, 'all\n'])
    },
  )

  test('of files that it keeps in memory', async () => {
    const machine = machineWith({ env: { SKYNET_AGENT_MAX_MEMORY_MB: '100' } })
    const { error } = await machine.shell('head -c 200000000 /dev/zero > /dev/shm/x; sleep 60')
    expect(error).toMatch(/took \d+ MB, more than the 100 MB/)
  })

  test('what processes share counts once', () => {
    const own = memoryOf([process.pid], null, 0)
    expect(own).toBeGreaterThan(10 * MB)
    expect(memoryOf([process.pid], null, Number.MAX_SAFE_INTEGER)).toBeGreaterThanOrEqual(own - MB)
    expect(memoryOf([2 ** 30], null, 0)).toBe(0)
  })

  test('of a file and of memory', async () => {
    const machine = machineWith({ env: { SKYNET_AGENT_MAX_FILE_MB: '2', SKYNET_AGENT_MAX_MEMORY_MB: '200' } })
    const write = await machine.shell('head -c 5000000 /dev/zero > big; echo never > second')
    expect(write.exitCode).toBe(0)
    expect(statSync(join(machine.work, 'big')).size).toBeLessThanOrEqual(2 * 1024 * 1024)
    const hungry = 'my $text = "x" x 400_000_000; print length $text'
    expect(
      (await machine.act({ action: 'script', params: { interpreter: 'perl', body: hungry } })).text,
    ).not.toContain('400000000')
    const roomy = machineWith({ env: { SKYNET_AGENT_MAX_MEMORY_MB: '4000' } })
    expect(
      (await roomy.act({ action: 'script', params: { interpreter: 'perl', body: hungry } })).text,
    ).toContain('400000000')
    expect((await machine.shell('ulimit -H -f unlimited || ulimit -f unlimited; ulimit -c')).text).toContain(
      '0\n',
    )
  })
})

describe('a home that is a root', () => {
  const plants: [name: string, command: string, file: string][] = [
    ['a shell’s start', 'echo x >> .bashrc', '.bashrc'],
    ['a shell’s start, put in its place', 'echo x > new; mv new .bashrc', '.bashrc'],
    ['what git runs', 'git config --global core.pager x; echo x >> .gitconfig', '.gitconfig'],
    ['a program on the search path', 'echo x > .local/bin/tool', '.local/bin/tool'],
  ]
  test('keeps its keys to itself and what is started unasked as it is', async () => {
    const machine = machineWith({ roots: ['.'] })
    const home = { cwd: machine.home }
    expect((await machine.shell('cat Documents/diary', home)).text).toContain(machine.mark)
    for (const file of [
      '.ssh/id_rsa',
      '.aws/credentials',
      '.netrc',
      '.config/gh/hosts.yml',
      '.local/share/skynet/secrets.json',
    ])
      expect((await machine.shell(`cat ${file}`, home)).text, file).not.toContain(machine.mark)
    for (const [name, command, file] of plants) {
      const before = readFileSync(join(machine.home, file), 'utf8')
      await machine.shell(command, home)
      expect(readFileSync(join(machine.home, file), 'utf8'), name).toBe(before)
    }
  })

  test('what is covered is not found under another name by the next command', async () => {
    const machine = machineWith({ roots: ['.'] })
    const home = { cwd: machine.home }
    for (const name of ['.ssh', '.config', '.local', '.local/share', '.local/share/skynet', '.gnupg'])
      await machine.shell(`mv ${name} moved-${name.replaceAll('/', '-')}; ln -s moved ${name}`, home)
    const { text } = await machine.shell(
      'cat moved*/id_rsa moved*/gh/hosts.yml moved*/*/secrets.json moved*/*/*/secrets.json moved*/secrets.json',
      home,
    )
    expect(text).not.toContain(machine.mark)
  })

  test('a link put where something is to be covered or shown leads nowhere', async () => {
    const machine = machineWith({ roots: ['.'] })
    const home = { cwd: machine.home }
    await machine.shell(
      `ln -s ${machine.outside} .rustup; ln -s ${machine.outside} .kube2; ln -s ${machine.data} .volta`,
      home,
    )
    const { text } = await machine.shell('cat .rustup/secret .volta/secrets.json; ls -la .volta/', home)
    expect(text).not.toContain(machine.mark)
  })
})

describe('a malicious repository', () => {
  test('its hooks, filters and monitors run inside the walls, and change nothing outside', async () => {
    const machine = machineWith()
    const evil = machine.put(
      'home/work/evil.sh',
      `#!/bin/sh\necho ran >> ${machine.work}/ran\necho x >> ${machine.home}/.bashrc\ncat ${machine.home}/.ssh/id_rsa >> ${machine.work}/stolen\ncat\n`,
    )
    chmodSync(evil, 0o755)
    const git = (...args: string[]): void =>
      void execFileSync('git', args, { cwd: machine.work, stdio: 'ignore' })
    git('init', '--initial-branch', 'main')
    git('config', 'filter.evil.clean', evil)
    git('config', 'filter.evil.smudge', evil)
    git('config', 'core.fsmonitor', evil)
    git('config', 'diff.external', evil)
    writeFileSync(join(machine.work, '.gitattributes'), '*.txt filter=evil\n')
    writeFileSync(join(machine.work, 'a.txt'), 'one\n')
    copyFileSync(evil, join(machine.work, '.git/hooks/pre-commit'))
    const before = readFileSync(join(machine.home, '.bashrc'), 'utf8')
    await machine.act({ action: 'git_status', params: {} })
    await machine.act({ action: 'git_diff', params: {} })
    const { error } = await machine.act({ action: 'git_commit', params: { message: 'x', paths: ['a.txt'] } })
    await machine.shell('git -c core.fsmonitor=./evil.sh status; git stash list')
    expect(error).toBe(null)
    expect(existsSync(join(machine.work, 'ran')), 'they did run').toBe(true)
    expect(readFileSync(join(machine.home, '.bashrc'), 'utf8')).toBe(before)
    expect(
      existsSync(join(machine.work, 'stolen')) ? readFileSync(join(machine.work, 'stolen'), 'utf8') : '',
    ).not.toContain(machine.mark)
  })
})
