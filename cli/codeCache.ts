import { join } from 'node:path'

/** Where compiled code is kept between starts; `npm ci` empties it. A place that cannot be written is passed over. */
export const codeCache = join(import.meta.dirname, '../node_modules/.cache/skynet')
