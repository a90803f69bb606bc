import { byId, icon } from './dom.js'

let audio = null
let on = localStorage.getItem('sound') !== 'off'

/** Wires the sound button. Browsers allow sound only after the first touch or key. */
export function setUpSound() {
  const button = byId('sound')
  const show = () => {
    button.replaceChildren(icon(on ? 'bell' : 'muted'))
    button.setAttribute('aria-pressed', String(on))
    button.title = on ? 'Sound is on' : 'Sound is off'
  }
  button.addEventListener('click', () => {
    on = !on
    localStorage.setItem('sound', on ? 'on' : 'off')
    show()
    if (on) blip()
  })
  addEventListener('pointerdown', unlock, { once: true })
  addEventListener('keydown', unlock, { once: true })
  show()
}

function unlock() {
  audio ??= new AudioContext()
}

/** Two short soft notes, as for a message that is not silent. */
export function blip() {
  if (!on || !audio) return
  for (const [delay, frequency] of [
    [0, 660],
    [0.09, 880],
  ]) {
    note(audio.currentTime + delay, frequency)
  }
}

function note(start, frequency) {
  const tone = audio.createOscillator()
  const volume = audio.createGain()
  tone.frequency.value = frequency
  volume.gain.setValueAtTime(0.0001, start)
  volume.gain.exponentialRampToValueAtTime(0.08, start + 0.01)
  volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.16)
  tone.connect(volume).connect(audio.destination)
  tone.start(start)
  tone.stop(start + 0.18)
}
