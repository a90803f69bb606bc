import { afterAll, beforeAll, expect, test } from 'vitest'
import { Pair } from '../unit/agent/startPair.ts'

const pair = new Pair()
beforeAll(() => pair.start())
afterAll(() => pair.stop())

async function run(command: string) {
  const sent = await pair.shell(command)
  const { result } = await pair.control.frame(sent.execution_id, 'result')
  return {
    result,
    text: pair.control.text(sent.execution_id),
    frames: pair.control.frames(sent.execution_id),
  }
}

test('twenty megabytes keep their head and tail, and say what is missing', async () => {
  const before = process.memoryUsage().rss
  const { result, text, frames } = await run(`seq 2700000`)
  expect(result.output_bytes).toBe(20_488_896)
  expect(text.startsWith('1\n2\n3\n')).toBe(true)
  expect(text.endsWith('\n2699999\n2700000\n')).toBe(true)
  const notes = frames.filter((frame) => frame.type === 'log' && frame.stream === 'system')
  expect(notes).toHaveLength(1)
  const note = `[… ${(result.output_lost / 1e6).toFixed(1)} MB left out here (${result.output_lost} bytes) …]\n`
  expect(text).toContain(note)
  const said = Buffer.byteLength(note)
  expect(Buffer.byteLength(text) - said).toBe(result.output_bytes - result.output_lost)
  expect(text.length).toBeLessThan(700_000)
  expect(process.memoryUsage().rss - before).toBeLessThan(150e6)
  expect(result.summary).toMatch(/^\d+\n[\s\S]*2700000$/)
})

test('the first line comes at once', async () => {
  const sent = await pair.shell('date +%s%N; sleep 1')
  await pair.control.frame(sent.execution_id, 'log')
  expect(Date.now() - Number(pair.control.text(sent.execution_id)) / 1e6).toBeLessThan(60)
  await pair.cancel(sent)
})

test('secrets, also in pieces, colours and broken characters do not pass', async () => {
  const token = `ghp_${'a1B2'.repeat(9)}`
  const { text, result } = await run(`
    printf 'key ghp_a1B2'; sleep 0.1; printf '${token.slice(8)}\\n'
    printf '\\033[31mred\\033[0m \\033]0;title\\007plain\\n'
    printf 'gr\\303'; sleep 0.05; printf '\\274n \\377 end\\n'
    printf '10%%\\r50%%\\r100%%\\n'
    echo '-----BEGIN OPENSSH PRIVATE KEY-----'; echo b3BlbnNzaC1rZXktdjEAAAAA; sleep 0.1; echo QyNTUxOQAAACB; echo '-----END OPENSSH PRIVATE KEY-----'; echo after`)
  expect(text).toContain('key [redacted: github token]\nred plain\ngrün \uFFFD end\n100%\n')
  expect(text).not.toContain('b3Blbn')
  expect(text).not.toContain('QyNTUx')
  expect(text).toMatch(/after\n$/)
  expect(result.summary).not.toContain(token)
})

test('the agent’s own credential is redacted', async () => {
  const { text } = await run(`echo ${pair.control.credential}`)
  expect(text).toBe('[redacted: secret]\n')
})
