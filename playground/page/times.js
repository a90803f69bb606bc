const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' })
const units = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
]

/** Hours and minutes of a Unix time. */
export const clockTime = (unix) => clock.format(new Date(unix * 1000))

/** Name of a day: today, yesterday, or its date. */
export function dayName(unix) {
  const date = new Date(unix * 1000)
  const days = Math.round((startOfDay(new Date()) - startOfDay(date)) / 86_400_000)
  if (days === 0) return 'Today'
  if (days === 1) return 'Yesterday'
  const year = date.getFullYear() === new Date().getFullYear() ? {} : { year: 'numeric' }
  return new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', ...year }).format(date)
}

const startOfDay = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime()

/** True when both Unix times are on the same local day. */
export const sameDay = (a, b) => startOfDay(new Date(a * 1000)) === startOfDay(new Date(b * 1000))

/** What a `date_time` entity shows: `r`, or any of `w`, `d`/`D`, `t`/`T`; null keeps the text. */
export function formatEntityTime(unix, format) {
  if (format === '') return null
  if (format === 'r') return relativeTime(unix)
  const options = {
    ...(format.includes('w') ? { weekday: 'long' } : {}),
    ...(format.includes('d') ? { day: '2-digit', month: '2-digit', year: '2-digit' } : {}),
    ...(format.includes('D') ? { day: 'numeric', month: 'long', year: 'numeric' } : {}),
    ...(/t/i.test(format) ? { hour: '2-digit', minute: '2-digit' } : {}),
    ...(format.includes('T') ? { second: '2-digit' } : {}),
  }
  return new Intl.DateTimeFormat(undefined, options).format(new Date(unix * 1000))
}

function relativeTime(unix) {
  const seconds = Math.round(unix - Date.now() / 1000)
  const [unit, size] = units.find(([, length]) => Math.abs(seconds) >= length) ?? ['second', 1]
  return relative.format(Math.round(seconds / size), unit)
}

/** The full local date and time, for tooltips. */
export const fullTime = (unix) =>
  new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' }).format(new Date(unix * 1000))
