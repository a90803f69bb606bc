import { enableCompileCache } from 'node:module'
import { setFlagsFromString } from 'node:v8'
import { codeCache } from './codeCache.ts'

/*
 * Imported before anything else: settings of the runtime that only count while little is loaded. Measured on the
 * control plane, idle: 160 MB without, 97 MB with the flags; the cache spares loading the type stripper at later
 * starts (a gateway or agent: 62 MB without, 38 MB with it).
 */
for (const flag of ['--optimize-for-size', '--max-semi-space-size=2']) setFlagsFromString(flag)

enableCompileCache(codeCache)
