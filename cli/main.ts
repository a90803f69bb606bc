#!/usr/bin/env node
import './tune.ts'

// Loaded after the line above has taken effect, and never more than the command needs.
const { run } = await import('./program.ts')
await run(process.argv)
