import { ask } from './connection.js'
import { el, icon } from './dom.js'
import { alertDialog, copy, toast } from './notices.js'

const answerMs = 15_000
/** Taps that wait: by query id, what to do when the answer comes. */
const waiting = new Map()
/** Answers that came before the tap's own response did. */
const early = new Set()

/** Renders an inline keyboard; `messageId` is the message it hangs under. */
export function renderKeyboard(messageId, rows) {
  return el(
    'div',
    { class: 'keyboard', role: 'group', 'aria-label': 'Buttons' },
    rows.map((row) =>
      el(
        'div',
        { class: 'key-row' },
        row.map((button) => renderButton(messageId, button)),
      ),
    ),
  )
}

function renderButton(messageId, button) {
  const label = el('span', {}, button.text)
  const look = `key ${button.style ?? ''}`
  if (button.url)
    return el(
      'a',
      { class: look, href: button.url, target: '_blank', rel: 'noopener noreferrer' },
      label,
      icon('link'),
    )
  const act = button.copy_text
    ? () => copy(button.copy_text.text)
    : (event) => tap(messageId, button.callback_data, event.currentTarget)
  return el(
    'button',
    { type: 'button', class: look, onclick: act },
    label,
    button.copy_text ? icon('copy') : null,
  )
}

async function tap(messageId, data, key) {
  if (key.getAttribute('aria-busy') === 'true') return
  key.setAttribute('aria-busy', 'true')
  try {
    const { callback_query_id: id } = await ask('/api/tap', { message_id: messageId, data })
    await answered(id)
  } catch (error) {
    toast(/has no button|gone/.test(error.message) ? 'That button is gone' : error.message)
  }
  key.removeAttribute('aria-busy')
}

function answered(id) {
  if (early.delete(id)) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(settle, answerMs)
    function settle() {
      clearTimeout(timer)
      waiting.delete(id)
      resolve()
    }
    waiting.set(id, settle)
  })
}

function remember(id) {
  if (early.size > 50) early.clear()
  early.add(id)
}

/** Ends a button's spinner and shows the answer's text, as a toast or as an alert. */
export function showAnswer(answer, botName) {
  const settle = waiting.get(answer.callback_query_id)
  if (settle) settle()
  else remember(answer.callback_query_id)
  if (answer.text === '') return
  if (answer.show_alert) alertDialog(botName, answer.text)
  else toast(answer.text)
}
