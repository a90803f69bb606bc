import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Random } from './random.ts'

const hex = '0123456789abcdef'
const base64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const names = [
  'react',
  'lodash',
  'express',
  'vite',
  'token-types',
  'password-prompt',
  'js-tokens',
  'secrets-manager',
  'csrf-tokens',
  'keyv',
]
const files = [
  'src/auth/token.ts',
  'lib/password.js',
  'core/secrets.ts',
  'src/index.ts',
  'api/keys/route.ts',
  'README.md',
  'test/login.spec.js',
]

const uuid = (r: Random): string =>
  `${r.text(8, hex)}-${r.text(4, hex)}-4${r.text(3, hex)}-a${r.text(3, hex)}-${r.text(12, hex)}`
const time = (r: Random): string => new Date(1.79e12 + r.int(1e9)).toISOString()
const version = (r: Random): string => `${r.int(20)}.${r.int(30)}.${r.int(40)}`

/** What tools print, one line each, by the tool. */
const lines: readonly ((r: Random) => string)[] = [
  (r) => `commit ${r.text(40, hex)}`,
  (r) => `${r.text(7, hex)} feat: rotate the token when it expires (#${r.int(9000)})`,
  (r) => `   ${r.text(7, hex)}..${r.text(7, hex)}  main       -> origin/main`,
  (r) => `index ${r.text(7, hex)}..${r.text(7, hex)} 100644`,
  (r) => ` ${r.pick(files)} | ${r.int(90)} ${'+'.repeat(r.int(20))}`,
  (r) =>
    `remote: Resolving deltas: 100% (${r.int(500)}/${r.int(900)}), completed with ${r.int(90)} local objects.`,
  (r) => `npm http fetch GET 200 https://registry.npmjs.org/${r.pick(names)} ${r.int(900)}ms (cache miss)`,
  (r) => `npm warn deprecated ${r.pick(names)}@${version(r)}: use ${r.pick(names)} instead`,
  (r) => `added ${r.int(900)} packages, and audited ${r.int(900)} packages in ${r.int(60)}s`,
  (r) => `      "integrity": "sha512-${r.text(86, base64)}==",`,
  (r) =>
    `      "resolved": "https://registry.npmjs.org/${r.pick(names)}/-/${r.pick(names)}-${version(r)}.tgz",`,
  (r) => `    "node_modules/${r.pick(names)}": {`,
  (r) => `${r.pick(names)}@^${version(r)}: resolution: {integrity: sha512-${r.text(86, base64)}==}`,
  (r) => `checksum = "${r.text(64, hex)}"`,
  (r) => `${r.pick(names)}==${version(r)} --hash=sha256:${r.text(64, hex)}`,
  (r) => `Step ${r.int(20)}/20 : COPY --from=build /app/dist ./dist`,
  (r) => ` ---> ${r.text(12, hex)}`,
  (r) => `${r.text(12, hex)}: Pull complete`,
  (r) => `Digest: sha256:${r.text(64, hex)}`,
  (r) => `${r.text(64, hex)}`,
  (r) => `#${r.int(40)} [build ${r.int(9)}/9] RUN npm ci --ignore-scripts`,
  (r) => `    at Object.<anonymous> (/home/ana/api/${r.pick(files)}:${r.int(400)}:${r.int(90)})`,
  (r) => `    at async TokenService.refresh (file:///srv/app/${r.pick(files)}:${r.int(400)}:${r.int(90)})`,
  (r) => `  File "/usr/lib/python3.${r.int(13)}/site-packages/jwt/api_jwt.py", line ${r.int(400)}, in decode`,
  () => "TypeError: Cannot read properties of undefined (reading 'token')",
  () => 'SyntaxError: Unexpected token < in JSON at position 0',
  (r) => `error TS2322: Type 'string' is not assignable to type 'Token'. (${r.pick(files)}:${r.int(99)})`,
  () => 'AssertionError: expected password to be hashed',
  (r) => ` ✓ ${r.pick(files)} (${r.int(40)} tests) ${r.int(900)}ms`,
  (r) => ` ✗ rejects a wrong password (${r.int(90)} ms)`,
  (r) => `${time(r)} info api: request ${uuid(r)} GET /v1/users/${r.int(9000)} 200 ${r.int(90)}ms`,
  (r) =>
    `{"level":30,"time":${1.79e12 + r.int(1e9)},"pid":${r.int(9999)},"reqId":"${uuid(r)}","msg":"request completed","responseTime":${r.next()}}`,
  (r) =>
    `127.0.0.1 - - [21/Nov/2026:10:${r.int(60)}:12 +0000] "GET /assets/app.${r.text(8, hex)}.js HTTP/1.1" 200 ${r.int(99999)}`,
  (r) => `data:image/png;base64,${r.text(400, base64)}`,
  (r) => `<img src="data:image/svg+xml;base64,${r.text(200, base64)}">`,
  (r) => `//# sourceMappingURL=data:application/json;base64,${r.text(300, base64)}`,
  (r) => `Tokens used: ${r.int(9000)} (prompt_tokens: ${r.int(9000)}, completion_tokens: ${r.int(900)})`,
  (r) => `max_tokens=${r.int(9000)} token_count: ${r.int(900000)}`,
  (r) => `cache key: node-cache-Linux-x64-npm-${r.text(64, hex)}`,
  (r) => `Cache restored successfully from key: ${r.text(40, hex)}`,
  (r) => `secret/${r.pick(names)} created`,
  () => 'Enter password for user postgres:',
  () => '  password: string',
  () => 'const { token } = await login(user, password)',
  () => '  if (!token) throw new Error("token is missing")',
  () => 'password = process.env.DB_PASSWORD',
  () => 'export GITHUB_TOKEN=$MY_TOKEN',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a workflow has it so
  () => '          token: ${{ secrets.GITHUB_TOKEN }}',
  () => '    password: getPassword(user.id),',
  () => 'DATABASE_URL=postgres://localhost:5432/app',
  (r) => `Listening on http://localhost:${r.int(9999)}/`,
  (r) => `  ➜  Network: http://192.168.1.${r.int(255)}:5173/`,
  (r) => `PASS ${r.pick(files)}`,
  (r) => `etag: W/"${r.text(27, base64)}"`,
  (r) => `x-request-id: ${uuid(r)}`,
  (r) => `SHA256:${r.text(43, base64)} ana@laptop (ED25519)`,
  (r) => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${r.text(43, base64)} ana@laptop`,
  (r) => `gpg: using RSA key ${r.text(40, '0123456789ABCDEF')}`,
  (r) => `drwxr-xr-x  ${r.int(20)} ana ana ${r.int(9999)} Nov 21 10:${r.int(60)} ${r.pick(names)}`,
  (r) => `[${time(r)}] task-${r.text(24, hex)} disk-usage-${r.text(20, hex)} ok`,
  (r) => `Compiled module ${r.pick(files)}?v=${r.text(8, hex)} in ${r.int(900)} ms`,
  (r) => `${r.pick(files)}:${r.int(99)}:  const csrfToken = useCsrfToken()`,
  (r) => `warning: unused variable: \`token\` --> src/main.rs:${r.int(99)}:9`,
  (r) => `   Compiling secrecy v${version(r)}`,
  (r) => `go: downloading github.com/golang-jwt/jwt/v5 v5.${r.int(9)}.${r.int(9)}`,
  (r) => `github.com/golang-jwt/jwt/v5 v5.${r.int(9)}.0 h1:${r.text(43, base64)}=`,
]

/** Lines of files that people have: this project's own, and its lock file. */
function ownLines(): string[] {
  const root = join(import.meta.dirname, '../..')
  const docs = readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name))
  const sources = ['core/runs', 'core/planning', 'bot/render', 'agent'].flatMap((dir) =>
    readdirSync(join(root, dir))
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(dir, name)),
  )
  return ['package-lock.json', 'README.md', 'CHANGELOG.md', ...docs, ...sources].flatMap((name) =>
    readFileSync(join(root, name), 'utf8').split('\n'),
  )
}

/** At least `count` lines without a secret, as git, npm, docker, compilers, tests and servers print them. */
export function cleanLines(count: number, seed: number): string[] {
  const r = new Random(seed)
  const own = ownLines()
  return [
    ...own,
    ...Array.from({ length: Math.max(0, count - own.length) }, (_, i) =>
      (lines[i % lines.length] as (typeof lines)[number])(r),
    ),
  ]
}
