/** At most `length` characters, the last an ellipsis where something was cut; one line, no invisible controls. Pure. */
export function clip(text: string, length: number): string {
  const line = [...text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim()]
  return line.length <= length
    ? line.join('')
    : `${line
        .slice(0, length - 1)
        .join('')
        .trimEnd()}…`
}
