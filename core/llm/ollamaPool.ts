import type { ModelSettings } from '../config/model.ts'
import type { Pool } from './routerDeps.ts'

export function openOllamaPool(_settings: ModelSettings): Pool | null {
  return null
}
