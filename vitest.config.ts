import { defineConfig } from 'vitest/config'

/**
 * `vitest run` tests against real servers: one PostgreSQL and, where `redis-server` is installed, one Redis for the
 * run (tests/support/servers.ts), and a database of its own for each test file (tests/support/database.ts).
 */
export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    globalSetup: ['tests/support/servers.ts'],
    setupFiles: ['tests/support/sameCases.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
    hookTimeout: 60_000,
    teardownTimeout: 15_000,
    reporters: ['default', 'json'],
    outputFile: { json: 'tests/.tmp/results.json' },
    env: { SKYNET_LOG_LEVEL: process.env.TEST_LOG ?? 'error' },
  },
})
