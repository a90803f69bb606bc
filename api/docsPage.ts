import type { z } from 'zod'
import { docsStyle } from './docsStyle.ts'
import { jsonSchema, scopesOf, templateOf } from './openapi.ts'
import type { Route } from './route.ts'

const quote = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** A sentence in which backticks mark code. */
const prose = (text: string): string => quote(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>')

/** The page for people: every endpoint with its schemas and a line to try it. Needs nothing from elsewhere. Pure. */
export function docsPageOf(routes: readonly Route[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>SKYNET API</title>
<style>${docsStyle}</style>
</head>
<body>
<header>
<h1>SKYNET API</h1>
<p>JSON with snake_case names. Send <code>Authorization: Bearer TOKEN</code>; <code>skynet token new</code> makes one with
scopes. For programs: <a href="/v1/openapi.json">the OpenAPI document</a>.</p>
</header>
<nav aria-label="Endpoints"><ul>
${routes.map((route) => `<li><a href="#${idOf(route)}"><code>${quote(titleOf(route))}</code></a></li>`).join('\n')}
</ul></nav>
<main>
${routes.map(sectionOf).join('\n')}
</main>
</body>
</html>
`
}

const titleOf = ({ method, url }: Route): string => `${method} ${templateOf(url)}`
const idOf = ({ method, url }: Route): string => `${method.toLowerCase()}${url.replaceAll(/[^\w]+/g, '-')}`

function sectionOf(route: Route): string {
  const scopes = scopesOf(route)
  const scope = scopes.length === 0 ? 'no token needed' : `scope ${scopes.join(' or ')}`
  return `<section id="${idOf(route)}" aria-labelledby="${idOf(route)}-title">
<h2 id="${idOf(route)}-title">${quote(titleOf(route))}</h2>
<p>${prose(route.summary)} <span class="quiet">(${scope})</span></p>
${route.description ? `<p>${prose(route.description)}</p>` : ''}
<pre class="line">${quote(curlOf(route))}</pre>
${route.query ? schemaOf('Query', route.query) : ''}
${route.body ? schemaOf('Body', route.body) : ''}
${[...Map.groupBy(Object.entries(route.answers), ([, schema]) => schema)]
  .map(([schema, statuses]) => answerOf(statuses.map(([status]) => status).join(', '), schema))
  .join('\n')}
${errorTable(route)}
</section>`
}

function curlOf({ method, url, scope, body, example, answers }: Route): string {
  const streams = Object.values(answers).some((one) => one !== null && 'kind' in one && one.kind === 'stream')
  const parts = [
    `curl -s${streams ? 'N' : ''}`,
    ...(method === 'POST' ? ['-X POST'] : []),
    ...(scope === null ? [] : ['-H "Authorization: Bearer $TOKEN"']),
    ...(body
      ? [`-H 'content-type: application/json' -d '${JSON.stringify(example ?? blankFor(body))}'`]
      : []),
    `http://127.0.0.1:8080${templateOf(url)}`,
  ]
  return parts.join(' ')
}

/** A body with what it must have. */
function blankFor(body: z.ZodType): object {
  const { required = [], properties = {} } = jsonSchema(body) as {
    required?: string[]
    properties?: Record<string, { type?: string }>
  }
  const blanks: Record<string, unknown> = { integer: 0, number: 0, boolean: false, array: [], object: {} }
  const parts = required.map((name) => [name, blanks[properties[name]?.type ?? ''] ?? '…'])
  return Object.fromEntries(parts)
}

const schemaOf = (title: string, schema: z.ZodType): string =>
  `<details><summary>${title}</summary><pre tabindex="0">${quote(JSON.stringify(jsonSchema(schema), null, 2))}</pre></details>`

function answerOf(status: string, answer: Route['answers'][number]): string {
  if (answer === null || answer === undefined) return `<p>${status}: no body</p>`
  if (!('kind' in answer)) return schemaOf(`Answer ${status}`, answer)
  if (answer.kind === 'text') return `<p>${status}: <code>${answer.media}</code></p>`
  return schemaOf(`Answer ${status}: ${answer.media}, each message with the data`, answer.message)
}

const errorTable = ({ errors }: Route): string =>
  errors === undefined
    ? ''
    : `<table><caption class="quiet">Besides the usual 400, 401, 403, 429 and 503</caption>${Object.entries(
        errors,
      )
        .map(([status, why]) => `<tr><th scope="row">${status}</th><td>${prose(why)}</td></tr>`)
        .join('')}</table>`
