#!/usr/bin/env node
import { loadEnv } from './loadEnv.ts'
import { start } from './start.ts'
const running = await start(loadEnv(process.env))
console.log(running.urls)
process.on('SIGTERM', () => void running.stop().then(() => process.exit(0)))
