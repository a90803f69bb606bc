import { describe, expect, test } from 'vitest'
import { formatText } from '../../../playground/formatText.ts'
import { parseHtml } from '../../../playground/parseHtml.ts'

const entity = (html: string) => parseHtml(html).entities

describe('Telegram HTML', () => {
  test.each([
    ['<b>x</b><strong>x</strong>', ['bold', 'bold']],
    ['<i>x</i><em>x</em>', ['italic', 'italic']],
    ['<u>x</u><ins>x</ins>', ['underline', 'underline']],
    ['<s>x</s><strike>x</strike><del>x</del>', ['strikethrough', 'strikethrough', 'strikethrough']],
    ['<tg-spoiler>x</tg-spoiler><span class="tg-spoiler">x</span>', ['spoiler', 'spoiler']],
    ['<code>x</code><pre>x</pre>', ['code', 'pre']],
    [
      '<blockquote>x</blockquote><blockquote expandable>x</blockquote>',
      ['blockquote', 'expandable_blockquote'],
    ],
  ])('%s', (html, types) => {
    expect(entity(html).map((each) => each.type)).toEqual(types)
  })

  test('takes the language of a code block to its pre', () => {
    expect(entity('<pre><code class="language-ts">let a</code></pre>')).toEqual([
      { type: 'pre', offset: 0, length: 5, language: 'ts' },
    ])
  })

  test('reads links, mentions and times', () => {
    expect(entity('<a href="https://grammy.dev/?a=1&amp;b=2">x</a>')).toMatchObject([
      { url: 'https://grammy.dev/?a=1&b=2' },
    ])
    expect(entity('<a href="tg://user?id=7">Ana</a>')).toMatchObject([
      { type: 'text_mention', user: { id: 7 } },
    ])
    expect(entity('<a>nowhere</a>')).toEqual([])
    expect(entity('<tg-time unix="1700000000" format="wDT">then</tg-time>')).toEqual([
      { type: 'date_time', unix_time: 1700000000, date_time_format: 'wDT', offset: 0, length: 4 },
    ])
  })

  test('decodes the four names and numbers, and no others', () => {
    expect(parseHtml('&lt;&gt;&amp;&quot;&#65;&#x42;&nbsp;& &').text).toBe('<>&"AB&nbsp;& &')
  })

  test('counts entities in UTF-16 units', () => {
    expect(entity('🏟 <b>🏟</b>')).toEqual([{ type: 'bold', offset: 3, length: 2 }])
  })

  test.each([
    ['🏟 🏟&lt;<abac>', 'Unsupported start tag "abac" at byte offset 13'],
    ['🏟 🏟&lt;<i   =aba>', 'Empty attribute name in the tag "i" at byte offset 13'],
    ['🏟 🏟&lt;<i    aba>', 'Can\'t find end tag corresponding to start tag "i"'],
    ['🏟 🏟&lt;<i    aba  =  ', 'Unclosed start tag "i" at byte offset 13'],
    ['🏟 🏟&lt;<i    aba  =  190azAz-.,', 'Unexpected end of name token at byte offset 27'],
    ['🏟 🏟&lt;<i    aba  =  "&lt;&gt;&quot;>', 'Unclosed start tag at byte offset 13'],
    ['🏟 🏟&lt;</', 'Unexpected end tag at byte offset 13'],
    ['🏟 🏟&lt;<b></b></', 'Unexpected end tag at byte offset 20'],
    ['🏟 🏟&lt;<i>a</i   ', 'Unclosed end tag at byte offset 17'],
    ['🏟 🏟&lt;<i>a</em   >', 'Unmatched end tag at byte offset 17, expected "</i>", found "</em>"'],
    ['a < b', 'Unsupported start tag "" at byte offset 2'],
    ['<span>x</span>', 'Tag "span" must have class "tg-spoiler" at byte offset 0'],
  ])('refuses %s as tdlib’s own tests do', (html, description) => {
    expect(() => parseHtml(html)).toThrow(`Bad Request: can't parse entities: ${description}`)
  })
})

describe('formatting', () => {
  test('trims and moves entities along', () => {
    expect(formatText({ text: '\n <b>x</b>  ', parse_mode: 'HTML' })).toEqual({
      text: 'x',
      entities: [{ type: 'bold', offset: 0, length: 1 }],
    })
  })

  test('finds commands, links, mentions and tags as Telegram does', () => {
    const { text, entities } = formatText({
      text: '/run@skynet_bot rm / see https://a.b/c. @ana_b #todo a/b',
    })
    expect(entities.map(({ type, offset, length }) => [type, text.slice(offset, offset + length)])).toEqual([
      ['bot_command', '/run@skynet_bot'],
      ['url', 'https://a.b/c'],
      ['mention', '@ana_b'],
      ['hashtag', '#todo'],
    ])
  })

  test('finds nothing in code', () => {
    expect(formatText({ text: '<code>/run x</code>', parse_mode: 'HTML' }).entities).toHaveLength(1)
  })
})
