import { ask } from './connection.js'
import { byId, el } from './dom.js'
import { openDialog } from './notices.js'

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const states = { done: 'done', now: 'going on', wait: 'waiting', bad: 'stopped' }
let loading = false
let stale = false

/** Shows the rows of "What happens behind"; null hides the panel. */
export function showPanel(rows) {
  byId('app').classList.toggle('no-panel', rows === null)
  if (rows === null) return
  const list = byId('rows')
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60
  const focused = document.activeElement?.dataset?.row
  list.replaceChildren(
    ...(rows.length > 0
      ? rows.map(renderRow)
      : [el('li', { class: 'empty' }, 'Send something: each step shows up here.')]),
  )
  if (focused) list.querySelector(`[data-row="${CSS.escape(focused)}"]`)?.focus()
  if (atEnd) list.scrollTop = list.scrollHeight
}

/** Loads the rows again; several changes at once make one load. */
export async function reloadPanel() {
  stale = true
  if (loading) return
  loading = true
  while (stale) {
    stale = false
    await ask('/api/panel').then(showPanel, () => {})
  }
  loading = false
}

function renderRow(row) {
  const time = row.at ? el('time', { datetime: row.at }, clock.format(new Date(row.at))) : null
  const head = el(
    'span',
    { class: 'row-head' },
    el('span', { class: 'stage' }, row.stage),
    el('span', { class: 'unseen' }, states[row.state]),
    time,
  )
  const button = el(
    'button',
    { type: 'button', 'data-row': row.id, onclick: () => openRow(row) },
    head,
    el('strong', {}, row.title),
    row.detail ? el('span', { class: 'detail' }, row.detail) : null,
  )
  return el('li', { class: `row ${row.state}` }, button)
}

async function openRow(row) {
  const detail = await ask(`/api/panel/${encodeURIComponent(row.id)}`).catch((error) => ({
    error: error.message,
  }))
  openDialog(
    `${row.stage}: ${row.title}`,
    el('pre', { class: 'document' }, JSON.stringify(detail, null, 2)),
    'wide',
  )
}
