import { byId, el, icon } from './dom.js'

const toastMs = 3500

/** Shows a short text for a moment. */
export function toast(text) {
  const box = el('div', { class: 'toast' }, text)
  byId('toasts').append(box)
  setTimeout(() => box.remove(), toastMs)
}

/** Opens the dialog with this title and content; Escape, the cross or a click outside close it. */
export function openDialog(title, content, kind = '') {
  const dialog = byId('dialog')
  const close = el(
    'button',
    { type: 'button', class: 'icon', 'aria-label': 'Close', onclick: () => dialog.close() },
    icon('close'),
  )
  const head = el('header', {}, el('h2', { id: 'dialog-title' }, title), close)
  dialog.className = kind
  dialog.replaceChildren(head, el('div', { class: 'dialog-body', tabindex: '0' }, content))
  dialog.onclick = (event) => event.target === dialog && dialog.close()
  if (!dialog.open) dialog.showModal()
}

/** Shows a callback answer that asks to be confirmed. */
export function alertDialog(title, text) {
  const done = el('button', { type: 'button', class: 'primary', onclick: () => byId('dialog').close() }, 'OK')
  openDialog(title, [el('p', {}, text), done], 'alert')
  done.focus()
}

/** Copies a text and says so. */
export async function copy(text) {
  await navigator.clipboard.writeText(text).then(
    () => toast('Copied'),
    () => toast('The browser does not allow copying here'),
  )
}

/** Tells screen readers about something new. */
export function announce(text) {
  byId('announcer').textContent = text
}
