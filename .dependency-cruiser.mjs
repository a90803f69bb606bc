/** The folder rules of docs/walk.md: who may import whom. */
const processes = ['bot', 'api', 'workers', 'gateway', 'agent', 'playground']
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: `^${from}/` },
  to: {
    path: '^(bot|api|workers|gateway|agent|playground|core|cli|tests|bench|prisma)/',
    pathNot: [`^${from}/`, ...allowed],
  },
})

export default {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'core-imports-no-process',
      severity: 'error',
      from: { path: '^core/' },
      to: { path: '^(bot|api|workers|gateway|agent|playground|cli|tests|bench)/' },
    },
    {
      name: 'nothing-imports-tests',
      severity: 'error',
      from: { pathNot: '^(tests|bench)/' },
      to: { path: '^(tests|bench)/' },
    },
    only('protocol-stands-alone', 'core/protocol', []),
    ...processes
      .filter((p) => p !== 'agent' && p !== 'gateway')
      .map((p) => only(`${p}-sees-core-only`, p, ['^core/'])),
    ...['agent', 'gateway'].map((p) =>
      only(`${p}-sees-protocol-only`, p, ['^core/(protocol|config|redaction|doors)/']),
    ),
    {
      name: 'cli-imports-mains',
      severity: 'error',
      from: { path: '^cli/' },
      to: { path: `^(${processes.join('|')})/(?!main\\.ts)` },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules|prisma/client' },
    exclude: { path: 'playground/page' },
    tsPreCompilationDeps: true,
    parser: 'swc',
    enhancedResolveOptions: { extensions: ['.ts', '.mjs', '.js'] },
  },
}
