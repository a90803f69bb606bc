/**
 * Set-up before every start and test, run by whatever Node (20.19 or newer) the machine has: installs the locked
 * dependencies (they bring Node 24) when they are missing or the lock has changed, and generates the Prisma client
 * when the schema has. Does nothing, in a few milliseconds, when all is there.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const stampFile = join(root, 'node_modules/.skynet-setup.json')
const hash = (...files) =>
  createHash('sha256')
    .update(files.map((f) => readFileSync(join(root, f))).join('\0'))
    .digest('hex')
const stamp = existsSync(stampFile) ? JSON.parse(readFileSync(stampFile, 'utf8')) : {}
const save = () => {
  mkdirSync(join(root, 'node_modules'), { recursive: true })
  writeFileSync(stampFile, JSON.stringify(stamp))
}

function run(command, args, env = {}) {
  const done = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
    shell: process.platform === 'win32',
  })
  if (done.status === 0) return
  console.error(
    `\nSet-up stopped: \`${command} ${args.join(' ')}\` failed. Mend what it says above and start again.`,
  )
  process.exit(1)
}

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`This needs Node 20.19 or newer to set itself up; this is ${process.versions.node}.`)
  process.exit(1)
}

const lock = hash('package-lock.json')
if (stamp.lock !== lock || !existsSync(join(root, 'node_modules/node/bin'))) {
  console.error('Installing dependencies (once) ...')
  run('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error'], { NODE_ENV: '' })
  stamp.lock = lock
  stamp.schema = undefined
  save()
}

const schema = hash('prisma/schema.prisma', 'package-lock.json')
if (stamp.schema !== schema || !existsSync(join(root, 'prisma/client/client.ts'))) {
  // The generator wants a schema engine that it does not use; any existing file keeps it from downloading one.
  run(process.execPath, [join(root, 'node_modules/prisma/build/index.js'), 'generate', '--no-hints'], {
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    CHECKPOINT_DISABLE: '1',
  })
  stamp.schema = schema
  save()
}
