import { el, icon } from './dom.js'
import { openDialog } from './notices.js'

const shownBytes = 400_000
const readable = /\.(?:log|txt|md|diff|patch|json|jsonl|ya?ml|csv|ts|js|mjs|sh|py|out)$/i

/** A document as a chip: its name opens it here when it is text, the arrow saves it. */
export function renderDocument(file) {
  const path = `/api/files/${encodeURIComponent(file.file_id)}`
  const name = file.file_name ?? 'document'
  const facts = el(
    'span',
    { class: 'file-facts' },
    el('strong', {}, name),
    el('small', {}, sizeOf(file.file_size ?? 0)),
  )
  const mark = el('span', { class: 'file-mark', 'aria-hidden': 'true' }, icon('file'))
  const open = readable.test(name)
    ? el(
        'button',
        { type: 'button', class: 'file-open', 'aria-label': `Open ${name}`, onclick: () => view(name, path) },
        mark,
        facts,
      )
    : el('a', { class: 'file-open', href: `${path}?view`, target: '_blank', rel: 'noopener' }, mark, facts)
  const save = el(
    'a',
    { class: 'icon', href: path, download: name, 'aria-label': `Download ${name}` },
    icon('download'),
  )
  return el('div', { class: 'file' }, open, save)
}

/** A photo, as wide as its bubble; a tap opens it whole. */
export function renderPhoto(sizes, caption) {
  const photo = sizes.at(-1)
  const src = `/api/files/${encodeURIComponent(photo.file_id)}?view`
  const { width, height } = photo
  const image = el('img', { class: 'photo', src, width, height, loading: 'lazy', alt: caption || 'Image' })
  return el('a', { href: src, target: '_blank', rel: 'noopener' }, image)
}

async function view(name, path) {
  const text = await fetch(`${path}?view`).then((answer) => answer.text())
  const cut =
    text.length > shownBytes ? `\n… ${text.length - shownBytes} more characters: download the file` : ''
  openDialog(name, el('pre', { class: 'document' }, text.slice(0, shownBytes) + cut), 'wide')
}

function sizeOf(bytes) {
  if (bytes < 1024) return `${bytes} B`
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`
}
