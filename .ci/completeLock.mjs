/**
 * Completes package-lock.json after `npm install` against a registry that lacks packages of other platforms: npm
 * leaves those out of the lock, and `npm ci` then refuses the lock everywhere ("Missing: ... from lock file").
 * Adds what the locked packages name as optional and the lock does not have: name, version and platform, no
 * checksum. Run it from the root: `node .ci/completeLock.mjs`. Repeating it changes nothing.
 */
import { readFileSync, writeFileSync } from 'node:fs'

const systems = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'sunos', 'win32']
const processors = [
  'arm',
  'arm64',
  'ia32',
  'loong64',
  'mips64el',
  'ppc64',
  'riscv64',
  's390x',
  'x64',
  'wasm32',
]

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'))

/** Whether `name` is found from the package at `path`, the way Node looks. */
function isLocked(path, name) {
  for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    if (lock.packages[`${at === '' ? '' : `${at}/`}node_modules/${name}`]) return true
    if (!at.includes('/node_modules/')) return Boolean(lock.packages[`node_modules/${name}`])
  }
}

/** The platform that a package's name tells: `@swc/core-linux-arm64-musl`, `@oxc-parser/binding-android-arm-eabi`. */
function platformOf(name) {
  const parts = name.split('/').at(-1).split('-')
  const find = (known) => parts.filter((part) => known.includes(part))
  const libc =
    parts.includes('musl') || parts.at(-1).startsWith('musl')
      ? ['musl']
      : parts.some((p) => /^gnu/.test(p))
        ? ['glibc']
        : null
  return { os: find(systems), cpu: find(processors), ...(libc && parts.includes('linux') ? { libc } : {}) }
}

const added = []
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (isLocked(path, name) || !/^\d+\.\d+\.\d+[\w.-]*$/.test(version)) continue
    const { os, cpu, libc } = platformOf(name)
    if (os.length === 0 || cpu.length === 0) continue
    lock.packages[`node_modules/${name}`] = {
      version,
      cpu,
      ...(entry.dev ? { dev: true } : {}),
      ...(libc ? { libc } : {}),
      license: entry.license,
      optional: true,
      os,
    }
    added.push(name)
  }
}
if (added.length > 0) {
  const [root, ...rest] = Object.entries(lock.packages)
  lock.packages = Object.fromEntries([root, ...rest.sort(([a], [b]) => a.localeCompare(b, 'en'))])
  writeFileSync('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`)
}
console.log(
  added.length === 0 ? 'package-lock.json is complete.' : `Added to package-lock.json: ${added.join(', ')}`,
)
