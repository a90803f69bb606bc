/** The address by which programs on this machine reach a listener there. */
export const localUrl = (host: string, port: number): string => {
  const near = ['0.0.0.0', '::', ''].includes(host) ? '127.0.0.1' : host
  return `http://${near.includes(':') ? `[${near}]` : near}:${port}`
}
