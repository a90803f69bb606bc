import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Files of the repositories that tests work in, by name; `api` has tests and a linter, all quick. */
const fixtures: Record<string, Record<string, string>> = {
  api: {
    'README.md': '# api\n',
    'package.json': JSON.stringify({
      name: 'api',
      type: 'module',
      scripts: { test: 'node check.mjs', lint: 'node -e "console.log(\'lint clean\')"' },
    }),
    'check.mjs': "console.log('all is well')\n",
  },
}

/** Makes a git repository with one commit in `dir`. */
export function makeRepository(dir: string, name: string): void {
  const files = fixtures[name] ?? { 'README.md': `# ${name}\n` }
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, file)), { recursive: true })
    writeFileSync(join(dir, file), text)
  }
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }
  const script = `git -c init.defaultBranch=main init -q --template= && git config user.name Ana && git config user.email ana@example.org && git add -A && git commit -qm first`
  execFileSync('sh', ['-c', script], { cwd: dir, env, stdio: 'ignore' })
}
