import { createHash } from 'node:crypto'
import type { Shown } from '../render/words.ts'

/** Clocks stand between these marks: they alone are no reason to edit a card. */
const ticking = /\u0001([^\u0002]*)\u0002/g

/** The text as it is sent: without the marks. */
export const steady = (html: string): string => html.replace(ticking, '$1')

/** What of a card has to change before it is edited: all that it shows but its clocks. */
export const contentHash = (shown: Shown): string =>
  createHash('sha256')
    .update(JSON.stringify([shown.html.replace(ticking, ''), shown.buttons]))
    .digest('base64url')
    .slice(0, 22)
