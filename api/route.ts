import type { FastifyRequest } from 'fastify'
import type { z } from 'zod'
import type { Scope } from '../core/people/apiTokens.ts'
import type { Caller } from './auth.ts'
import type { RouteDeps } from './deps.ts'
import type { Streamed } from './stream.ts'

/** A text of this media type. */
export type TextAnswer = { kind: 'text'; media: string; headers?: Readonly<Record<string, string>> }
/** A text that goes on, each message of it with this schema as its data. */
export type StreamAnswer = { kind: 'stream'; media: string; message: z.ZodType }
/** By status: the schema of the body, or another kind of answer; null: no body. */
export type Answers = Readonly<Record<number, z.ZodType | TextAnswer | StreamAnswer | null>>

type BodyOf<T> = T extends z.ZodType
  ? z.input<T>
  : T extends StreamAnswer
    ? Streamed
    : T extends TextAnswer
      ? string
      : null
export type AnswerOf<A extends Answers> = {
  [S in keyof A & number]: { status: S; body: BodyOf<A[S]> }
}[keyof A & number]

export type NeededScope = Scope | readonly Scope[] | null

type Input<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, S extends NeededScope> = {
  params: z.output<P>
  query: z.output<Q>
  body: z.output<B>
  caller: S extends null ? null : Caller
  request: FastifyRequest
}

/**
 * One endpoint: what it takes and answers, who may call it, and what it does. The server's routes, its checks and
 * the OpenAPI document all come from this.
 */
export type Endpoint<
  P extends z.ZodType,
  Q extends z.ZodType,
  B extends z.ZodType,
  S extends NeededScope,
  A extends Answers,
> = {
  method: 'GET' | 'POST'
  /** With `:name` for each parameter. */
  url: string
  /** One of these is needed (`admin` has all); null: no token at all. */
  scope: S
  /** One line, for the document. */
  summary: string
  /** More for the document, where the line is not enough. */
  description?: string
  params?: P
  query?: Q
  /** One that takes `undefined` makes the body optional. */
  body?: B
  /** A body that is right, for the document. */
  example?: z.input<B>
  answers: A
  /** Answers other than success that are this endpoint's own, with when they are given. */
  errors?: Readonly<Record<number, string>>
  /** Milliseconds until 503, when it is not the usual. */
  deadlineMs?: number
  handler(deps: RouteDeps, input: Input<P, Q, B, S>): Promise<AnswerOf<A>>
}

/** An endpoint whose types are forgotten, as the server keeps it. */
export type Route = Endpoint<z.ZodType, z.ZodType, z.ZodType, NeededScope, Answers>

/** Declares an endpoint; see `Endpoint`. */
export const route = <
  const A extends Answers,
  const S extends NeededScope,
  P extends z.ZodType = z.ZodUndefined,
  Q extends z.ZodType = z.ZodUndefined,
  B extends z.ZodType = z.ZodUndefined,
>(
  endpoint: Endpoint<P, Q, B, S, A>,
): Route => endpoint as unknown as Route

/** An answer with its status. */
export const answer = <S extends number, B>(status: S, body: B): { status: S; body: B } => ({ status, body })
export const ok = <B>(body: B): { status: 200; body: B } => ({ status: 200, body })
