import { writeFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { ana, bob, buttonsOf, eve, type System, startSystem, textOf } from '../support/system.ts'

describe('an approval in the chat', () => {
  let system: System
  beforeAll(async () => {
    system = await startSystem()
    system.program('npm', 'mkdir -p node_modules/left-pad && echo added 1 package')
    await system.giveRole(bob, 'operator')
  })
  afterAll(() => system?.stop())
  afterEach(() => expect(system.faults).toEqual([]))

  test('the card says command, machine, directory, risk, rule and reason; Approve runs it', async () => {
    const number = await system.ask('/run npm install left-pad')
    const card = await system.message(/❓.*left-pad/)
    const text = textOf(card)
    expect(card.silent).toBe(false)
    expect(text.slice(0, 90)).toMatch(/❓ [A-Z]\d+ MEDIUM: npm install left-pad\non laptop/)
    expect(text).toContain('laptop:~/work/api')
    expect(text).toContain(`#${number} v1 · Ana`)
    expect(text).toMatch(/medium · rule package\.install\n.+\nnetwork yes/)
    expect(text).toMatch(/until .+ UTC · [0-9a-f]{6}/)
    expect(buttonsOf(card)).toEqual(['Approve', 'Deny', 'Details', 'Revise', 'More…'])
    expect(system.has('node_modules/left-pad')).toBe(false)

    expect(await system.tap('Approve', { on: card.message_id })).toContain('Approved')
    await system.runIs(number, 'succeeded')
    expect(system.has('node_modules/left-pad')).toBe(true)
    const record = await system.message(/✓ [A-Z]\d+ approved by Ana · \d\d:\d\d UTC/)
    expect(record.message_id).toBe(card.message_id)
    expect(buttonsOf(record)).toEqual([])
    const outcome = await system.message(new RegExp(`#${number} succeeded · [\\d:]+\n`), {
      after: card.message_id,
    })
    expect(textOf(outcome)).toContain('added 1 package')
  })

  test('Deny ends it, says who and when, and nothing runs', async () => {
    const number = await system.ask('/run npm install right-pad')
    const card = await system.message(/❓.*right-pad/)
    expect(await system.tap('Deny', { on: card.message_id })).toContain('Denied')
    await system.runIs(number, 'denied')
    expect(textOf(await system.message(new RegExp(`#${number} denied`)))).toContain(
      'Denied by Ana. Nothing ran.',
    )
    const record = await system.message(/✗ [A-Z]\d+ denied by Ana · \d\d:\d\d UTC/)
    expect(record.message_id).toBe(card.message_id)
    expect((await system.run(number)).tasks.map((t) => [t.status, t.attempts])).toEqual([['cancelled', 0]])
  })

  test('a second tap, and one in the wrong hands, say so and change nothing', async () => {
    const number = await system.ask('/run npm install twice')
    const card = await system.message(/❓.*twice/)
    expect(await system.tap('Approve', { on: card.message_id, from: bob })).toContain(
      'You may not decide this',
    )
    expect((await system.run(number)).status).toBe('awaiting_approval')
    const [first, second] = await Promise.all([
      system.tap('Approve', { on: card.message_id }),
      system.tap('Approve', { on: card.message_id }),
    ])
    expect([first, second].sort()).toEqual([
      expect.stringMatching(/^Already approved by Ana a moment ago\. Nothing changed\.$/),
      expect.stringContaining('Approved'),
    ])
    await system.runIs(number, 'succeeded')
    expect((await system.run(number)).tasks[0]?.attempts).toBe(1)
  })

  test('a stranger who taps is not listened to', async () => {
    const number = await system.ask('/run npm install stranger')
    const card = await system.message(/❓.*stranger/)
    system.telegram.tap(ana.id, card.message_id, 'Approve', eve)
    system.say('/status')
    await system.message(/1 under way/, { after: card.message_id })
    expect((await system.run(number)).status).toBe('awaiting_approval')
    await system.tap('Deny', { on: card.message_id })
    await system.runIs(number, 'denied')
  })

  test('high risk takes a second tap, which names the machine; Back goes back', async () => {
    system.program('rm', 'exec /bin/rm "$@"')
    const number = await system.ask('/run rm -rf node_modules')
    const card = await system.message(/❓.*HIGH: rm -rf node_modules/)
    expect(await system.tap('Approve', { on: card.message_id })).toContain('tap once more')
    expect(await system.tap('Back', { on: card.message_id })).toBe('')
    await system.tap('Approve', { on: card.message_id })
    expect((await system.run(number)).status).toBe('awaiting_approval')
    expect(await system.tap('Yes, on laptop', { on: card.message_id })).toContain('That was quick')
    expect((await system.run(number)).status).toBe('awaiting_approval')
    await vi.waitFor(
      async () => expect(await system.tap('Yes, on laptop', { on: card.message_id })).toContain('Approved'),
      { timeout: 20_000, interval: 200 },
    )
    await system.runIs(number, 'succeeded')
    expect(system.has('node_modules')).toBe(false)
  })

  test('/approve of high risk wants a yes; alone it lists what waits', async () => {
    const number = await system.ask('/run rm -rf src')
    const card = await system.message(/❓.*HIGH: rm -rf src/)
    const code = /❓ ([A-Z]\d+)/.exec(textOf(card))?.[1] ?? ''
    const asked = system.say(`/approve ${code}`)
    await system.message(new RegExp(`/approve ${code} yes`), { after: asked })
    expect((await system.run(number)).status).toBe('awaiting_approval')
    const alone = system.say('/deny')
    await system.message(new RegExp(`/deny ${code} · #${number} `), { after: alone })
    system.say(`/deny ${code}`)
    await system.runIs(number, 'denied')
  })

  test('/approve and /deny decide by code, and know no others', async () => {
    const number = await system.ask('/run npm install by-code')
    const card = await system.message(/❓.*by-code/)
    const code = /❓ ([A-Z]\d+)/.exec(textOf(card))?.[1] ?? ''
    await system.message(/There is no approval Z999999/, { after: system.say('/approve Z999999') })
    await system.message(/Approved\. It starts now/, { after: system.say(`/approve ${code}`) })
    await system.runIs(number, 'succeeded')
    const said = system.say(`/deny ${code}`)
    await system.message(/Already approved by Ana/, { after: said })
  })

  test('what does not fit on the card goes before it as a document', async () => {
    const command = `npm install ${Array.from({ length: 280 }, (_, i) => `package-${i}`).join(' ')}`
    const number = await system.ask(`/run ${command}`)
    const card = await system.message(/❓.*package-0/)
    const document = await system.message(/plan-[A-Z]\d+\.txt/)
    expect(document.message_id).toBeLessThan(card.message_id)
    expect(document.document?.file_size ?? 0).toBeGreaterThan(command.length)
    await system.tap('Details', { on: card.message_id })
    await system.message(/plan-[A-Z]\d+\.txt/, { after: card.message_id })
    await system.tap('Deny', { on: card.message_id })
    await system.runIs(number, 'denied')
  })

  test('Revise drops a step: the old card is replaced, a tap on it changes nothing, the new plan asks', async () => {
    const number = await system.ask('Commit everything as a revision')
    const old = await system.message(/❓ .*git commit/)
    await system.tap('Revise', { on: old.message_id })
    const asks = new RegExp(`What should change in #${number}`)
    const choice = await system.message(asks, { after: old.message_id })
    await system.tap('Revise', { on: old.message_id })
    const late = await system.message(asks, { after: choice.message_id })
    const drop = buttonsOf(choice).find((b) => b.startsWith('Drop step 4')) ?? ''
    expect(await system.tap(drop, { on: choice.message_id })).toContain('the new plan is below')
    const next = await system.message(/❓ .*git commit/, { after: late.message_id })
    expect(textOf(next)).toContain(`#${number} v2`)
    const replaced = await system.message(/replaced by v2, below/)
    expect(replaced.message_id).toBe(old.message_id)
    expect(buttonsOf(replaced)).toEqual([])
    expect(await system.tap(drop, { on: late.message_id })).toContain('no longer pending')
    const shown = (id: number) => system.messages().find((m) => m.message_id === id)
    await system.until(
      () => [choice, late].every(({ message_id: id }) => buttonsOf(shown(id) ?? choice).length === 0),
      'both choosers to be without buttons',
    )
    expect(textOf(shown(choice.message_id) ?? choice)).toBe('Changed: the new plan is below.')
    expect(textOf(shown(late.message_id) ?? late)).toContain('no longer pending')
    expect((await system.run(number)).approvals.map((a) => a.status)).toEqual(['superseded', 'pending'])
    await system.tap('Deny', { on: next.message_id })
    await system.runIs(number, 'denied')
  })

  test('Revise rewrites a command and moves to another place; what was shown before can no longer be approved', async () => {
    const number = await system.ask('/run touch before-edit')
    const first = await system.message(/❓ .*before-edit/)
    await system.tap('Revise', { on: first.message_id })
    await system.tap(/^Edit command 1/, { after: first.message_id })
    await system.message(/What should it be\?/, { after: first.message_id })
    system.say('touch after-edit')
    const second = await system.message(/❓ .*touch after-edit/)
    expect(textOf(second)).toContain(`#${number} v2`)
    await system.tap('Revise', { on: second.message_id })
    await system.tap('Other place: laptop:~/work', { after: second.message_id })
    const third = await system.message(new RegExp(`❓ .*\\n.*#${number} v3`), { after: second.message_id })
    expect(textOf(third)).toMatch(/on laptop:~\/work ·/)
    const [old] = (await system.run(number)).approvals
    system.say(`/approve ${old?.code}`)
    await system.message(/This plan is no longer asked about/, { after: third.message_id })
    await system.tap('Approve', { on: third.message_id })
    await system.runIs(number, 'succeeded')
    expect([system.has('after-edit'), system.has('before-edit'), system.has('../after-edit')]).toEqual([
      false,
      false,
      true,
    ])
  })

  test('an approval ends when its time is up: the card says so and offers to ask again', async () => {
    const number = await system.ask('/run npm install too-late')
    const card = await system.message(/❓.*too-late/)
    await system.db.query(
      "UPDATE approval SET created_at = created_at - interval '1 d', expires_at = to_timestamp(0) WHERE status = 'pending'",
    )
    expect(await system.tap('Approve', { on: card.message_id })).toContain('expired')
    await system.runIs(number, 'expired')
    expect((await system.message(/⌛ [A-Z]\d+ expired/, { after: card.message_id - 1 })).message_id).toBe(
      card.message_id,
    )
    const ended = await system.message(new RegExp(`⌛ #${number} expired`))
    await system.tap('Ask again', { on: ended.message_id })
    const next = await system.message(/❓.*too-late/, { after: card.message_id })
    expect(textOf(next)).toContain(`#${number} v1`)
    expect(await system.tap('Ask again', { on: ended.message_id })).toContain('not expired any more')
    await system.tap('Deny', { on: next.message_id })
    await system.runIs(number, 'denied')
  })

  test('a script that changed between approval and start is refused; one that did not runs', async () => {
    writeFileSync(system.path('build.sh'), 'touch built\n')
    const first = await system.ask('/run sh build.sh')
    const card = await system.message(/❓[\s\S]*as it is now: build\.sh [0-9a-f]{6}/)
    writeFileSync(system.path('build.sh'), 'touch something-else\n')
    await system.tap('Approve', { on: card.message_id }).then((toast) => confirmed(card.message_id, toast))
    const failed = await system.runIs(first, 'failed')
    expect(failed.tasks[0]?.error).toMatchObject({
      code: 'changed',
      message: expect.stringMatching(/build\.sh has changed/),
    })
    expect(system.has('something-else')).toBe(false)
    const second = await system.ask('/run sh build.sh')
    const next = await system.message(new RegExp(`❓[\\s\\S]*#${second} v1`), { after: card.message_id })
    await system.tap('Approve', { on: next.message_id }).then((toast) => confirmed(next.message_id, toast))
    await system.runIs(second, 'succeeded')
    expect(system.has('something-else')).toBe(true)
  })

  test('Details shows what a script says, without its secrets and masks; a revision shows what changed in it', async () => {
    const token = `ghp_${'a1B2c3D4e5F6'.repeat(3)}`
    writeFileSync(system.path('ship.sh'), `echo begin\nсat notes\nTOKEN=${token} ./push\n`)
    writeFileSync(system.path('.env'), 'PLAIN=visible\n')
    await system.ask('/run sh ship.sh && sh .env')
    const card = await system.message(/❓[\s\S]*as it is now: ship\.sh [0-9a-f]{6}.*text in Details/)
    await system.tap('Details', { on: card.message_id })
    const text = textOf(await system.message(/what it rests on, as it is now:/, { after: card.message_id }))
    expect(text).toMatch(/ship\.sh\n {2}sha256 [0-9a-f]{64} · \d+ bytes\n {2}parts are hidden/)
    expect(text).toContain('  | с⟨U+0441⟩at notes\n')
    expect(text).toMatch(/\.env\n.*\n {2}not shown/)
    const kept = await system.db.query<{ files: string }>(
      "SELECT files::text FROM plan WHERE files::text LIKE '%ship%'",
    )
    for (const shown of [text, ...kept.map(({ files }) => files)]) {
      expect(shown).not.toContain(token)
      expect(shown).not.toContain('PLAIN')
    }

    writeFileSync(system.path('ship.sh'), 'echo begin\necho safe\n')
    await system.tap('Revise', { on: card.message_id })
    await system.tap(/^Edit command 1/, { after: card.message_id })
    await system.message(/What should it be\?/, { after: card.message_id })
    system.say('sh ship.sh')
    const next = await system.message(/❓[\s\S]*≠ ship\.sh\n-с⟨U\+0441⟩at notes\n-TOKEN=.*\n\+echo safe\n/, {
      after: card.message_id,
    })
    expect(textOf(next)).not.toContain(token)
    await system.tap('Deny', { on: next.message_id })
  })

  /** The second tap, where the first one only armed the card. */
  const confirmed = async (on: number, toast: string): Promise<void> => {
    if (!toast.includes('tap once more')) return
    await vi.waitFor(async () => expect(await system.tap(/^Yes, on/, { on })).toContain('Approved'), 20_000)
  }

  test('More… approves the same for an hour: the next one says by whom and until when, and /settings revokes it', async () => {
    const first = await system.ask('/run npm install again')
    const card = await system.message(/❓.*install again/)
    await system.tap('More…', { on: card.message_id })
    const offer = await system.message(/without asking when Ana asks for the same/, {
      after: card.message_id,
    })
    expect(await system.tap('This command here, 1 h', { on: offer.message_id })).toContain(
      'for the same from now on',
    )
    const shows = (on: number, words: RegExp, buttons: (all: string[]) => boolean) =>
      system.until(() => {
        const now = system.messages().find((m) => m.message_id === on)
        return now && words.test(textOf(now)) && buttons(buttonsOf(now))
      }, `message ${on} to show ${words}`)
    await shows(offer.message_id, /^✓ \w+ approved by Ana.*This command here, 1 h/, (all) => all.length === 0)
    await system.runIs(first, 'succeeded')
    const second = await system.ask('/run npm install again')
    await system.runIs(second, 'succeeded')
    const said = system.say('/settings')
    const listed = await system.message(/Approved ahead[\s\S]*npm install again/, { after: said })
    expect(textOf(listed)).toMatch(/for Ana until .+\nby Ana · medium · used 1 times/)
    const run = await system.run(second)
    expect(run.tasks[0]?.standing).toMatchObject({ by: 'Ana' })
    expect(run.approvals).toEqual([])
    expect(await system.tap(/^Revoke 1/, { on: listed.message_id })).toContain('asked about again')
    await shows(
      listed.message_id,
      /Nothing is approved ahead/,
      (all) => all.includes('Skills') && !all.some((text) => text.startsWith('Revoke')),
    )
    const third = await system.ask('/run npm install again')
    const asked = await system.message(new RegExp(`❓[\\s\\S]*#${third} v1`), { after: listed.message_id })
    await system.tap('Deny', { on: asked.message_id })
    await system.runIs(third, 'denied')
  })
})
