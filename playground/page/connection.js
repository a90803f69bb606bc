/** Asks the server; throws with its own words when it refuses. */
export async function ask(path, body) {
  const init =
    body === undefined
      ? {}
      : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const answer = await fetch(path, init).catch(() => {
    throw new Error('SKYNET does not answer just now. Nothing is lost: try again in a moment.')
  })
  if (answer.status === 401) location.reload()
  const value = await answer.json()
  if (!answer.ok) throw new Error(value.description ?? 'That did not work')
  return value
}

const retryMs = 1500

/**
 * Follows the server's events from `at` on. The browser reconnects and asks for what it missed;
 * when the server cannot say, `onReset` loads everything anew.
 */
export function follow(at, { onEvent, onReset, onOnline }) {
  const source = new EventSource(`/api/events?after=${encodeURIComponent(at)}`)
  source.onopen = () => onOnline(true)
  source.onmessage = (message) => onEvent(JSON.parse(message.data))
  source.addEventListener('reset', () => {
    source.close()
    onReset()
  })
  source.onerror = () => {
    onOnline(false)
    if (source.readyState === EventSource.CLOSED) setTimeout(onReset, retryMs)
  }
}
